// PutBucketEncryption: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { bucketEncryptionText, parseBucketEncryption } from "../protocol/buckets/bucket-encryption.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { DOCUMENT } from "../protocol/core/operation-inputs.ts";
import { lookUpBucket, setConfiguration } from "../state/metadata/buckets.ts";

export const putBucketEncryption = defineOperation({
  name: "PutBucketEncryption",
  actions: ["s3:PutEncryptionConfiguration"],
  route: { method: "PUT", level: "bucket", query: ["encryption"] },
  inputs: DOCUMENT,
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, _input, { bucket }) {
    const encryption = parseBucketEncryption(await readDocument(context.request, context.openBody()));
    await context.database.batch([setConfiguration(bucket, "encryption", bucketEncryptionText(encryption))]);
  },

  write: () => ({ status: 200, headers: {} }),
});
