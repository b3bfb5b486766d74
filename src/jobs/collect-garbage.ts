// Deletes what lost its last holder once the recovery window has passed. A manifest is taken apart first: what it held
// becomes garbage of the same age. The rows of blobs go after the blobs: a crash in between deletes some blobs twice,
// which is harmless, where the other order would lose track of them.
import type { BlobStore } from "../state/blob-store.ts";
import type { Database } from "../state/database.ts";
import { dueGarbage, forgetGarbage } from "../state/garbage.ts";
import { dissolveManifests, whichAreManifests } from "../state/manifests.ts";

const PAGE_IDS = 500;
const MAX_PAGES = 10;

/**
 * Collects up to 5000 blobs and manifests.
 * @param before what was dropped before this time (milliseconds since the epoch) is due
 * @returns how many blobs were deleted
 */
export async function collectGarbage(database: Database, blobs: BlobStore, before: number): Promise<number> {
  let collected = 0;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const due = await database.look(dueGarbage(before, PAGE_IDS));
    if (due.length === 0) break;
    const manifests = new Set(await database.look(whichAreManifests(due)));
    const dueBlobs = due.filter((id) => !manifests.has(id));
    await blobs.delete(dueBlobs);
    // What a manifest held was dropped with it, so it is as old as the manifest's own entry: due at once.
    const dissolved = Array.from(manifests);
    await database.batch([...dissolveManifests(dissolved, before - 1), forgetGarbage(due)]);
    collected += dueBlobs.length;
  }
  return collected;
}
