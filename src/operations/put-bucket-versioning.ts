// PutBucketVersioning: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { parseVersioning } from "../protocol/buckets/bucket-configuration.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { retainsNoncurrentVersions, lifecycleFromText } from "../protocol/lifecycle/lifecycle.ts";
import { DOCUMENT } from "../protocol/core/operation-inputs.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { lookUpBucket, setVersioning } from "../state/metadata/buckets.ts";

const EXPIRED_STAYS =
  '299 Cairn "The bucket has a rule that expires objects. From now on they stay as noncurrent versions until a NoncurrentVersionExpiration rule removes those."';

export const putBucketVersioning = defineOperation({
  name: "PutBucketVersioning",
  actions: ["s3:PutBucketVersioning"],
  route: { method: "PUT", level: "bucket", query: ["versioning"] },
  inputs: DOCUMENT,
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, _input, { bucket }) {
    const versioning = parseVersioning(await readDocument(context.request, context.openBody()));
    const [set] = await context.database.batch([setVersioning(bucket, versioning)]);
    if (set === undefined || set.changes > 0 || versioning === "Enabled") {
      const rules = lifecycleFromText(bucket.configurations.lifecycle);
      return { isWarned: versioning === "Enabled" && rules !== undefined && retainsNoncurrentVersions(rules) };
    }
    if (bucket.configurations.object_lock !== null) {
      const message =
        "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.";
      throw new S3Error("InvalidBucketState", { BucketName: bucket.name }, message);
    }
    const message = "Versioning cannot be suspended while the bucket has snapshots: delete them first.";
    throw new S3Error("InvalidBucketState", { BucketName: bucket.name }, message);
  },

  write: ({ isWarned }) => ({ status: 200, headers: isWarned ? { warning: EXPIRED_STAYS } : {} }),
});
