// GetBucketEncryption, PutBucketEncryption, DeleteBucketEncryption. A bucket without an encryption of its own has the
// default one. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
import { defineBucketConfiguration } from "../contract/bucket-configuration.ts";
import {
  bucketEncryptionElement,
  bucketEncryptionOf,
  bucketEncryptionText,
  parseBucketEncryption,
} from "../protocol/buckets/bucket-encryption.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { setConfiguration } from "../state/metadata/buckets.ts";

export const bucketEncryption = defineBucketConfiguration({
  subresource: "encryption",
  get: { name: "GetBucketEncryption", actions: ["s3:GetEncryptionConfiguration"] },
  put: { name: "PutBucketEncryption", actions: ["s3:PutEncryptionConfiguration"], status: 200 },
  delete: { name: "DeleteBucketEncryption", actions: ["s3:PutEncryptionConfiguration"] },
  load: ({ configurations }) => bucketEncryptionOf(configurations.encryption),
  parseBody: async (context) => parseBucketEncryption(await readDocument(context.request, context.openBody())),
  store: (bucket, encryption) =>
    setConfiguration(bucket, "encryption", encryption === undefined ? null : bucketEncryptionText(encryption)),
  render: (encryption) => ({ body: bucketEncryptionElement(encryption) }),
});
