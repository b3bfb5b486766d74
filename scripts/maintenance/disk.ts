// What is on the disk for the blobs of a state folder, past the simulator of R2: it lists blobs from a database of its own
// and keeps the bytes of each in a file, and either may be lost without the other.
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readWranglerToml } from "../project/wrangler-toml.ts";

/** What a look at the disk says. */
export interface DiskFindings {
  /** Blobs that the simulator lists and whose files are not as it says. */
  readonly findings: readonly string[];
  /** Files that hold the bytes of no blob that it lists. */
  readonly orphanedUploads: readonly string[];
}

interface ListedFile {
  readonly key: string;
  readonly file: string;
  readonly size: number;
}

/** A key's row is committed after its file is written; within this time a file without a row may be an upload's. */
const UPLOAD_MS = 24 * 3_600_000;

/** Looks at the files of all blobs. */
export function lookAtDisk(state: string, now: number): DiskFindings {
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
  // The simulator keeps a database for each bucket, and one of its own about them.
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
    // It was deleted since it was listed.
    return false;
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    // Nothing was ever stored.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
