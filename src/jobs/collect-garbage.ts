// Deletes what lost its last holder once the recovery window has passed. A manifest is taken apart first: what it held
// becomes garbage of the same age. The rows of blobs go after the blobs: a crash in between deletes some blobs twice,
// which is harmless, where the other order would lose track of them.
import { countDueGarbage, dueGarbage, forgetGarbage } from "../state/garbage.ts";
import { dissolveManifests, whichAreManifests } from "../state/manifests.ts";
import type { Job } from "./job.ts";

const PAGE_IDS = 500;

/** Collects 500 blobs and manifests in a step. What is due is found by its row, so there is nothing to go on from. */
export const collectGarbage: Job = {
  name: "collect-garbage",

  async step({ database, blobs, settings, now }) {
    const before = now - settings.recoveryWindowMs;
    if (settings.garbageCollection !== "true") {
      return { cursor: null, report: { due: await database.look(countDueGarbage(before)) } };
    }
    const due = await database.look(dueGarbage(before, PAGE_IDS));
    if (due.length === 0) return { cursor: null, report: { collected: 0 } };
    const manifests = new Set(await database.look(whichAreManifests(due)));
    const dueBlobs = due.filter((id) => !manifests.has(id));
    await blobs.delete(dueBlobs);
    // What a manifest held was dropped with it, so it is as old as the manifest's own entry: due at once.
    const dissolved = Array.from(manifests);
    await database.batch([...dissolveManifests(dissolved, before - 1), forgetGarbage(due)]);
    return { cursor: "more", report: { collected: dueBlobs.length } };
  },
};
