// DeleteBucketPolicy: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { lookUpBucket, setConfiguration } from "../state/metadata/buckets.ts";

export const deleteBucketPolicy = defineOperation({
  name: "DeleteBucketPolicy",
  actions: ["s3:DeleteBucketPolicy"],
  route: { method: "DELETE", level: "bucket", query: ["policy"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),
  run: async ({ database }, _input, { bucket }) => database.batch([setConfiguration(bucket, "policy", null)]),
  write: () => ({ status: 204, headers: {} }),
});
