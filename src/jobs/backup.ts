// Backs the metadata up from D1 into the blob store, below the reserved prefix, one object for each page of rows. A backup
// is complete once its last object, which names its pages, is stored; then old and incomplete backups are purged. It runs
// with the jobs that delete: while deletions are on hold, the database may be the wrong one to back up.
import { decodeUtf8, utf8 } from "../bytes/text.ts";
import { readDatabasesPage } from "../state/repair/backup-databases.ts";
import { FIRST_POSITION, isEmptyPage, type BackupPosition } from "../state/repair/backup-pages.ts";
import type { Job, JobContext, JobStep } from "./job.ts";

const BACKUP_PREFIX = "cairn/backups/";
const COMPLETE = "complete";

/** What the last object of a backup says. */
export interface BackupSummary {
  readonly pages: number;
  /** Milliseconds since the epoch. */
  readonly began: number;
}

type Progress =
  | {
      readonly phase: "read";
      readonly id: string;
      readonly began: number;
      readonly pages: number;
      readonly at: BackupPosition;
    }
  | { readonly phase: "prune"; readonly id: string };

export const backup: Job = {
  name: "backup",

  async step(context, cursor) {
    // What write wrote.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const progress = cursor === null ? beginning(context.now) : (JSON.parse(cursor) as Progress);
    return progress.phase === "read" ? readPage(context, progress) : prune(context, progress.id);
  },
};

/** The name of a page's object. */
export function pageName(id: string, page: number): string {
  return `${BACKUP_PREFIX}${id}/${String(page).padStart(8, "0")}.json`;
}

/** The complete backups, the oldest first. */
export async function listBackups({ blobs }: Pick<JobContext, "blobs">): Promise<string[]> {
  const ids = await blobs.listReservedFolders(BACKUP_PREFIX);
  const complete: string[] = [];
  for (const id of ids) if ((await readSummary({ blobs }, id)) !== undefined) complete.push(id);
  return complete.sort();
}

/** Undefined where there is no such backup, or no complete one. */
export async function readSummary(
  { blobs }: Pick<JobContext, "blobs">,
  id: string,
): Promise<BackupSummary | undefined> {
  const bytes = await blobs.readReserved(`${BACKUP_PREFIX}${id}/${COMPLETE}`);
  // What readPage wrote.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return bytes === undefined ? undefined : (JSON.parse(decodeUtf8(bytes) ?? "") as BackupSummary);
}

function beginning(now: number): Progress {
  const id = new Date(now).toISOString().replaceAll(/\.\d+|[:-]/g, "");
  return { phase: "read", id, began: now, pages: 0, at: FIRST_POSITION };
}

async function readPage(
  { databases, blobs }: JobContext,
  { id, began, pages, at }: Extract<Progress, { phase: "read" }>,
): Promise<JobStep> {
  const { page, next } = await readDatabasesPage(databases, at, began);
  const isKept = !isEmptyPage(page);
  if (isKept) await blobs.writeReserved(pageName(id, pages), utf8(JSON.stringify(page)));
  const written = pages + (isKept ? 1 : 0);
  const rows = Object.values(page.tables).reduce((sum, { length }) => sum + length, 0);
  const report = { pages: written - pages, rows };
  if (next !== undefined) {
    return { cursor: write({ phase: "read", id, began, pages: written, at: next }), report };
  }
  const summary: BackupSummary = { pages: written, began };
  await blobs.writeReserved(`${BACKUP_PREFIX}${id}/${COMPLETE}`, utf8(JSON.stringify(summary)));
  return { cursor: write({ phase: "prune", id }), report };
}

/** Deletes a page of objects of one backup that is not kept. The newest ones that are complete are kept. */
async function prune({ blobs, settings }: JobContext, id: string): Promise<JobStep> {
  const kept = new Set((await listBackups({ blobs })).slice(-settings.backupsKept));
  const folders = await blobs.listReservedFolders(BACKUP_PREFIX);
  const dropped = folders.find((folder) => folder !== id && !kept.has(folder));
  if (dropped === undefined) return { cursor: null, report: {} };
  const deleted = await blobs.deleteReserved(`${BACKUP_PREFIX}${dropped}/`);
  return { cursor: write({ phase: "prune", id }), report: { deleted } };
}

function write(progress: Progress): string {
  return JSON.stringify(progress);
}
