// DeleteBucketSnapshot, an operation of Cairn's own (docs/snapshots.md), deletes a snapshot. Versions that only the
// snapshot showed remain in the bucket as noncurrent versions.
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { checkSnapshotName, noSuchSnapshot } from "../protocol/core/snapshot.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";
import { lookUpBoth } from "../state/d1/database.ts";
import { deleteSnapshot, lookUpSnapshot } from "../state/snapshots/snapshots.ts";

export const deleteBucketSnapshot = defineOperation({
  name: "DeleteBucketSnapshot",
  actions: ["s3:DeleteBucketSnapshot"],
  route: { method: "DELETE", level: "bucket", query: ["snapshot"] },

  read(request) {
    const name = request.query.get("snapshot") ?? "";
    checkSnapshotName(name);
    return { bucketName: addressedBucket(request.address), name };
  },

  lookUp: ({ bucketName, name }) => lookUpBoth(lookUpBucket(bucketName), lookUpSnapshot(bucketName, name)),

  async run({ database }, { name }, { bucket, snapshot }) {
    if (snapshot === undefined) throw noSuchSnapshot(bucket.name, name);
    await database.batch([deleteSnapshot(bucket, snapshot)]);
  },

  write: () => ({ status: 204, headers: {} }),
});
