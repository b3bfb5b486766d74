// Prevents two servers from using one state folder, because both would open the same database files. Also restricts the
// folder to its owner, because it contains all data.
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";

const LOCK_FILE = "lock";

/** References to open locks. Garbage collection would release a lock without one. */
const locks = new Set<DatabaseSync>();

/**
 * Locks a state folder, creating it if necessary. Returns a function that releases the lock. SQLite takes an operating
 * system lock on a file in the folder. It works for every path and mount of the folder and ends with its process, so it
 * cannot become stale.
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
  locks.add(lock);
  return () => {
    if (locks.delete(lock)) lock.close();
  };
}

/** Restricts the folder to its owner. Only warns when the system does not permit it. */
function restrict(folder: string): void {
  try {
    chmodSync(folder, 0o700);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.warn(`cairn: the state folder may be open to others: ${reason}`);
  }
}

/** Opens the file without Node's warning that SQLite is experimental. */
export function openQuietly(path: string, readOnly = false): DatabaseSync {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    const { DatabaseSync: Database } = process.getBuiltinModule("node:sqlite");
    return new Database(path, { readOnly });
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** SQLITE_BUSY. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === 5;
}
