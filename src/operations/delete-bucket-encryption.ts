// DeleteBucketEncryption: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html
// Back to the default: a bucket without any encryption there is not.
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { lookUpBucket, setConfiguration } from "../state/metadata/buckets.ts";

export const deleteBucketEncryption = defineOperation({
  name: "DeleteBucketEncryption",
  actions: ["s3:PutEncryptionConfiguration"],
  route: { method: "DELETE", level: "bucket", query: ["encryption"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),
  run: async ({ database }, _input, { bucket }) => database.batch([setConfiguration(bucket, "encryption", null)]),
  write: () => ({ status: 204, headers: {} }),
});
