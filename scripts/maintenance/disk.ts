// Checks the files behind the blob store of a state folder. The disk store's files are its blobs. The simulator of R2 lists
// blobs in a database of its own and stores each blob's bytes in a file; either can be lost without the other.
import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isBlobFile, layoutOf } from "../disk/layout.ts";
import { readWranglerToml } from "../project/wrangler-toml.ts";

/** The findings of a check of the disk. */
export interface DiskFindings {
  /** Listed blobs whose file is missing or has the wrong size. */
  readonly findings: readonly string[];
  /** Files without a listed blob. */
  readonly orphanedUploads: readonly string[];
}

interface ListedFile {
  readonly key: string;
  readonly file: string;
  readonly size: number;
}

/**
 * A blob's row is committed after its file is written, so a younger file without a row may belong to an open upload.
 */
const UPLOAD_MS = 24 * 3_600_000;

/** Checks the files of all blobs. */
export function checkDisk(state: string, now: number): DiskFindings {
  const simulated = checkSimulator(state, now);
  const { blobs, incoming } = layoutOf(state);
  // The store's own list shows damage of its files.
  const unknown = [...filesOfNoBlob(blobs), ...entriesOf(incoming).map((name) => join(incoming, name))];
  const orphanedUploads = unknown.filter((path) => isOlderThan(path, now - UPLOAD_MS));
  return { ...simulated, orphanedUploads: [...simulated.orphanedUploads, ...orphanedUploads] };
}

/** Files in the folder of the disk store that it does not list. */
function filesOfNoBlob(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !isBlobFile(relative(folder, path)));
}

function checkSimulator(state: string, now: number): DiskFindings {
  const folder = join(state, "r2", readWranglerToml().r2.binding, "blobs");
  const listed = listedFiles(join(state, "r2", "miniflare-R2BucketObject"));
  const findings = listed.flatMap(({ key, file, size }) => {
    const problem = problemOf(join(folder, file), size);
    return problem === undefined ? [] : [`blob ${key}: its file ${join(folder, file)} ${problem}`];
  });
  const known = new Set(listed.map(({ file }) => file));
  const orphanedUploads = entriesOf(folder)
    .filter((name) => !known.has(name))
    .map((name) => join(folder, name))
    .filter((path) => isOlderThan(path, now - UPLOAD_MS));
  return { findings, orphanedUploads };
}

function listedFiles(folder: string): ListedFile[] {
  // The simulator has one database per bucket, and another one about all of them.
  const databases = entriesOf(folder).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  return databases.flatMap((name) => {
    const database = new DatabaseSync(join(folder, name), { readOnly: true });
    try {
      const rows = database.prepare("SELECT key, blob_id, size FROM _mf_objects WHERE blob_id IS NOT NULL").all();
      return rows.map((row) => ({ key: String(row["key"]), file: String(row["blob_id"]), size: Number(row["size"]) }));
    } finally {
      database.close();
    }
  });
}

function problemOf(path: string, size: number): string | undefined {
  try {
    const found = lstatSync(path);
    if (!found.isFile()) return "is no file";
    return found.size === size ? undefined : `has ${found.size} bytes and must have ${size}`;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "ENOENT" ? "is missing" : `cannot be looked at: ${String(error)}`;
  }
}

function isOlderThan(path: string, time: number): boolean {
  try {
    return lstatSync(path).mtimeMs < time;
  } catch {
    // It was deleted after it was listed.
    return false;
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    // Without the folder, no blob was ever stored.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
