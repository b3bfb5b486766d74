// DeleteBucketTagging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { lookUpBucket, setConfiguration } from "../state/metadata/buckets.ts";

export const deleteBucketTagging = defineOperation({
  name: "DeleteBucketTagging",
  actions: ["s3:DeleteBucketTagging", "s3:PutBucketTagging"],
  route: { method: "DELETE", level: "bucket", query: ["tagging"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),
  run: async ({ database }, _input, { bucket }) => database.batch([setConfiguration(bucket, "tags", null)]),
  write: () => ({ status: 204, headers: {} }),
});
