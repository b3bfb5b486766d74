// Rebuilds a lost database from the recovery metadata of the blobs. It records every blob, then shows each key's newest
// object: one blob, or several when a proof lists them. Uploads without proof are open again. It reports what cannot be
// known or rebuilt, changes no blob and refuses a database that is not empty. Copies, renames and later changes are
// lost, and deleted objects whose blobs still exist return. A deletion hold remains until an operator lifts it.
import { findNewest, type NewestCandidate } from "../../protocol/objects/recovery-order.ts";
import { nextVersionId } from "../../protocol/core/version-id.ts";
import type { Statement } from "../../state/d1/database.ts";
import { FIRST_DATABASE } from "../../state/d1/database.ts";
import { findEmptyDatabases, registerBuckets } from "../../state/repair/backup-databases.ts";
import { holdDeletions } from "../../state/repair/deletion-hold.ts";
import { lookUpUnreferenced } from "../../state/repair/orphans.ts";
import { bucketsOfTarget, registerRebuilt } from "../../state/repair/rebuild-targets.ts";
import { rebuildParts, rebuildUpload } from "../../state/repair/rebuilding.ts";
import {
  purgeRebuildFindings,
  purgeRecovered,
  lookUpRecovered,
  lookUpRecoveredKeys,
  recordRebuildFindings,
  recordRecovered,
  type KeyAddress,
  type FoundBlob,
  type RebuildFinding,
  type RecoveredObject,
  type RecoveredUpload,
} from "../../state/repair/recovered-blobs.ts";
import { recoveredPage } from "./recovered-page.ts";
import type { Job, JobContext, JobStep } from "../job.ts";
import {
  bucketOf,
  findObjectLocks,
  lockedVersions,
  rebuiltBucket,
  statementsOf,
  type RebuildContext,
} from "./rebuilt-versions.ts";

// Recovery metadata may take 8 KB per blob, and one parameter contains a page of it.
const PAGE_BLOBS = 100;
const PAGE_KEYS = 50;
const PAGE_PURGED = 1000;

type Position =
  | { readonly phase: "blobs"; readonly after: string | null }
  | { readonly phase: "keys"; readonly after: KeyAddress }
  | { readonly phase: "purge" };

/** Lost databases are rebuilt one after the other, each from the whole store. */
type Progress = Position & {
  /** The databases that are rebuilt, and how many of them are done; undefined: only the first. */
  readonly targets?: readonly string[];
  readonly done?: number;
};

const FIRST: Position = { phase: "blobs", after: null };

export const rebuild: Job = {
  name: "rebuild",

  async step(context, cursor) {
    if (cursor === null) return begin(context);
    // A step wrote it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { targets = [FIRST_DATABASE], done = 0, ...position } = JSON.parse(cursor) as Progress;
    const database = context.databases.named(targets[done] ?? FIRST_DATABASE);
    const ofTarget: RebuildContext = { ...context, database, targets, done, names: new Map(), objectLocks: new Map() };
    if (position.phase === "blobs") return recordPage(ofTarget, position.after);
    if (position.phase === "keys") return rebuildKeys(ofTarget, position.after);
    return purgePage(ofTarget);
  },
};

/**
 * Runs as a step of its own: when a crash repeats it, the rows that it wrote do not make the database count as used.
 */
async function begin({ databases, now }: JobContext): Promise<JobStep> {
  const { first, all } = databases;
  const targets = await findEmptyDatabases(databases);
  if (targets.length === 0) return { cursor: null, report: { refused: 1 } };
  await Promise.all(all.map((database) => database.batch([purgeRebuildFindings()])));
  await first.batch([holdDeletions("the database was rebuilt", now)]);
  if (targets.includes(first.name)) {
    const intact = all.filter(({ name }) => !targets.includes(name));
    for (const database of intact) await registerBuckets(first, database);
  }
  return { cursor: write({ targets, done: 0 }, FIRST), report: {} };
}

async function recordPage(context: RebuildContext, after: string | null): Promise<JobStep> {
  const page = await recoveredPage(context.blobs, after ?? undefined, PAGE_BLOBS);
  for (let start = 0; start < page.found.length; start += PAGE_BLOBS) {
    await recordBlobs(context, page.found.slice(start, start + PAGE_BLOBS));
  }
  const { next } = page;
  return {
    cursor: write(context, next === undefined ? { phase: "keys", after: ["", ""] } : { phase: "blobs", after: next }),
    // Each database is rebuilt from the whole store, which counts once.
    report: context.done > 0 ? {} : { blobs: page.listed, packed: page.packed, strange: page.strange },
  };
}

/** Records the blobs that belong into the database of this rebuild and that no row references. */
async function recordBlobs(
  { database, databases, targets }: RebuildContext,
  read: readonly FoundBlob[],
): Promise<void> {
  // Rows that clients have written or deleted since the rebuild began are right, so their blobs are not recorded.
  const bucketIds = read.map(({ record }) => record.bucketId);
  const isOfTarget = await bucketsOfTarget(databases, targets, database.name, bucketIds);
  const own = read.filter(({ record }) => isOfTarget(record.bucketId));
  const addresses = own.map(({ blob: { blobId }, record }) => ({ ...record, blobId }));
  const lost = new Set(addresses.length === 0 ? [] : await database.look(lookUpUnreferenced(addresses)));
  await database.batch([recordRecovered(own.filter(({ blob }) => lost.has(blob.blobId)))]);
}

