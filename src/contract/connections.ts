// Connects to the bindings. Requests, scheduled jobs and maintenance reach D1, the blob store and the coordinators only
// through here.
import type { BlobStoreSettings, Settings } from "../config/settings.ts";
import type { BlobStore } from "../state/blobs/blob-store.ts";
import { DiskBlobStore } from "../state/blobs/disk-blob-store.ts";
import { R2BlobStore } from "../state/blobs/r2-blob-store.ts";
import { S3BlobStore } from "../state/blobs/s3-blob-store.ts";
import { S3Client } from "../state/blobs/s3-client.ts";
import { DatabaseSmallBlobs } from "../state/blobs/small-blob-rows.ts";
import { SmallBlobStore } from "../state/blobs/small-blob-store.ts";
import type { Counts } from "../state/d1/counts.ts";
import type { Database } from "../state/d1/database.ts";
import { databaseBindings, Databases } from "../state/d1/databases.ts";
import type { KeepAlive } from "../state/d1/shared-reads.ts";
import { Coordinators } from "../state/writes/coordinators.ts";

/** The stores and coordinators. Every call to them is counted. */
export interface Connections {
  /** The first database. */
  readonly database: Database;
  readonly databases: Databases;
  readonly blobs: BlobStore;
  readonly coordinators: Coordinators;
}

/** @param keepAlive lets work continue after a request; undefined outside of requests */
export function connect(
  env: Env,
  { blobStore, coordinatorShards, location }: Pick<Settings, "blobStore" | "coordinatorShards" | "location">,
  counts: Counts,
  keepAlive?: KeepAlive,
): Connections {
  const databases = new Databases(databaseBindings(env), counts, keepAlive);
  return {
    database: databases.first,
    databases,
    blobs: new SmallBlobStore(blobStoreOf(env, blobStore, counts), new DatabaseSmallBlobs(databases.all)),
    coordinators: new Coordinators(env.COORDINATORS, coordinatorShards, counts, location),
  };
}

/** The store of the settings, else of the bindings. */
function blobStoreOf({ BLOBS, DISK }: Env, settings: BlobStoreSettings, counts: Counts): BlobStore {
  if (settings.type === "S3") return new S3BlobStore(clientOf(settings), counts);
  return DISK === undefined ? new R2BlobStore(BLOBS, counts) : new DiskBlobStore(DISK, counts);
}

// A client remembers signing keys and what the store's ETags are. The settings live as long as the isolate.
const CLIENTS = new WeakMap<BlobStoreSettings, S3Client>();

function clientOf(settings: Extract<BlobStoreSettings, { readonly type: "S3" }>): S3Client {
  const known = CLIENTS.get(settings) ?? new S3Client(settings.address);
  CLIENTS.set(settings, known);
  return known;
}
