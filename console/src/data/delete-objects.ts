// Deletes objects and folders, and undoes the deletion in a versioned bucket.
import { plural, t } from "../i18n/language.ts";
import type { Connection } from "../clients/connection.ts";
import { keysBelow } from "../clients/objects.ts";
import { deleteMany, type Deletion } from "../clients/versions.ts";
import { runJob } from "./background-jobs.ts";
import { showFailure } from "./failure-toast.ts";
import { showToast } from "./toasts.ts";

export interface Chosen {
  readonly bucket: string;
  /** Keys of objects. */
  readonly keys: readonly string[];
  /** Prefixes of which all keys are deleted. */
  readonly folders: readonly string[];
}

/** The most markers that an undo remembers. */
const UNDO_MAX = 100_000;

/** Deletes in the background, and offers to undo it if the keys got delete markers. `onChange` is called after each change. */
export async function deleteObjects(connection: Connection, chosen: Chosen, onChange: () => void): Promise<void> {
  const { bucket, keys, folders } = chosen;
  const markers: Deletion[] = [];
  let deleted = 0;
  const refused: string[] = [];
  try {
    await runJob({
      kind: "delete-objects",
      target: `${bucket}/${keys[0] ?? folders[0] ?? ""}`,
      title: () => t("objects.deleting", { bucket }),
      run: async ({ signal, report }) => {
        const remove = async (some: readonly Deletion[]): Promise<void> => {
          for (const { key, markerVersionId, failure } of await deleteMany(connection, bucket, some, { signal })) {
            if (failure !== undefined) refused.push(failure.message || failure.code);
            else deleted += 1;
            if (markerVersionId !== undefined && markers.length < UNDO_MAX) {
              markers.push({ key, versionId: markerVersionId });
            }
          }
          report(() => plural("objects.deleted", deleted));
        };
        await remove(keys.map((key) => ({ key })));
        for (const folder of folders) {
          for await (const page of keysBelow(connection, bucket, folder, signal)) await remove(page);
        }
      },
    });
  } catch (failure) {
    showFailure(failure);
  }
  if (refused.length > 0) {
    showToast(plural("objects.notDeleted", refused.length, { reason: refused[0] ?? "" }), { kind: "failure" });
  }
  if (deleted > 0) {
    const undo = { label: t("action.undo"), run: () => void undoDeletion(connection, bucket, markers, onChange) };
    showToast(plural("objects.deleted", deleted), markers.length === 0 ? {} : { action: undo });
  }
  onChange();
}

/** Deletes the delete markers, so that the versions below them become current again. */
async function undoDeletion(
  connection: Connection,
  bucket: string,
  markers: readonly Deletion[],
  onChange: () => void,
): Promise<void> {
  try {
    const outcomes = await deleteMany(connection, bucket, markers);
    const failed = outcomes.filter(({ failure }) => failure !== undefined);
    if (failed.length === 0) showToast(plural("objects.restored", outcomes.length));
    else showToast(plural("objects.notRestored", failed.length), { kind: "failure" });
  } catch (failure) {
    showFailure(failure);
  }
  onChange();
}
