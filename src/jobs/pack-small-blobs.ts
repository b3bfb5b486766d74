// Packs small blobs: moves bytes that rows have had for a while into blobs of the store with many of them. The pack is
// stored before the batch that points rows at it, so a crash in between leaves an orphan, and rows keep their bytes.
import { commitPack, lookUpInlineBytes, lookUpPackable, lookUpPackContents } from "../state/metadata/packs.ts";
import { PACK_PERIOD_MS } from "../contract/job-schedule.ts";
import { storePack } from "../state/metadata/pack-contents.ts";
import { guardBlobs } from "../state/commit/commit.ts";
import { statement, type Database } from "../state/d1/database.ts";
import type { Job, JobContext } from "./job.ts";
import { overDatabases } from "./over-databases.ts";

/** A full database is relieved of everything except commits that may be in flight. */
const IN_FLIGHT_MS = 60_000;
/** One pass a day also looks where earlier passes were: a commit may be late. */
const DAY_MS = 24 * 3_600_000;

/** The position of a pass. */
interface Progress {
  /** The bucket id to continue after. */
  readonly after: string;
  readonly isComplete: boolean;
}

/** Writes one pack per step, or passes buckets without anything to pack. */
export const packSmallBlobs: Job = overDatabases({
  name: "pack-small-blobs",

  async step(context, cursor) {
    const { database, blobs, settings, now } = context;
    const { after, isComplete } = readProgress(context, cursor);
    const isFull = (await sizeOf(database)) >= settings.inlineDatabaseBytes;
    const before = now - (isFull ? Math.min(IN_FLIGHT_MS, settings.inlinePackMs) : settings.inlinePackMs);
    const found = await database.look(lookUpPackable(after, before, isComplete));
    if (found === undefined) return { cursor: null, report: {} };
    const { bucketId, first } = found;
    if (first === undefined) return { cursor: JSON.stringify({ after: bucketId, isComplete }), report: {} };
    const ids = await database.look(lookUpPackContents(bucketId, first, before));
    const contents = await database.look(lookUpInlineBytes(ids));
    const pack = await storePack(blobs, bucketId, contents);
    // Blobs that were deleted meanwhile stay in the pack as unused bytes.
    const commit = commitPack(pack, undefined, isComplete ? undefined : ids.at(-1));
    await database.batch([guardBlobs([pack.packId]), ...commit]);
    return {
      // The bucket comes again, until nothing of it is left to pack.
      cursor: JSON.stringify({ after, isComplete }),
      report: { packs: 1, packed: contents.length, bytes: pack.size },
    };
  },
});

/** The size of a database in bytes. Every answer reports it, so only the first step has to ask. */
async function sizeOf(database: Database): Promise<number> {
  if (database.bytes === 0) await database.batch([statement("SELECT 1")]);
  return database.bytes;
}

function readProgress({ now }: JobContext, cursor: string | null): Progress {
  if (cursor === null) return { after: "", isComplete: now % DAY_MS < PACK_PERIOD_MS };
  // A step wrote it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(cursor) as Progress;
}
