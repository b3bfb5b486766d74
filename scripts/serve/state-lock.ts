// Keeps two servers off one state folder: each would run its own runtime over the same database files. And keeps the
// folder to whoever it belongs to: all that is stored is readable in it.
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";

const LOCK_FILE = "lock";

/** A lock that nothing refers to would be let go when memory is collected. */
const held = new Set<DatabaseSync>();

/**
 * Takes a state folder, making it if need be, and returns what gives it back. The lock is one of the operating system on
 * a file in the folder, which SQLite takes: it is the same by whatever path or mount the folder is reached, and it is gone
 * when its holder is, however that ended, so that none is ever stale and no process id is compared.
 */
export async function lockState(state: string): Promise<() => void> {
  mkdirSync(state, { recursive: true, mode: 0o700 });
  restrict(state);
  const lock = openQuietly(join(state, LOCK_FILE));
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new Error(`the state folder ${state} is in use by another server`, { cause: error });
  }
  held.add(lock);
  return () => {
    if (held.delete(lock)) lock.close();
  };
}

/** Restricts the folder to its owner. Where that is not ours to do, it is said and left. */
function restrict(folder: string): void {
  try {
    chmodSync(folder, 0o700);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.warn(`cairn: the state folder may be open to others: ${reason}`);
  }
}

/** Node warns of SQLite as an experiment when it is loaded, on the terminal of whoever starts a server. */
function openQuietly(path: string): DatabaseSync {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    const { DatabaseSync: Database } = process.getBuiltinModule("node:sqlite");
    return new Database(path);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** SQLITE_BUSY. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === 5;
}
