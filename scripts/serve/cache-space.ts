// Bounds the space of the local edge cache. Cloudflare evicts what is read little; the simulator keeps every entry until it
// expires, on the same disk as the objects.
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const MAX_BYTES = 1024 ** 3;
const PERIOD_MS = 30_000;

/** Deletes what earlier runs cached. */
export function emptyCache(state: string): void {
  rmSync(folderOf(state), { recursive: true, force: true, maxRetries: 5 });
}

/**
 * Empties the cache whenever it has more than `maxBytes`.
 * @param purge deletes all entries
 * @returns a function that stops the checks
 */
export function limitCache(
  state: string,
  purge: () => Promise<unknown>,
  { maxBytes = MAX_BYTES, periodMs = PERIOD_MS } = {},
): () => void {
  const timer = setInterval(() => {
    // A failed purge is tried again.
    if (cacheBytes(state) > maxBytes) purge().catch(() => undefined);
  }, periodMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** The size of all cached entries in bytes. */
export function cacheBytes(state: string): number {
  const folder = folderOf(state);
  if (!existsSync(folder)) return 0;
  const sizes = readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => sizeOf(entry));
  return sizes.reduce((total, size) => total + size, 0);
}

function sizeOf(entry: { isFile(): boolean; readonly parentPath: string; readonly name: string }): number {
  // The simulator may have deleted the file since it was listed.
  return entry.isFile() ? (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0) : 0;
}

function folderOf(state: string): string {
  return join(state, "cache");
}
