// Deletes the blobs whose recovery window has passed. The rows go after the blobs: a crash in between deletes some
// blobs twice, which is harmless, where the other order would lose track of them.
import type { BlobStore } from "../state/blob-store.ts";
import type { Database } from "../state/database.ts";
import { dueGarbage, forgetGarbage } from "../state/garbage.ts";

const PAGE_BLOBS = 500;
const MAX_PAGES = 10;

/**
 * Collects up to 5000 blobs.
 * @param before blobs dropped before this time (milliseconds since the epoch) are due
 * @returns how many were deleted
 */
export async function collectGarbage(database: Database, blobs: BlobStore, before: number): Promise<number> {
  let collected = 0;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const due = await database.look(dueGarbage(before, PAGE_BLOBS));
    if (due.length === 0) break;
    await blobs.delete(due);
    await database.batch([forgetGarbage(due)]);
    collected += due.length;
  }
  return collected;
}
