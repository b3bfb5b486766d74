// Connects to the bindings. Requests, scheduled jobs and maintenance reach D1, R2 and the coordinators only through
// here.
import type { Settings } from "../config/settings.ts";
import type { BlobStore } from "../state/blobs/blob-store.ts";
import { R2BlobStore } from "../state/blobs/r2-blob-store.ts";
import type { Counts } from "../state/d1/counts.ts";
import { Database } from "../state/d1/database.ts";
import { Coordinators } from "../state/writes/coordinators.ts";

/** The stores and coordinators. Every call to them is counted. */
export interface Connections {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly coordinators: Coordinators;
}

export function connect(
  env: Env,
  { coordinatorShards, location }: Pick<Settings, "coordinatorShards" | "location">,
  counts: Counts,
): Connections {
  return {
    database: new Database(env.DB, counts),
    blobs: new R2BlobStore(env.BLOBS, counts),
    coordinators: new Coordinators(env.COORDINATORS, coordinatorShards, counts, location),
  };
}
