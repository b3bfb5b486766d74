// GetBucketEncryption: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html
// A bucket has an encryption whether or not somebody set one.
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { bucketEncryptionElement, bucketEncryptionOf } from "../protocol/buckets/bucket-encryption.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";

export const getBucketEncryption = defineOperation({
  name: "GetBucketEncryption",
  actions: ["s3:GetEncryptionConfiguration"],
  route: { method: "GET", level: "bucket", query: ["encryption"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),
  run: (_context, _input, { bucket }) => Promise.resolve(bucketEncryptionOf(bucket.configurations.encryption)),
  write: (encryption) => ({ status: 200, headers: {}, body: bucketEncryptionElement(encryption) }),
});
