// CreateBucketSnapshot, an operation of Cairn's own (docs/snapshots.md), names the current content of a bucket. Its
// cost does not depend on that content.
import { formatIsoDate } from "../bytes/dates.ts";
import { element } from "../bytes/xml.ts";
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { S3_NAMESPACE, S3Error } from "../protocol/core/s3-error.ts";
import { addressOfSnapshot, checkSnapshotName, MAX_SNAPSHOTS } from "../protocol/core/snapshot.ts";
import { lookUpBucket, type Bucket } from "../state/metadata/buckets.ts";
import { lookUpBoth } from "../state/d1/database.ts";
import { lookUpSnapshot, lookUpSnapshotPreconditions, createSnapshot } from "../state/snapshots/snapshots.ts";

// More concurrent changes than this within one request mean contention.
const MAX_ATTEMPTS = 4;

export const createBucketSnapshot = defineOperation({
  name: "CreateBucketSnapshot",
  actions: ["s3:CreateBucketSnapshot"],
  route: { method: "PUT", level: "bucket", query: ["snapshot"] },

  read(request) {
    const name = request.query.get("snapshot") ?? "";
    checkSnapshotName(name);
    return { bucketName: addressedBucket(request.address), name };
  },

  lookUp: ({ bucketName, name }) => lookUpAll(bucketName, name),

  async run({ database }, { bucketName, name }, first) {
    let facts: Omit<typeof first, "bucket"> & { readonly bucket: Bucket | undefined } = first;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const { bucket, snapshot, preconditions } = facts;
      if (bucket === undefined) throw new S3Error("NoSuchBucket", { BucketName: bucketName });
      if (bucket.versioning !== "Enabled") {
        const message = "Only a bucket whose versioning is enabled can have snapshots: they show its versions.";
        throw new S3Error("InvalidBucketState", { BucketName: bucketName }, message);
      }
      if (snapshot !== undefined) {
        throw new S3Error("SnapshotAlreadyExists", { BucketName: bucketName, SnapshotName: name });
      }
      if (preconditions.count >= MAX_SNAPSHOTS) throw new S3Error("TooManySnapshots", { MaxSnapshots: MAX_SNAPSHOTS });
      const made = await createSnapshot(database, bucket, name, preconditions);
      if (made === "unknown") break;
      if (made !== undefined) return { bucket, snapshot: made };
      facts = await database.look(lookUpAll(bucketName, name));
    }
    throw new S3Error("ServiceUnavailable");
  },

  write: ({ bucket, snapshot }) => ({
    status: 200,
    headers: { location: `/${addressOfSnapshot(bucket.name, snapshot.name)}` },
    body: element(
      "CreateBucketSnapshotResult",
      [
        element("Bucket", bucket.name),
        element("Name", snapshot.name),
        element("Address", addressOfSnapshot(bucket.name, snapshot.name)),
        element("CreationDate", formatIsoDate(snapshot.createdAt)),
      ],
      { xmlns: S3_NAMESPACE },
    ),
  }),
});

function lookUpAll(bucketName: string, name: string) {
  return lookUpBoth(
    lookUpBoth(lookUpBucket(bucketName), lookUpSnapshot(bucketName, name)),
    lookUpSnapshotPreconditions(bucketName),
  );
}
