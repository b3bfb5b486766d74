// Restores a backup from the blob store into empty databases; it leaves others unchanged. Deletions are on hold from the
// first step until an operator lifts the hold: blobs written after the backup still exist, and no row references them.
// Locks that were changed after the backup come from their records.
import { decodeUtf8 } from "../bytes/text.ts";
import type { BackupPage } from "../state/repair/backup-pages.ts";
import { holdDeletions } from "../state/repair/deletion-hold.ts";
import { FIRST_DATABASE } from "../state/d1/database.ts";
import { readRecords } from "../state/metadata/lock-records.ts";
import { findEmptyDatabases, restoreDatabasesPage } from "../state/repair/backup-databases.ts";
import { applyLockRecords } from "../state/repair/restore-locks.ts";
import { FIRST_COUNT, completeCounts, type CountPosition } from "../state/repair/restore-pages.ts";
import { listBackups, pageName, readSummary } from "./backup.ts";
import type { Job, JobContext, JobStep } from "./job.ts";

type Progress =
  | {
      readonly phase: "write";
      readonly id: string;
      readonly pagesLeft: number;
      /** The databases that are restored; undefined in a pass of an earlier release: the first. */
      readonly into?: readonly string[];
    }
  | { readonly phase: "count"; readonly at: CountPosition; readonly into?: readonly string[] }
  | {
      readonly phase: "locks";
      readonly id: string;
      /** The name of the last record that was applied. */
      readonly after: string;
      readonly into: readonly string[];
    };

/** The records of locks that one step reads, and about the calls that this takes. */
const RECORDS_PER_STEP = 50;

export const restore: Job = {
  name: "restore",

  async step(context, cursor) {
    if (cursor === null) return begin(context);
    // What write wrote.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const progress = JSON.parse(cursor) as Progress;
    if (progress.phase === "write") return writePage(context, progress);
    if (progress.phase === "locks") return applyRecords(context, progress);
    return countPage(context, progress);
  },
};

async function begin(context: JobContext): Promise<JobStep> {
  const { database, databases, settings, now } = context;
  const into = await findEmptyDatabases(databases);
  if (into.length === 0) return { cursor: null, report: { refused: 1 } };
  const id = settings.restore === "latest" ? (await listBackups(context)).at(-1) : settings.restore;
  const summary = id === undefined ? undefined : await readSummary(context, id);
  if (id === undefined || summary === undefined) throw new Error(`there is no complete backup ${settings.restore}`);
  await database.batch([holdDeletions(`the database was restored from the backup ${id}`, now)]);
  return { cursor: write({ phase: "write", id, pagesLeft: summary.pages, into }), report: {} };
}

async function writePage(
  { databases, blobs }: JobContext,
  { id, pagesLeft, into = [FIRST_DATABASE] }: Extract<Progress, { phase: "write" }>,
): Promise<JobStep> {
  if (pagesLeft === 0) return { cursor: write({ phase: "locks", id, after: "", into }), report: {} };
  const bytes = await blobs.readReserved(pageName(id, pagesLeft - 1));
  if (bytes === undefined) throw new Error(`the backup ${id} lacks its page ${pagesLeft - 1}`);
  // What the backup wrote.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const rows = await restoreDatabasesPage(databases, JSON.parse(decodeUtf8(bytes) ?? "") as BackupPage, into);
  return { cursor: write({ phase: "write", id, pagesLeft: pagesLeft - 1, into }), report: { pages: 1, rows } };
}

/** Applies some records of locks to every database that is restored. */
async function applyRecords(
  context: JobContext,
  { id, after, into }: Extract<Progress, { phase: "locks" }>,
): Promise<JobStep> {
  const { databases, blobs } = context;
  const summary = await readSummary(context, id);
  if (summary === undefined) throw new Error(`there is no complete backup ${id}`);
  const { records, last } = await readRecords(blobs, after, RECORDS_PER_STEP);
  if (last === undefined) return { cursor: write({ phase: "count", at: FIRST_COUNT, into }), report: {} };
  const statements = applyLockRecords(records, summary.began);
  if (statements.length > 0) for (const name of into) await databases.named(name).batch(statements);
  return { cursor: write({ phase: "locks", id, after: last, into }), report: { locks: records.length } };
}

/** Puts a page of counts of the first database in order, then of the next. */
async function countPage(
  { databases }: JobContext,
  { at, into = [FIRST_DATABASE] }: Extract<Progress, { phase: "count" }>,
): Promise<JobStep> {
  const [name, ...others] = into;
  if (name === undefined) return { cursor: null, report: {} };
  const next = await completeCounts(databases.named(name), at);
  if (next !== undefined) return { cursor: write({ phase: "count", at: next, into }), report: {} };
  const isOver = others.length === 0;
  return { cursor: isOver ? null : write({ phase: "count", at: FIRST_COUNT, into: others }), report: {} };
}

function write(progress: Progress): string {
  return JSON.stringify(progress);
}
