// ListBucketSnapshots, an operation of Cairn's own (docs/snapshots.md). A bucket has few snapshots, so one page lists
// all.
import { formatIsoDate } from "../bytes/dates.ts";
import { element } from "../bytes/xml.ts";
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { addressOfSnapshot } from "../protocol/core/snapshot.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";
import { lookUpBoth } from "../state/d1/database.ts";
import { lookUpSnapshots } from "../state/snapshots/snapshots.ts";

export const listBucketSnapshots = defineOperation({
  name: "ListBucketSnapshots",
  actions: ["s3:ListBucketSnapshots"],
  route: { method: "GET", level: "bucket", query: ["snapshots"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBoth(lookUpBucket(bucketName), lookUpSnapshots(bucketName)),
  run: (_context, _input, facts) => Promise.resolve(facts),

  write: ({ bucket, snapshots }) => ({
    status: 200,
    headers: {},
    body: element(
      "ListBucketSnapshotsResult",
      [
        element("Bucket", bucket.name),
        ...snapshots.map(({ name, createdAt }) =>
          element("Snapshot", [
            element("Name", name),
            element("Address", addressOfSnapshot(bucket.name, name)),
            element("CreationDate", formatIsoDate(createdAt)),
          ]),
        ),
      ],
      { xmlns: S3_NAMESPACE },
    ),
  }),
});
