// Deletes blobs without references once the recovery window has passed. It dissolves manifests first: their blobs
// become garbage of the same age. Rows of blobs are purged after the blobs, so a crash repeats some deletions but loses
// no blob. Records of locks are deleted with the blob or manifest of their version.
import { purgeGarbage, lookUpDueGarbage, type GarbagePage } from "../state/metadata/garbage.ts";
import { purgeManifests, selectManifestIds } from "../state/metadata/manifests.ts";
import { bucketsWithRecords, deleteRecordsOf } from "../state/metadata/lock-records.ts";
import { overDatabases } from "./over-databases.ts";
import type { Job } from "./job.ts";

/** The position of a pass. */
interface Progress {
  /** The id up to which this pass has processed the garbage. */
  readonly after: string;
  /** Whether the pass dissolved a manifest, whose blobs may be garbage at ids that it has already passed. */
  readonly isToBeRepeated: boolean;
}

/**
 * The most manifest content that one step dissolves, in bytes of blob ids: about 15,000 ids, or one manifest. D1 needs
 * at most half a minute for the batch.
 */
const DISSOLVED_BYTES = 1_000_000;

/** The most blobs of buckets with records of locks in one step: each takes two calls more. */
const RECORDED_PER_STEP = 50;

const FIRST: Progress = { after: "", isToBeRepeated: false };

/** Lists 2000 garbage entries per step, or collects 500. */
export const collectGarbage: Job = overDatabases({
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
    const recorded = page.due.length === 0 ? new Set<string>() : await bucketsWithRecords(blobs);
    const hasRecords = (id: string): boolean => recorded.has(id.split("/", 1)[0] ?? "");
    const { due, next } = cutPage(page, sizes, hasRecords);
    const manifests = due.filter((id) => sizes.has(id));
    if (due.length > 0) {
      await blobs.delete(due.filter((id) => !sizes.has(id)));
      for (const id of due.filter(hasRecords)) await deleteRecordsOf(blobs, id);
      // Blobs of a manifest became garbage together with it, so they are due now.
      await database.batch([...purgeManifests(manifests, before - 1), purgeGarbage(due)]);
    }
    const progress = { after: next ?? "", isToBeRepeated: isToBeRepeated || manifests.length > 0 };
    const isOver = next === undefined && !progress.isToBeRepeated;
    return {
      cursor: isOver ? null : JSON.stringify(next === undefined ? FIRST : progress),
      report: { collected: due.length - manifests.length },
    };
  },
});

/** The start of a page, with no more manifests than a step dissolves, and no more records than it deletes. */
function cutPage(
  { due, next }: GarbagePage,
  sizes: ReadonlyMap<string, number>,
  hasRecords: (id: string) => boolean,
): GarbagePage {
  let bytes = 0;
  let recorded = 0;
  const end = due.findIndex((id, index) => {
    bytes += sizes.get(id) ?? 0;
    recorded += hasRecords(id) ? 1 : 0;
    return (bytes > DISSOLVED_BYTES || recorded > RECORDED_PER_STEP) && index > 0;
  });
  return end === -1 ? { due, next } : { due: due.slice(0, end), next: due[end - 1] };
}

function readProgress(cursor: string | null): Progress {
  // Earlier releases stored another format in this column.
  if (cursor === null || !cursor.startsWith("{")) return FIRST;
  // The previous step wrote it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(cursor) as Progress;
}
