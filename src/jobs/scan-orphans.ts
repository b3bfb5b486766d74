// Purges orphans: blobs that a crash left between the blob store's put and the commit. A pass first lists the blob
// store and records blobs without rows. Blobs that are still orphans after the recovery window get a tombstone and are
// then purged, so a restored database finds everything that was written since. Too many orphans suggest wrong metadata,
// and the pass purges nothing.
import { parsePackMetadata } from "../protocol/objects/pack-directory.ts";
import { parseRecoveryMetadata } from "../protocol/objects/recovery-metadata.ts";
import { lockOfRecord, protectedUntil } from "../protocol/objects/object-lock-configuration.ts";
import type { BlobEntry } from "../state/blobs/blob-store.ts";
import {
  condemn,
  findUnreferenced,
  purgeOrphans,
  lookUpDueOrphans,
  recordOrphans,
  type ScannedBlob,
} from "../state/repair/orphans.ts";
import type { Job, JobContext, JobStep } from "./job.ts";

// A statement's parameter may take 2 MB. This many keys of 1024 bytes fit in any escaping.
const PAGE_BLOBS = 250;
/** Up to this many orphans are normal, provided that at least as many blobs have rows. */
const FEW_ORPHANS = 10;

const MANY_ORPHANS = 2000;

/** The position of a pass: listing the store, or purging due orphans. */
type Progress =
  | { readonly phase: "find"; readonly after: string | null; readonly seen: number; readonly orphans: number }
  | { readonly phase: "purge"; readonly after: string };

export const scanOrphans: Job = {
  name: "scan-orphans",

  async step(context, cursor) {
    const progress = readProgress(cursor);
    return progress.phase === "find" ? find(context, progress) : purgeDueOrphans(context, progress.after);
  },
};

async function find(
  { database, databases, blobs, settings, now }: JobContext,
  { after, seen, orphans }: Extract<Progress, { phase: "find" }>,
): Promise<JobStep> {
  const page = await blobs.list(after ?? undefined, PAGE_BLOBS);
  const old = page.blobs.filter(({ uploadedAt }) => uploadedAt < now - settings.orphanAgeMs);
  const known = old.flatMap((blob) => scannedBlob(blob) ?? []);
  const found = await findUnreferenced(databases.all, known);
  const unaccounted = new Set(found.map(({ blobId }) => blobId));
  if (found.length > 0 && settings.orphanScan === "true") await database.batch([recordOrphans(found, now)]);

  const total = { seen: seen + page.blobs.length, orphans: orphans + found.length };
  const report = {
    seen: page.blobs.length,
    orphans: found.length,
    orphanBytes: old.reduce((sum, { blobId, size }) => sum + (unaccounted.has(blobId) ? size : 0), 0),
    // The origin of blobs without recovery metadata is unknown, so they are not deleted.
    strange: old.length - known.length,
  };
  // Stop recording when there are far too many: with the wrong database, every blob would get a row.
  const isHopeless = total.orphans >= MANY_ORPHANS && areTooMany(total, settings.orphanSharePercent);
  if (page.next !== undefined && !isHopeless)
    return { cursor: write({ phase: "find", after: page.next, ...total }), report };
  if (settings.orphanScan !== "true") return { cursor: null, report };
  if (areTooMany(total, settings.orphanSharePercent)) return { cursor: null, report: { ...report, stopped: 1 } };
  return { cursor: write({ phase: "purge", after: "" }), report };
}

async function purgeDueOrphans(
  { database, databases, blobs, settings, now }: JobContext,
  after: string,
): Promise<JobStep> {
  const due = await database.look(lookUpDueOrphans(now - settings.recoveryWindowMs, after, PAGE_BLOBS));
  const last = due.at(-1);
  if (last === undefined || settings.orphanScan !== "true") return { cursor: null, report: {} };
  const marked = await condemn(databases.all, due, now);
  await blobs.delete(marked);
  // The rows go last: after a crash, the next pass finds the tombstones and deletes the blobs again.
  await database.batch([purgeOrphans(due)]);
  const report = { deleted: marked.length, cleared: due.length - marked.length };
  return { cursor: due.length < PAGE_BLOBS ? null : write({ phase: "purge", after: last.blobId }), report };
}

function areTooMany({ seen, orphans }: { seen: number; orphans: number }, sharePercent: number): boolean {
  return orphans > Math.max((seen * sharePercent) / 100, Math.min(FEW_ORPHANS, seen - orphans));
}

/** Undefined for a blob that Cairn may not have written. */
function scannedBlob({ blobId, recoveryMetadata, uploadedAt }: BlobEntry): ScannedBlob | undefined {
  const pack = parsePackMetadata(recoveryMetadata);
  // A pack has no key: rows of packs refer to it.
  if (pack !== undefined && blobId.startsWith(`${pack.bucketId}/`)) {
    return { blobId, bucketId: pack.bucketId, key: "", uploadId: undefined };
  }
  const record = parseRecoveryMetadata(recoveryMetadata);
  if (record === undefined || !blobId.startsWith(`${record.bucketId}/`)) return undefined;
  const { bucketId, key, uploadId, lock } = record;
  return { blobId, bucketId, key, uploadId, protectedUntil: protectedUntil(lockOfRecord(lock, uploadedAt)) };
}

function readProgress(cursor: string | null): Progress {
  if (cursor === null) return { phase: "find", after: null, seen: 0, orphans: 0 };
  // A step wrote it. An earlier release may have written another name of the second phase.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(cursor) as Progress;
}

function write(progress: Progress): string {
  return JSON.stringify(progress);
}
