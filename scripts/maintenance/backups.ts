// Backups of the metadata of a state folder, in a file or in its blob store, and the way back. A file has a line of JSON
// for each page; its first line names the format and its last one says that it is whole.
import { closeSync, createReadStream, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { readWranglerToml } from "../project/wrangler-toml.ts";
import { applyToAll } from "../serve/migrations.ts";
import { lockState } from "../serve/state-lock.ts";
import { openState, type OpenState } from "./open-state.ts";
import { DATABASE_FOLDER, moveAside } from "./rebuilding.ts";

const HEADER = { cairn: "backup of metadata", format: 1 };

/** What has been written or read. */
export interface BackupCounts {
  readonly pages: number;
  readonly rows: number;
}

/** Backs up to a file, which appears whole or not at all. The state may be served meanwhile. */
export async function backUpToFile(state: string, path: string): Promise<BackupCounts> {
  const open = await openState(state);
  const unfinished = `${path}.unfinished`;
  const file = openSync(unfinished, "w", 0o600);
  try {
    const writeLine = (value: unknown): void => void writeSync(file, `${JSON.stringify(value)}\n`);
    const began = Date.now();
    const counts = { pages: 0, rows: 0 };
    writeLine({ ...HEADER, began });
    for (let at: unknown = null; at !== undefined;) {
      // What the Worker answers.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const { page, next } = (await open.request("/backup-page", JSON.stringify({ at, began }))) as {
        readonly page: { readonly tables: Readonly<Record<string, readonly unknown[]>> };
        readonly next?: unknown;
      };
      const rows = Object.values(page.tables).reduce((sum, { length }) => sum + length, 0);
      if (rows > 0) writeLine(page);
      counts.rows += rows;
      counts.pages += rows > 0 ? 1 : 0;
      at = next;
    }
    writeLine({ isWhole: true, pages: counts.pages });
    fsyncSync(file);
    closeSync(file);
    renameSync(unfinished, path);
    return counts;
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  } finally {
    await open.close();
  }
}

/** Backs up into the blob store of the state, as the schedule does. */
export async function backUpToBlobs(state: string): Promise<BackupCounts> {
  const open = await openState(state);
  try {
    return countsOf(await open.request("/backup"));
  } finally {
    await open.close();
  }
}

/** Where a backup is. */
export type BackupSource = { readonly file: string } | { readonly id: string };

/**
 * Restores a backup into the database of a state folder.
 * @param isReplacing puts the database aside that is there
 * @throws Error where the state is being served, the database is not empty, or the backup is not whole
 */
export async function restoreState(state: string, source: BackupSource, isReplacing: boolean): Promise<BackupCounts> {
  const lines = "file" in source ? await wholeFile(source.file) : [];
  const unlock = await lockState(state);
  try {
    if (isReplacing) moveAside(join(state, DATABASE_FOLDER), "restore");
    const open = await openState(state, "id" in source ? { RESTORE: source.id } : {});
    try {
      await applyToAll(open.databases, readWranglerToml().d1.migrationsDir);
      if ("file" in source) return await restoreFile(open, source.file, lines);
      const report = await open.request("/restore");
      if (Reflect.has(Object(report), "refused"))
        throw new Error("the database is not empty; --replace puts it aside first");
      return countsOf(report);
    } finally {
      await open.close();
    }
  } finally {
    unlock();
  }
}

/** Where a line is in a file, in bytes. */
interface Line {
  readonly start: number;
  readonly end: number;
}

/** The last page comes first. */
async function restoreFile(open: OpenState, path: string, lines: readonly Line[]): Promise<BackupCounts> {
  let rows = 0;
  const file = openSync(path, "r");
  try {
    const begun = await open.request("/restore-page", `{"isFirst":true,"page":{"tables":{},"shared":[]}}`);
    const into = JSON.stringify(Reflect.get(Object(begun), "into"));
    for (const line of lines.toReversed()) {
      const answer = await open.request("/restore-page", `{"into":${into},"page":${readLine(file, line)}}`);
      rows += Number(Reflect.get(Object(answer), "rows"));
    }
    await open.request("/restore-page", `{"into":${into}}`);
    return { pages: lines.length, rows };
  } finally {
    closeSync(file);
  }
}

/** The lines of the pages. */
async function wholeFile(path: string): Promise<readonly Line[]> {
  const lines: Line[] = [];
  let [start, position] = [0, 0];
  for await (const chunk of createReadStream(path)) {
    const bytes = Buffer.from(chunk);
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
      lines.push({ start, end: position + at });
      start = position + at + 1;
    }
    position += bytes.length;
  }
  const [first, ...pages] = lines;
  const last = pages.pop();
  if (first === undefined || last === undefined) throw new Error(`${path} is no whole backup`);
  const file = openSync(path, "r");
  try {
    const [header, end]: unknown[] = [first, last].map((line) => parse(readLine(file, line)));
    const isOurs = Reflect.get(Object(header), "cairn") === HEADER.cairn;
    if (!isOurs || Reflect.get(Object(header), "format") !== HEADER.format) {
      throw new Error(`${path} is no backup that this release can read`);
    }
    if (Reflect.get(Object(end), "isWhole") !== true || Reflect.get(Object(end), "pages") !== pages.length) {
      throw new Error(`${path} is no whole backup`);
    }
    return pages;
  } finally {
    closeSync(file);
  }
}

function readLine(file: number, { start, end }: Line): string {
  const bytes = Buffer.alloc(end - start);
  readSync(file, bytes, 0, bytes.length, start);
  return bytes.toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function countsOf(report: unknown): BackupCounts {
  const number = (name: string): number => Number(Reflect.get(Object(report), name) ?? 0);
  return { pages: number("pages"), rows: number("rows") };
}
