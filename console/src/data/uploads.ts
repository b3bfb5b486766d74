// The queue of uploads of this page. Unfinished uploads of large files are stored without secrets, and continue when the
// user chooses the same file again.
import { effect, signal, untracked } from "@preact/signals";
import { NetworkFailure, ServiceError } from "../clients/failures.ts";
import { abortUpload } from "../clients/versions.ts";
import { explain, explainInOneLine } from "./explain.ts";
import { Rate } from "./rate.ts";
import { currentSession, requireSession } from "./session.ts";
import { uploadFile } from "./upload-file.ts";
import { claimedUploads, claimUpload, releaseUpload } from "./upload-claims.ts";
import { type RememberedUpload, rememberedUploads, rememberUpload, clearUpload } from "./remembered-uploads.ts";

/**
 * `exists` waits for an answer: replace, or skip. `lost` waits for its file, and `held` for a sign-in, because the credentials
 * are no longer accepted.
 */
export type UploadState = "held" | "waiting" | "sending" | "paused" | "failed" | "exists" | "lost" | "done";

export interface Upload {
  readonly id: number;
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
  readonly sent: number;
  readonly bytesPerSecond: number;
  readonly state: UploadState;
  /** One sentence, while the state is `failed`. */
  readonly problem: string | undefined;
}

interface Work {
  readonly file: File;
  overwrites: boolean;
  uploadId: string | undefined;
  controller: AbortController | undefined;
  /** Called when the object is stored. */
  readonly onStored: () => void;
}

export interface NewUpload {
  readonly key: string;
  readonly file: File;
}

const CONCURRENT_FILES = 3;
/** Progress is shown at most this often. */
const REPORT_MS = 150;

export const uploads = signal<readonly Upload[]>([]);
const works = new Map<number, Work>();
let last = 0;

/** Adds files to the queue. A file whose upload an earlier page began continues that upload. */
export function addUploads(bucket: string, files: readonly NewUpload[], onStored: () => void): void {
  const added = files.map(({ key, file }): Upload => {
    last += 1;
    const known = rememberedUploads().find((one) => isSameFile(one, bucket, key, file));
    works.set(last, { file, overwrites: false, uploadId: known?.uploadId, controller: undefined, onStored });
    return {
      id: last,
      bucket,
      key,
      bytes: file.size,
      sent: 0,
      bytesPerSecond: 0,
      state: "waiting",
      problem: undefined,
    };
  });
  const isAdded = (upload: Upload): boolean =>
    added.some(({ bucket: other, key }) => other === upload.bucket && key === upload.key);
  uploads.value = [...uploads.value.filter((upload) => upload.state !== "lost" || !isAdded(upload)), ...added];
  startNext();
}

function isSameFile(one: RememberedUpload, bucket: string, key: string, file: File): boolean {
  return one.bucket === bucket && one.key === key && one.bytes === file.size && one.modifiedAt === file.lastModified;
}

/** Shows the unfinished uploads of an earlier page, but not those that another tab works on. */
async function recallUploads(): Promise<void> {
  const claimed = await claimedUploads();
  const shown = new Set(uploads.value.map(({ bucket, key }) => `${bucket}/${key}`));
  const lost = rememberedUploads().filter(
    ({ bucket, key, uploadId }) => !claimed.has(uploadId) && !shown.has(`${bucket}/${key}`),
  );
  uploads.value = [
    ...uploads.value,
    ...lost.map(({ bucket, key, bytes }): Upload => {
      last += 1;
      return { id: last, bucket, key, bytes, sent: 0, bytesPerSecond: 0, state: "lost", problem: undefined };
    }),
  ];
}

export function pauseUpload(id: number): void {
  set(id, { state: "paused", bytesPerSecond: 0 });
  works.get(id)?.controller?.abort();
}

/** Continues a paused upload, or retries a failed one. */
export function resumeUpload(id: number): void {
  set(id, { state: "waiting", problem: undefined });
  startNext();
}

/** Decides whether an existing object is replaced. */
export function overwrite(id: number): void {
  const work = works.get(id);
  if (work !== undefined) work.overwrites = true;
  resumeUpload(id);
}

