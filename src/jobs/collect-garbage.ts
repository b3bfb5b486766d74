// Deletes what lost its last holder once the recovery window has passed. A manifest is taken apart first: what it held
// becomes garbage of the same age. The rows of blobs go after the blobs: a crash in between deletes some blobs twice,
// which is harmless, where the other order would lose track of them.
import { forgetGarbage, lookUpDueGarbage } from "../state/garbage.ts";
import { dissolveManifests, whichAreManifests } from "../state/manifests.ts";
import type { Job } from "./job.ts";

/** Where a pass is. */
interface Progress {
  /** The id up to which the garbage has been gone through. */
  readonly after: string;
  /** Whether a manifest was taken apart: what it held may be garbage that was passed already. */
  readonly isToBeRepeated: boolean;
}

const FIRST: Progress = { after: "", isToBeRepeated: false };

/** Goes through 2000 entries of the garbage in a step, or collects 500 of them. */
export const collectGarbage: Job = {
  name: "collect-garbage",

  async step({ database, blobs, settings, now }, cursor) {
    const { after, isToBeRepeated } = readProgress(cursor);
    const before = now - settings.recoveryWindowMs;
    const { due, next } = await database.look(lookUpDueGarbage(before, after));
    if (settings.garbageCollection !== "true") {
      return {
        cursor: next === undefined ? null : JSON.stringify({ after: next, isToBeRepeated }),
        report: { due: due.length },
      };
    }
    const manifests = due.length === 0 ? [] : await database.look(whichAreManifests(due));
    if (due.length > 0) {
      const areManifests = new Set(manifests);
      await blobs.delete(due.filter((id) => !areManifests.has(id)));
      // What a manifest held was dropped with it, so it is as old as the manifest's own entry: due at once.
      await database.batch([...dissolveManifests(manifests, before - 1), forgetGarbage(due)]);
    }
    const progress = { after: next ?? "", isToBeRepeated: isToBeRepeated || manifests.length > 0 };
    const isOver = next === undefined && !progress.isToBeRepeated;
    return {
      cursor: isOver ? null : JSON.stringify(next === undefined ? FIRST : progress),
      report: { collected: due.length - manifests.length },
    };
  },
};

function readProgress(cursor: string | null): Progress {
  // An earlier release wrote something else here, and it may have been the last one to be at work.
  if (cursor === null || !cursor.startsWith("{")) return FIRST;
  // What the step before wrote.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(cursor) as Progress;
}
