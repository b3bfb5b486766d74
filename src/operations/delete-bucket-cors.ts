// DeleteBucketCors: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketCors.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { lookUpBucket, setCors } from "../state/metadata/buckets.ts";

export const deleteBucketCors = defineOperation({
  name: "DeleteBucketCors",
  actions: ["s3:PutBucketCORS"],
  route: { method: "DELETE", level: "bucket", query: ["cors"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),
  run: async ({ database }, _input, { bucket }) => database.batch([setCors(bucket, [])]),
  write: () => ({ status: 204, headers: {} }),
});
