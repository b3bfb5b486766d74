// Empties a bucket: aborts its open uploads and deletes every version of every key. It can be repeated at any time,
// because it reads the remaining ones.
import { plural, t } from "../i18n/language.ts";
import type { Connection } from "../clients/connection.ts";
import {
  abortUpload,
  deleteMany,
  listUploads,
  listVersions,
  type UploadPage,
  type VersionPage,
} from "../clients/versions.ts";
import { NetworkFailure, ServiceError, UnreachableKey } from "../clients/failures.ts";
import { type JobControl, runJob } from "./background-jobs.ts";
import { explainInOneLine } from "./explain.ts";
import { showFailure } from "./failure-toast.ts";
import { showToast } from "./toasts.ts";

export const EMPTY_BUCKET = "empty-bucket";

/** Empties a bucket in the background, and reports the outcome. */
export async function emptyBucket(connection: Connection, bucket: string, onEnd: () => void): Promise<void> {
  const title = (): string => t("bucketEmpty.job", { bucket });
  try {
    await runJob({
      kind: EMPTY_BUCKET,
      target: bucket,
      title,
      run: async (control) => {
        const { refused, reason } = await emptyNow(connection, bucket, control);
        if (refused === 0) showToast(t("bucketEmpty.done", { bucket }));
        else showToast(plural("bucketEmpty.left", refused, { reason }), { kind: "failure" });
      },
    });
  } catch (failure) {
    showFailure(failure);
  }
  onEnd();
}

interface Remainder {
  /** The number of versions that the server refused to delete, such as locked ones. */
  readonly refused: number;
  readonly reason: string;
}

async function emptyNow(connection: Connection, bucket: string, { signal, report }: JobControl): Promise<Remainder> {
  let deleted = 0;
  let refused = 0;
  let reason = "";
  let afterUpload: UploadPage["next"];
  do {
    const from = afterUpload;
    const page: UploadPage = await patiently(signal, () =>
      listUploads(connection, bucket, { signal, ...(from && { after: from }) }),
    );
    for (const upload of page.uploads) {
      await abortUpload(connection, bucket, upload, { signal }).catch((failure: unknown) => {
        // The lifecycle can still abort an upload whose key no address of a browser has.
        if (!(failure instanceof UnreachableKey)) throw failure;
        refused += 1;
        reason ||= explainInOneLine(failure);
      });
    }
    afterUpload = page.next;
  } while (afterUpload !== undefined);
  let after: VersionPage["next"];
  do {
    const from = after;
    const page: VersionPage = await patiently(signal, () =>
      listVersions(connection, bucket, { signal, ...(from && { after: from }) }),
    );
    for (const { failure } of await patiently(signal, () =>
      deleteMany(connection, bucket, page.versions, { signal }),
    )) {
      if (failure === undefined) deleted += 1;
      else {
        refused += 1;
        reason ||= failure.message || failure.code;
      }
    }
    const count = deleted;
    report(() => plural("bucketEmpty.progress", count));
    after = page.next;
  } while (after !== undefined);
  return { refused, reason };
}

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 1000;

/** Retries a call after a lost connection or a busy server, with pauses of 1, 2 and 4 seconds. */
async function patiently<Value>(signal: AbortSignal, call: () => Promise<Value>): Promise<Value> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (failure) {
      const isTransient =
        failure instanceof NetworkFailure || (failure instanceof ServiceError && failure.status >= 500);
      if (!isTransient || attempt === ATTEMPTS || signal.aborted) throw failure;
      await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** (attempt - 1)));
    }
  }
}
