// Inserts rows of buckets, for tests of the storage below the operations.
import { env } from "cloudflare:workers";

import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import { insertBucket, NO_CONFIGURATIONS, type Bucket } from "../../src/state/metadata/buckets.ts";
import { drawnUuid } from "./seed.ts";

/** Inserts a new bucket without configurations. */
export async function insertedBucket(versioning: Bucket["versioning"] = null): Promise<Bucket> {
  const unique = drawnUuid();
  const bucket: Bucket = {
    name: `bucket-${unique}`,
    id: `id-${unique}`,
    ownerId: "o",
    region: "r",
    createdAt: 0,
    versioning: null,
    cors: [],
    creatorId: null,
    configurations: NO_CONFIGURATIONS,
    snapshotFloor: null,
    deliveryEpoch: 0,
  };
  await new Database(env.DB, new Counts()).look(insertBucket(bucket));
  if (versioning !== null) {
    await env.DB.prepare("UPDATE buckets SET versioning = ? WHERE id = ?").bind(versioning, bucket.id).run();
  }
  return { ...bucket, versioning };
}
