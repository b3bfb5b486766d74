// Finds blobs that belong to nobody, which is what a crash between a blob and its commit leaves behind, and deletes them.
// A pass first lists the blob store and remembers what nothing accounts for. What has been remembered for the recovery
// window, and still is nobody's, is condemned and then deleted: a database that was restored to an earlier state finds
// everything that was written since still there, and begins to wait anew. Where too much seems to be nobody's, the
// metadata is more likely wrong than the store, and nothing is deleted.
import { parseRecoveryMetadata } from "../protocol/objects/recovery-metadata.ts";
import type { BlobEntry } from "../state/blobs/blob-store.ts";
import {
  writeTombstones,
  purgeOrphans,
  lookUpDueOrphans,
  lookUpUnreferenced,
  recordOrphans,
  type ScannedBlob,
} from "../state/repair/orphans.ts";
import type { Job, JobContext, JobStep } from "./job.ts";

// A statement's parameter may hold 2 MB; this many keys of 1024 bytes stay below it however they are escaped.
const PAGE_BLOBS = 250;
/** So many orphans are no cause for alarm, provided that as many blobs are accounted for. */
const FEW_ORPHANS = 10;

const MANY_ORPHANS = 2000;

/** Where a pass is: listing the store, or going through the orphans that are due. */
type Progress =
  | { readonly phase: "find"; readonly after: string | null; readonly seen: number; readonly orphans: number }
  | { readonly phase: "condemn"; readonly after: string };

export const scanOrphans: Job = {
  name: "scan-orphans",

  async step(context, cursor) {
    const progress = readProgress(cursor);
    return progress.phase === "find" ? find(context, progress) : purgeDueOrphans(context, progress.after);
  },
};

async function find(
  { database, blobs, settings, now }: JobContext,
  { after, seen, orphans }: Extract<Progress, { phase: "find" }>,
): Promise<JobStep> {
  const page = await blobs.list(after ?? undefined, PAGE_BLOBS);
  const settled = page.blobs.filter(({ uploadedAt }) => uploadedAt < now - settings.orphanAgeMs);
  const born = settled.flatMap((blob) => scannedBlob(blob) ?? []);
  const unaccounted = new Set(born.length === 0 ? [] : await database.look(lookUpUnreferenced(born)));
  const found = born.filter(({ blobId }) => unaccounted.has(blobId));
  if (found.length > 0 && settings.orphanScan === "true") await database.batch([recordOrphans(found, now)]);

  const total = { seen: seen + page.blobs.length, orphans: orphans + found.length };
  const report = {
    seen: page.blobs.length,
    orphans: found.length,
    orphanBytes: settled.reduce((sum, { blobId, size }) => sum + (unaccounted.has(blobId) ? size : 0), 0),
    // Nobody knows what blobs without a birth certificate are; they are left alone.
    strange: settled.length - born.length,
  };
  // Far too many are not even remembered to the last: with the wrong database, that would be a row for every blob.
  const isHopeless = total.orphans >= MANY_ORPHANS && areTooMany(total, settings.orphanSharePercent);
  if (page.next !== undefined && !isHopeless)
    return { cursor: write({ phase: "find", after: page.next, ...total }), report };
  if (settings.orphanScan !== "true") return { cursor: null, report };
  if (areTooMany(total, settings.orphanSharePercent)) return { cursor: null, report: { ...report, stopped: 1 } };
  return { cursor: write({ phase: "condemn", after: "" }), report };
}

async function purgeDueOrphans({ database, blobs, settings, now }: JobContext, after: string): Promise<JobStep> {
  const due = await database.look(lookUpDueOrphans(now - settings.recoveryWindowMs, after, PAGE_BLOBS));
  const last = due.at(-1);
  if (last === undefined || settings.orphanScan !== "true") return { cursor: null, report: {} };
  const condemned = await database.look(writeTombstones(due, now));
  await blobs.delete(condemned);
  // The rows go last: a pass that dies before this finds the tombstones and deletes the blobs again.
  await database.batch([purgeOrphans(due)]);
  const report = { deleted: condemned.length, cleared: due.length - condemned.length };
  return { cursor: due.length < PAGE_BLOBS ? null : write({ phase: "condemn", after: last.blobId }), report };
}

function areTooMany({ seen, orphans }: { seen: number; orphans: number }, sharePercent: number): boolean {
  return orphans > Math.max((seen * sharePercent) / 100, Math.min(FEW_ORPHANS, seen - orphans));
}

/** Undefined for a blob that is not certainly one of Cairn's. */
function scannedBlob({ blobId, recoveryMetadata }: BlobEntry): ScannedBlob | undefined {
  const birth = parseRecoveryMetadata(recoveryMetadata);
  if (birth === undefined || !blobId.startsWith(`${birth.bucketId}/`)) return undefined;
  return { blobId, bucketId: birth.bucketId, key: birth.key, uploadId: birth.uploadId };
}

function readProgress(cursor: string | null): Progress {
  if (cursor === null) return { phase: "find", after: null, seen: 0, orphans: 0 };
  // What write wrote.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(cursor) as Progress;
}

function write(progress: Progress): string {
  return JSON.stringify(progress);
}
