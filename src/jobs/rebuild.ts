// Rebuilds a lost database from the recovery metadata of the blobs. It records every blob, then shows each key's newest
// object: one blob, or several when a proof lists them. Uploads without proof are open again. It reports what cannot be
// known or rebuilt, changes no blob and refuses a database that is not empty. Copies, renames and later changes are
// lost, and deleted objects whose blobs still exist return. A deletion hold remains until an operator lifts it.
import { parseRecoveryMetadata } from "../protocol/objects/recovery-metadata.ts";
import { findNewest, type NewestCandidate } from "../protocol/objects/recovery-order.ts";
import { nextVersionId } from "../protocol/core/version-id.ts";
import { readProof, type CompletionProof } from "../state/metadata/completion-proofs.ts";
import type { Statement } from "../state/d1/database.ts";
import { holdDeletions } from "../state/repair/deletion-hold.ts";
import { lookUpUnreferenced } from "../state/repair/orphans.ts";
import {
  isDatabaseEmpty,
  rebuildBucket,
  rebuildManifest,
  rebuildObject,
  rebuildParts,
  rebuildUpload,
} from "../state/repair/rebuilding.ts";
import {
  purgeRebuildFindings,
  purgeRecovered,
  lookUpRecovered,
  lookUpRecoveredBlobs,
  lookUpRecoveredKeys,
  recordRebuildFindings,
  recordRecovered,
  type KeyAddress,
  type RebuildFinding,
  type RecoveredObject,
  type RecoveredUpload,
} from "../state/repair/recovered-blobs.ts";
import type { Job, JobContext, JobStep } from "./job.ts";

// Recovery metadata may take 8 KB per blob, and one parameter contains a page of it.
const PAGE_BLOBS = 100;
const PAGE_KEYS = 50;
const PAGE_PURGED = 1000;

type Progress =
  | { readonly phase: "blobs"; readonly after: string | null }
  | { readonly phase: "keys"; readonly after: KeyAddress }
  | { readonly phase: "purge" };

const FIRST: Progress = { phase: "blobs", after: null };

export const rebuild: Job = {
  name: "rebuild",

  async step(context, cursor) {
    if (cursor === null) return begin(context);
    // A step wrote it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const progress = JSON.parse(cursor) as Progress;
    if (progress.phase === "blobs") return recordPage(context, progress.after);
    if (progress.phase === "keys") return rebuildKeys(context, progress.after);
    return purgePage(context);
  },
};

/**
 * Runs as a step of its own: when a crash repeats it, the rows that it wrote do not make the database count as used.
 */
async function begin({ database, now }: JobContext): Promise<JobStep> {
  if (!(await database.look(isDatabaseEmpty()))) return { cursor: null, report: { refused: 1 } };
  await database.batch([holdDeletions("the database was rebuilt", now), purgeRebuildFindings()]);
  return { cursor: write(FIRST), report: {} };
}

async function recordPage({ database, blobs }: JobContext, after: string | null): Promise<JobStep> {
  const page = await blobs.list(after ?? undefined, PAGE_BLOBS);
  const read = page.blobs.flatMap((blob) => {
    const record = parseRecoveryMetadata(blob.recoveryMetadata);
    return record === undefined ? [] : [{ blob, record }];
  });
  // Rows that clients have written or deleted since the rebuild began are right, so their blobs are not recorded.
  const addresses = read.map(({ blob: { blobId }, record }) => ({ ...record, blobId }));
  const lost = new Set(addresses.length === 0 ? [] : await database.look(lookUpUnreferenced(addresses)));
  await database.batch([recordRecovered(read.filter(({ blob }) => lost.has(blob.blobId)))]);
  const { next } = page;
  return {
    cursor: write(next === undefined ? { phase: "keys", after: ["", ""] } : { phase: "blobs", after: next }),
    report: { blobs: page.blobs.length, strange: page.blobs.length - read.length },
  };
}

/** The result of a page of keys. */
interface PageOutcome {
  readonly statements: Statement[];
  readonly findings: RebuildFinding[];
  readonly report: Record<"objects" | "earlier" | "uncertain" | "incomplete" | "open", number>;
}

async function rebuildKeys(context: JobContext, after: KeyAddress): Promise<JobStep> {
  const { database } = context;
  const keys = await database.look(lookUpRecoveredKeys(after, PAGE_KEYS));
  const last = keys.at(-1);
  const report = { objects: 0, earlier: 0, uncertain: 0, incomplete: 0, open: 0 };
  if (last === undefined) return { cursor: write({ phase: "purge" }), report };
  const { objects, uploads, existing, open } = await database.look(lookUpRecovered(keys));
  const outcome: PageOutcome = { statements: [], findings: [], report };
  for (const [address, candidates] of Map.groupBy(objects, ({ bucketId, key }) => JSON.stringify([bucketId, key]))) {
    const newest = existing.has(address) ? undefined : findNewest(candidates);
    if (newest !== undefined) await showNewest(context, newest, outcome);
    // One manifest may take megabytes, so it is written alone.
    if (newest?.copies.some(({ role }) => role === "proof") === true) await flush(context, outcome);
  }
  for (const upload of uploads) if (!open.has(upload.uploadId)) openUpload(context, upload, outcome);
  await flush(context, outcome);
  return { cursor: write({ phase: "keys", after: last }), report };
}

/** Writes keys and their findings in one batch, because a repeated step skips keys that already show an object. */
async function flush({ database }: JobContext, { statements, findings }: PageOutcome): Promise<void> {
  const found = findings.length === 0 ? [] : [recordRebuildFindings(findings)];
  await database.batch([...statements.splice(0), ...found]);
  findings.length = 0;
}

