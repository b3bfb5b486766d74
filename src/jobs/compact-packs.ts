// Compacts packs of which less than half is in use: moves the small blobs that rows still have into a new pack. The old
// pack becomes garbage in the batch that moves the last of them.
import { guardBlobs } from "../state/commit/commit.ts";
import { readPack, storePack } from "../state/metadata/pack-contents.ts";
import { commitPack, lookUpLiveBlobs, lookUpSparsePack, releasePack } from "../state/metadata/packs.ts";
import type { Job, JobContext, JobStep } from "./job.ts";
import { overDatabases } from "./over-databases.ts";

/**
 * How long a compacted pack stays: as long as D1 can be restored to a moment at which rows pointed at it. Its blobs may
 * still be live, so the recovery window of deleted ones does not suffice.
 */
const RESTORABLE_MS = 30 * 24 * 3_600_000;

export const compactPacks: Job = overDatabases({
  name: "compact-packs",

  async step(context, cursor) {
    const { database, now } = context;
    const sparse = await database.look(lookUpSparsePack(cursor ?? ""));
    if (sparse === undefined) return { cursor: null, report: {} };
    const { packId, liveBlobs } = sparse;
    if (liveBlobs > 0) return compact(context, packId);
    await database.batch(releasePack(packId, [], now));
    return { cursor: packId, report: { emptied: 1 } };
  },
});

async function compact({ database, blobs, settings, now }: JobContext, packId: string): Promise<JobStep> {
  const pack = await readPack(blobs, packId);
  // The scrub reports it: rows need it.
  if (pack === undefined) return { cursor: packId, report: { missing: 1 } };
  const ids = pack.entries.map(({ blobId }) => blobId);
  const live = await database.look(lookUpLiveBlobs(packId, ids));
  const contents = pack.entries
    .filter(({ blobId }) => live.has(blobId))
    .map(({ blobId, offset, length, recoveryMetadata }) => {
      return { blobId, recoveryMetadata, bytes: pack.bytes.subarray(offset, offset + length) };
    });
  const bucketId = packId.slice(0, packId.indexOf("/"));
  const compacted = await storePack(blobs, bucketId, contents);
  const droppedAt = now + Math.max(0, RESTORABLE_MS - settings.recoveryWindowMs);
  await database.batch([
    guardBlobs([compacted.packId]),
    ...commitPack(compacted, packId, undefined),
    ...releasePack(packId, ids, droppedAt),
  ]);
  return { cursor: packId, report: { compacted: 1, blobs: contents.length, bytes: compacted.size } };
}