/** Removes an upload from the queue and aborts it. */
export async function cancelUpload(id: number): Promise<void> {
  const upload = uploads.value.find((one) => one.id === id);
  const work = works.get(id);
  works.delete(id);
  uploads.value = uploads.value.filter((one) => one.id !== id);
  work?.controller?.abort();
  startNext();
  if (upload === undefined) return;
  const { bucket, key } = upload;
  const uploadId =
    work?.uploadId ?? rememberedUploads().find((one) => one.bucket === bucket && one.key === key)?.uploadId;
  if (uploadId === undefined || upload.state === "done" || !(await claimUpload(uploadId))) return;
  clearUpload(uploadId);
  releaseUpload(uploadId);
  // A lifecycle rule can abort the upload later.
  await abortUpload(requireSession().connection, bucket, { key, uploadId }).catch(() => undefined);
}

/** Hides finished uploads. */
export function clearDone(): void {
  uploads.value = uploads.value.filter(({ state }) => state !== "done");
}

/** Asks before the page closes while files are being sent. */
export function guardUploads(): void {
  addEventListener("beforeunload", (event) => {
    if (uploads.value.some(({ state }) => state === "sending" || state === "waiting")) event.preventDefault();
  });
}

/** Continues held uploads when their principal has signed in again, and stops all uploads at a sign-out. */
export function followSession(): void {
  let owner: string | undefined;
  effect(() => {
    const arn = currentSession()?.arn;
    untracked(() => {
      if (arn === undefined && owner !== undefined) dropUploads();
      if (arn !== undefined && owner === undefined) void recallUploads();
      // An upload of one principal does not continue with the permissions of another.
      const next = owner === undefined || owner === arn ? "waiting" : "paused";
      owner = arn;
      if (arn === undefined) return;
      for (const { id, state } of uploads.value) if (state === "held") set(id, { state: next, problem: undefined });
      startNext();
    });
  });
}

/** Empties the queue of this page. Uploads with stored parts stay remembered for the next visit. */
function dropUploads(): void {
  for (const { controller, uploadId } of works.values()) {
    controller?.abort();
    if (uploadId !== undefined) releaseUpload(uploadId);
  }
  works.clear();
  uploads.value = [];
}

function startNext(): void {
  // Others would fail for the same reason.
  if (uploads.value.some(({ state }) => state === "held")) return;
  let sending = uploads.value.filter(({ state }) => state === "sending").length;
  for (const { id, state } of uploads.value) {
    if (sending >= CONCURRENT_FILES) return;
    if (state !== "waiting") continue;
    sending += 1;
    void send(id);
  }
}

async function send(id: number): Promise<void> {
  const work = works.get(id);
  const upload = uploads.value.find((one) => one.id === id);
  if (work === undefined || upload === undefined) return;
  const { bucket, key } = upload;
  const { file, overwrites } = work;
  const controller = new AbortController();
  work.controller = controller;
  const rate = new Rate();
  let shownAt = 0;
  set(id, { state: "sending", sent: 0 });
  try {
    // What another tab sends into is left to it.
    if (work.uploadId !== undefined && !(await claimUpload(work.uploadId))) work.uploadId = undefined;
    await uploadFile(
      requireSession().connection,
      { target: { bucket, key }, file, overwrites, uploadId: work.uploadId },
      {
        signal: controller.signal,
        onProgress: (sent) => {
          const now = Date.now();
          rate.add(now, sent);
          if (controller.signal.aborted || (now - shownAt < REPORT_MS && sent < file.size)) return;
          shownAt = now;
          set(id, { sent, bytesPerSecond: rate.perSecond() });
        },
        onStarted: (started) => {
          work.uploadId = started;
          void claimUpload(started);
          rememberUpload({ bucket, key, bytes: file.size, modifiedAt: file.lastModified, uploadId: started });
        },
      },
    );
    if (work.uploadId !== undefined) {
      clearUpload(work.uploadId);
      releaseUpload(work.uploadId);
    }
    set(id, { state: "done", sent: file.size });
    work.onStored();
  } catch (failure) {
    if (!controller.signal.aborted) set(id, endOf(failure));
  }
  startNext();
}

function endOf(failure: unknown): Partial<Upload> {
  if (failure instanceof ServiceError && failure.code === "PreconditionFailed") return { state: "exists" };
  const isHeld = currentSession() === undefined || explain(failure).wayOn === "sign-in";
  if (isHeld) return { state: "held", bytesPerSecond: 0 };
  const problem = explainInOneLine(failure);
  return { state: "failed", problem, bytesPerSecond: 0, ...(failure instanceof NetworkFailure ? {} : { sent: 0 }) };
}

function set(id: number, changes: Partial<Upload>): void {
  const index = uploads.value.findIndex((upload) => upload.id === id);
  const upload = uploads.value[index];
  if (upload !== undefined) uploads.value = uploads.value.with(index, { ...upload, ...changes });
}
