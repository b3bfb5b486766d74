// Brings a backup back from the blob store into an empty database. A database that is not empty is left alone. Deletions
// are on hold from the first step on, until an operator lifts the hold: bytes that were written after the backup are still
// there, and no row refers to them.
import { decodeUtf8 } from "../bytes/text.ts";
import type { BackupPage } from "../state/repair/backup-pages.ts";
import { holdDeletions } from "../state/repair/deletion-hold.ts";
import { isDatabaseEmpty } from "../state/repair/rebuilding.ts";
import { FIRST_COUNT, restorePage, completeCounts, type CountPosition } from "../state/repair/restore-pages.ts";
import { listBackups, pageName, readSummary } from "./backup.ts";
import type { Job, JobContext, JobStep } from "./job.ts";

type Progress =
  | { readonly phase: "write"; readonly id: string; readonly pagesLeft: number }
  | { readonly phase: "count"; readonly at: CountPosition };

export const restore: Job = {
  name: "restore",

  async step(context, cursor) {
    if (cursor === null) return begin(context);
    // What write wrote.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const progress = JSON.parse(cursor) as Progress;
    if (progress.phase === "write") return writePage(context, progress);
    const at = await completeCounts(context.database, progress.at);
    return { cursor: at === undefined ? null : write({ phase: "count", at }), report: {} };
  },
};

async function begin(context: JobContext): Promise<JobStep> {
  const { database, settings, now } = context;
  if (!(await database.look(isDatabaseEmpty()))) return { cursor: null, report: { refused: 1 } };
  const id = settings.restore === "latest" ? (await listBackups(context)).at(-1) : settings.restore;
  const summary = id === undefined ? undefined : await readSummary(context, id);
  if (id === undefined || summary === undefined) throw new Error(`there is no complete backup ${settings.restore}`);
  await database.batch([holdDeletions(`the database was restored from the backup ${id}`, now)]);
  return { cursor: write({ phase: "write", id, pagesLeft: summary.pages }), report: {} };
}

async function writePage(
  { database, blobs }: JobContext,
  { id, pagesLeft }: Extract<Progress, { phase: "write" }>,
): Promise<JobStep> {
  if (pagesLeft === 0) return { cursor: write({ phase: "count", at: FIRST_COUNT }), report: {} };
  const bytes = await blobs.readReserved(pageName(id, pagesLeft - 1));
  if (bytes === undefined) throw new Error(`the backup ${id} lacks its page ${pagesLeft - 1}`);
  // What the backup wrote.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const rows = await restorePage(database, JSON.parse(decodeUtf8(bytes) ?? "") as BackupPage);
  return { cursor: write({ phase: "write", id, pagesLeft: pagesLeft - 1 }), report: { pages: 1, rows } };
}

function write(progress: Progress): string {
  return JSON.stringify(progress);
}