/** The result of a page of keys. */
interface PageOutcome {
  readonly statements: Statement[];
  readonly findings: RebuildFinding[];
  readonly report: Record<"objects" | "earlier" | "uncertain" | "incomplete" | "open", number>;
}

async function rebuildKeys(target: RebuildContext, after: KeyAddress): Promise<JobStep> {
  const { database, databases } = target;
  const keys = await database.look(lookUpRecoveredKeys(after, PAGE_KEYS));
  const last = keys.at(-1);
  const report = { objects: 0, earlier: 0, uncertain: 0, incomplete: 0, open: 0 };
  if (last === undefined) return { cursor: write(target, { phase: "purge" }), report };
  const { objects, uploads, existing, open } = await database.look(lookUpRecovered(keys));
  const buckets = [...objects, ...uploads.map((upload) => ({ ...upload, storedAt: upload.initiatedAt }))];
  const objectLocks = await findObjectLocks(target, buckets);
  const rebuilt = new Map(
    buckets.map((bucket) => [bucket.bucketId, rebuiltBucket({ ...target, objectLocks }, bucket)]),
  );
  const names = await registerRebuilt(databases, database.name, Array.from(rebuilt.values()));
  const context = { ...target, names, objectLocks };
  const outcome: PageOutcome = { statements: [], findings: [], report };
  for (const [address, candidates] of Map.groupBy(objects, ({ bucketId, key }) => JSON.stringify([bucketId, key]))) {
    const newest = existing.has(address) ? undefined : findNewest(candidates);
    if (newest !== undefined) await showNewest(context, newest, outcome);
    // One manifest may take megabytes, so it is written alone.
    if (newest?.copies.some(({ role }) => role === "proof") === true) await flush(context, outcome);
  }
  for (const upload of uploads) if (!open.has(upload.uploadId)) openUpload(context, upload, outcome);
  await flush(context, outcome);
  return { cursor: write(context, { phase: "keys", after: last }), report };
}

/** Writes keys and their findings in one batch, because a repeated step skips keys that already show an object. */
async function flush({ database }: JobContext, { statements, findings }: PageOutcome): Promise<void> {
  const found = findings.length === 0 ? [] : [recordRebuildFindings(findings)];
  await database.batch([...statements.splice(0), ...found]);
  findings.length = 0;
}

/** Shows the newest version of a key if all of it exists. An older version never takes its place. */
async function showNewest(
  context: RebuildContext,
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
    const versionId = newest.versionId ?? nextVersionId(copy.modifiedAt ?? copy.storedAt, undefined);
    const made = await statementsOf(context, { copy, versionId, place: "current" });
    if (typeof made !== "string") {
      report.objects += 1;
      statements.push(...made);
      await keepLocked(context, newest, versionId, { statements, findings });
      return;
    }
    findings.push({ bucketId: copy.bucketId, key: copy.key, subject: copy.blobId, finding: made });
  }
  report.incomplete += 1;
  statements.push(...newest.copies.flatMap((copy) => bucketOf(context, copy)));
}

/** Rebuilds older versions that were locked as noncurrent ones. */
async function keepLocked(
  context: RebuildContext,
  { earlier, uncertain }: NewestCandidate<RecoveredObject>,
  newestId: string,
  { statements, findings }: Pick<PageOutcome, "statements" | "findings">,
): Promise<void> {
  for (const { copy, versionId } of await lockedVersions(context, [...earlier, ...uncertain], newestId)) {
    const { bucketId, key, blobId: subject } = copy;
    const made = await statementsOf(context, { copy, versionId, place: "noncurrent" });
    if (typeof made === "string") findings.push({ bucketId, key, subject, finding: made });
    else statements.push(...made);
  }
}

/**
 * Opens an upload again. It may lack parts that were copied from other objects, because those have no blobs of their
 * own.
 */
function openUpload(
  context: RebuildContext,
  upload: RecoveredUpload,
  { statements, findings, report }: PageOutcome,
): void {
  const { bucketId, key, uploadId, parts, maxPartNumber, metadata, tags, encryption, initiatedAt } = upload;
  const lock = { retention: upload.lock?.retention, legalHold: upload.lock?.legalHold };
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
    ...lock,
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

async function purgePage(context: RebuildContext): Promise<JobStep> {
  const { database, targets, done } = context;
  const [purged] = await database.batch([purgeRecovered(PAGE_PURGED)]);
  if ((purged?.changes ?? 0) >= PAGE_PURGED) return { cursor: write(context, { phase: "purge" }), report: {} };
  const isOver = done + 1 >= targets.length;
  return { cursor: isOver ? null : write({ targets, done: done + 1 }, FIRST), report: {} };
}

function write({ targets, done }: Pick<RebuildContext, "targets" | "done">, position: Position): string {
  return JSON.stringify({ ...position, targets, done });
}
