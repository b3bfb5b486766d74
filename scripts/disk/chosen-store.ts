// Chooses where a local server stores blobs: in files, or in the runtime's simulator of R2. A state folder never has blobs
// in both.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openQuietly } from "../serve/state-lock.ts";
import { hasEntries } from "./disk-server.ts";
import type { LocalStore } from "./local-stores.ts";
import { layoutOf } from "./layout.ts";

/**
 * Chooses the store of a state folder: the one that has its blobs, else the requested one, else the disk.
 * @throws Error if blobs are in the other store than the requested one
 */
export function chooseStore(state: string, requested: LocalStore | undefined): LocalStore {
  const used = usedStore(state);
  if (used !== undefined && requested !== undefined && used !== requested) {
    const names = { disk: "files (disk)", r2: "the R2 simulator (r2)" };
    throw new Error(`the blobs of ${state} are in ${names[used]}, so it cannot be opened with ${requested}`);
  }
  // The runtime has no Unix sockets on Windows.
  return used ?? requested ?? (process.platform === "win32" ? "r2" : "disk");
}

/** The store that has blobs of a state folder. */
function usedStore(state: string): LocalStore | undefined {
  const { blobs, reserved } = layoutOf(state);
  if (hasEntries(blobs) || hasEntries(reserved)) return "disk";
  return simulatorHasBlobs(join(state, "r2")) ? "r2" : undefined;
}

function simulatorHasBlobs(folder: string): boolean {
  const databases = join(folder, "miniflare-R2BucketObject");
  // Without its database the simulator has lost its blobs, whose files remain.
  if (!existsSync(databases)) return hasEntries(join(folder, "BLOBS", "blobs"));
  return (
    readdirSync(databases).some((name) => name.endsWith(".sqlite") && hasRows(join(databases, name))) ||
    hasEntries(join(folder, "BLOBS", "blobs"))
  );
}

function hasRows(path: string): boolean {
  const database = openQuietly(path, true);
  try {
    return database.prepare("SELECT 1 FROM _mf_objects LIMIT 1").get() !== undefined;
  } catch {
    // The simulator's database about its buckets has no objects.
    return false;
  } finally {
    database.close();
  }
}
