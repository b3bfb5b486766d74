// Deletes what lost its last holder once the recovery window has passed. A manifest is taken apart first: what it held
// becomes garbage of the same age. The rows of blobs go after the blobs: a crash in between deletes some blobs twice,
// which is harmless, where the other order would lose track of them.
import { purgeGarbage, lookUpDueGarbage, type GarbagePage } from "../state/metadata/garbage.ts";
import { purgeManifests, selectManifestIds } from "../state/metadata/manifests.ts";
import type { Job } from "./job.ts";

/** Where a pass is. */
interface Progress {
  /** The id up to which the garbage has been gone through. */
  readonly after: string;
  /** Whether a manifest was taken apart: what it held may be garbage that was passed already. */
  readonly isToBeRepeated: boolean;
}

/**
 * How much a step takes apart, in bytes of the ids that manifests hold: some 15,000 ids, or one manifest. What they held
 * becomes garbage in one batch, for which D1 takes half a minute at the most.
 */
const DISSOLVED_BYTES = 1_000_000;

const FIRST: Progress = { after: "", isToBeRepeated: false };

/** Goes through 2000 entries of the garbage in a step, or collects 500 of them. */
export const collectGarbage: Job = {
  name: "collect-garbage",

  async step({ database, blobs, settings, now }, cursor) {
    const { after, isToBeRepeated } = readProgress(cursor);
    const before = now - settings.recoveryWindowMs;
    const page = await database.look(lookUpDueGarbage(before, after));
    if (settings.garbageCollection !== "true") {
      return {
        cursor: page.next === undefined ? null : JSON.stringify({ after: page.next, isToBeRepeated }),
        report: { due: page.due.length },
      };
    }
    const sizes = page.due.length === 0 ? new Map<string, number>() : await database.look(selectManifestIds(page.due));
    const { due, next } = cutPage(page, sizes);
    const manifests = due.filter((id) => sizes.has(id));
    if (due.length > 0) {
      await blobs.delete(due.filter((id) => !sizes.has(id)));
      // What a manifest held was dropped with it, so it is as old as the manifest's own entry: due at once.
      await database.batch([...purgeManifests(manifests, before - 1), purgeGarbage(due)]);
    }
    const progress = { after: next ?? "", isToBeRepeated: isToBeRepeated || manifests.length > 0 };
    const isOver = next === undefined && !progress.isToBeRepeated;
    return {
      cursor: isOver ? null : JSON.stringify(next === undefined ? FIRST : progress),
      report: { collected: due.length - manifests.length },
    };
  },
};

/** The beginning of a page, with no more manifests than a step takes apart. */
function cutPage({ due, next }: GarbagePage, sizes: ReadonlyMap<string, number>): GarbagePage {
  let bytes = 0;
  const end = due.findIndex((id, index) => (bytes += sizes.get(id) ?? 0) > DISSOLVED_BYTES && index > 0);
  return end === -1 ? { due, next } : { due: due.slice(0, end), next: due[end - 1] };
}

function readProgress(cursor: string | null): Progress {
  // An earlier release wrote something else here, and it may have been the last one to be at work.
  if (cursor === null || !cursor.startsWith("{")) return FIRST;
  // What the step before wrote.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(cursor) as Progress;
}