/** Shows the newest version of a key if all of it exists. An older version never takes its place. */
async function showNewest(
  context: JobContext,
  newest: NewestCandidate<RecoveredObject>,
  { statements, findings, report }: PageOutcome,
): Promise<void> {
  report.earlier += newest.earlier.length;
  report.uncertain += newest.uncertain.length;
  for (const { bucketId, key, blobId } of newest.earlier) {
    const finding =
      "it was stored before what its key shows now; what it was later, a version or another name, is lost";
    findings.push({ bucketId, key, subject: blobId, finding });
  }
  for (const { bucketId, key, blobId } of newest.uncertain) {
    const finding = "it may have been committed after what its key shows now, or not at all";
    findings.push({ bucketId, key, subject: blobId, finding });
  }
  for (const copy of newest.copies) {
    const made =
      copy.role === "proof"
        ? await statementsOfProof(context, copy)
        : [...bucketOf(context, copy), ...rebuildObject(copy.bucketId, objectOf(context, copy, newest.versionId))];
    if (typeof made !== "string") {
      report.objects += 1;
      statements.push(...made);
      return;
    }
    findings.push({ bucketId: copy.bucketId, key: copy.key, subject: copy.blobId, finding: made });
  }
  report.incomplete += 1;
  statements.push(...newest.copies.flatMap((copy) => bucketOf(context, copy)));
}

/** @returns the statements that rebuild the object, or why it cannot be rebuilt */
async function statementsOfProof(context: JobContext, copy: RecoveredObject): Promise<Statement[] | string> {
  const { bucketId, blobId } = copy;
  const proof = await readProof(context.blobs, blobId);
  if (proof === undefined) return "this proof of its newest version cannot be read, so that it shows nothing";
  const blobIds = Array.from(new Set(proof.slices.map((slice) => slice.blobId)));
  const found = await context.database.look(lookUpRecoveredBlobs(blobIds));
  const lacking = proof.slices.find(({ blobId: id, offset, length }) => (found.get(id)?.size ?? -1) < offset + length);
  if (lacking !== undefined) return `its newest version lacks blob ${lacking.blobId}, so that it shows nothing`;
  const manifestId = copy.referenceId;
  const foreign = blobIds.filter((id) => `${bucketId}/${found.get(id)?.uploadId ?? ""}` !== manifestId);
  const { slices, parts } = proof;
  const manifest = { manifestId, slices, parts, references: [...blobIds, blobId] };
  return [...bucketOf(context, copy), ...rebuildManifest(bucketId, provenObject(proof, manifestId), manifest, foreign)];
}

/** A rebuilt bucket is unversioned, because the recovery metadata does not contain its versioning state. */
function provenObject({ object }: CompletionProof, manifestId: string): CompletionProof["object"] {
  return { ...object, blobId: undefined, manifestId, isNullVersion: true };
}

function objectOf(
  { settings }: JobContext,
  { key, metadata, tags, encryption, size, etag, blobId, storedAt, ...facts }: RecoveredObject,
  versionId: string | undefined,
): CompletionProof["object"] {
  const modifiedAt = facts.modifiedAt ?? storedAt;
  return {
    ...metadata,
    key,
    size,
    etag,
    tags,
    encryption,
    blobId,
    modifiedAt,
    versionId: versionId ?? nextVersionId(modifiedAt, undefined),
    isNullVersion: true,
    ownerId: settings.accountId,
    storageClass: "STANDARD",
    manifestId: undefined,
    checksum: undefined,
    acl: undefined,
  };
}

/**
 * Opens an upload again. It may lack parts that were copied from other objects, because those have no blobs of their
 * own.
 */
function openUpload(context: JobContext, upload: RecoveredUpload, { statements, findings, report }: PageOutcome): void {
  const { bucketId, key, uploadId, parts, maxPartNumber, metadata, tags, encryption, initiatedAt } = upload;
  const opened = {
    ...metadata,
    key,
    uploadId,
    initiatedAt,
    initialHead: null,
    ownerId: context.settings.accountId,
    tags,
    storageClass: "STANDARD",
    checksumAlgorithm: undefined,
    checksumType: undefined,
    acl: undefined,
    encryption,
  };
  statements.push(
    ...bucketOf(context, { ...upload, storedAt: initiatedAt }),
    rebuildUpload(bucketId, opened),
    ...rebuildParts(bucketId, opened),
  );
  report.open += 1;
  const gap = parts < maxPartNumber ? `, the last one numbered ${maxPartNumber}` : "";
  const finding = `this upload is open, with ${parts} parts${gap}: nothing shows that it was completed`;
  findings.push({ bucketId, key, subject: uploadId, finding });
}

function bucketOf(
  { settings }: JobContext,
  { bucketId, bucketName, storedAt }: Pick<RecoveredObject, "bucketId" | "bucketName" | "storedAt">,
): Statement[] {
  const { accountId: ownerId, region } = settings;
  return rebuildBucket({ id: bucketId, name: bucketName, ownerId, region, createdAt: storedAt });
}

async function purgePage({ database }: JobContext): Promise<JobStep> {
  const [purged] = await database.batch([purgeRecovered(PAGE_PURGED)]);
  return { cursor: (purged?.changes ?? 0) < PAGE_PURGED ? null : write({ phase: "purge" }), report: {} };
}

function write(progress: Progress): string {
  return JSON.stringify(progress);
}
