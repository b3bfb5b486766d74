// Purges blobs without references once the recovery window has passed. It purges manifests first: their blobs become
// garbage of the same age. Rows of blobs are purged after the blobs, so a crash repeats some purges but leaves no blob
// behind. Records of locks are purged with the blob or manifest of their version.
import { purgeGarbage, lookUpDueGarbage, type GarbagePage } from "../state/metadata/garbage.ts";
import { purgeManifests, selectManifestIds } from "../state/metadata/manifests.ts";
import { bucketsWithRecords, deleteRecordsOf } from "../state/metadata/lock-records.ts";
import { overDatabases } from "./over-databases.ts";
import type { Job, JobContext } from "./job.ts";

/** The position of a pass. */
interface Progress {
  /** The id up to which this pass has processed the garbage. */
  readonly after: string;
  /** Whether the pass dissolved a manifest, whose blobs may be garbage at ids that it has already passed. */
  readonly isToBeRepeated: boolean;
  /** The entries up to there that wait for the recovery window to pass. */
  readonly waiting?: number;
}

/**
 * The most manifest content that one step dissolves, in bytes of blob ids: about 15,000 ids, or one manifest. D1 needs
 * at most half a minute for the batch.
 */
const DISSOLVED_BYTES = 1_000_000;

/** The most blobs of buckets with records of locks in one step: each takes two calls more. */
const RECORDED_PER_STEP = 50;

const FIRST: Progress = { after: "", isToBeRepeated: false };

/** Lists 2000 garbage entries per step, or collects 500. The last step in a database reports how many entries wait. */
export const collectGarbage: Job = overDatabases({
  name: "collect-garbage",

  async step({ database, blobs, settings, now }, cursor) {
    const { after, isToBeRepeated, waiting: waitingBefore = 0 } = readProgress(cursor);
    const before = now - settings.recoveryWindowMs;
    const page = await database.look(lookUpDueGarbage(before, after));
    if (settings.garbageCollection !== "true") {
      const waiting = waitingBefore + page.waiting;
      const due = page.due.length;
      return page.next === undefined
        ? { cursor: null, report: { due, waiting } }
        : { cursor: JSON.stringify({ after: page.next, isToBeRepeated, waiting }), report: { due } };
    }
    const ids = page.due.map(({ id }) => id);
    const sizes = ids.length === 0 ? new Map<string, number>() : await database.look(selectManifestIds(ids));
    const recorded = ids.length === 0 ? new Set<string>() : await bucketsWithRecords(blobs);
    const hasRecords = (id: string): boolean => recorded.has(id.split("/", 1)[0] ?? "");
    const { due, next, waiting: ofPage } = cutPage(page, sizes, hasRecords);
    const manifests = due.filter(({ id }) => sizes.has(id));
    if (due.length > 0)
      await collect(
        { database, blobs },
        due.map(({ id }) => id),
        sizes,
        hasRecords,
        before,
      );
    const report = { collected: due.length - manifests.length };
    const waiting = waitingBefore + ofPage;
    const isRepeated = isToBeRepeated || manifests.length > 0;
    if (next !== undefined) {
      return { cursor: JSON.stringify({ after: next, isToBeRepeated: isRepeated, waiting }), report };
    }
    // The repetition counts what waits again.
    return isRepeated ? { cursor: JSON.stringify(FIRST), report } : { cursor: null, report: { ...report, waiting } };
  },
});

/** Deletes blobs, then the rows of them and of manifests. */
async function collect(
  { database, blobs }: Pick<JobContext, "database" | "blobs">,
  due: readonly string[],
  manifests: ReadonlyMap<string, number>,
  hasRecords: (id: string) => boolean,
  before: number,
): Promise<void> {
  await blobs.delete(due.filter((id) => !manifests.has(id)));
  for (const id of due.filter(hasRecords)) await deleteRecordsOf(blobs, id);
  // Blobs of a manifest became garbage together with it, so they are due now.
  const dissolved = due.filter((id) => manifests.has(id));
  await database.batch([...purgeManifests(dissolved, before - 1), purgeGarbage(due)]);
}

/** The start of a page, with no more manifests than a step dissolves, and no more records than it deletes. */
function cutPage(
  page: GarbagePage,
  sizes: ReadonlyMap<string, number>,
  hasRecords: (id: string) => boolean,
): GarbagePage {
  let bytes = 0;
  let recorded = 0;
  const end = page.due.findIndex(({ id }, index) => {
    bytes += sizes.get(id) ?? 0;
    recorded += hasRecords(id) ? 1 : 0;
    return (bytes > DISSOLVED_BYTES || recorded > RECORDED_PER_STEP) && index > 0;
  });
  const last = page.due[end - 1];
  if (last === undefined) return page;
  return { due: page.due.slice(0, end), next: last.id, waiting: last.waitingBefore };
}

function readProgress(cursor: string | null): Progress {
  // Earlier releases stored another format in this column.
  if (cursor === null || !cursor.startsWith("{")) return FIRST;
  // The previous step wrote it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(cursor) as Progress;
}
