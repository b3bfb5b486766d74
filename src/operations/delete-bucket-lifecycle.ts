// DeleteBucketLifecycle: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketLifecycle.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { lookUpBucket, setConfiguration } from "../state/metadata/buckets.ts";

export const deleteBucketLifecycle = defineOperation({
  name: "DeleteBucketLifecycle",
  actions: ["s3:DeleteLifecycleConfiguration", "s3:PutLifecycleConfiguration"],
  route: { method: "DELETE", level: "bucket", query: ["lifecycle"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),
  run: async ({ database }, _input, { bucket }) => database.batch([setConfiguration(bucket, "lifecycle", null)]),
  write: () => ({ status: 204, headers: {} }),
});
