// GetBucketEncryption: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html
// R2 encrypts everything at rest with AES-256, and there is no other default to choose.
import { element } from "../bytes/xml.ts";
import { defineUnsetConfiguration } from "../contract/unset-configuration.ts";

export const getBucketEncryption = defineUnsetConfiguration({
  name: "GetBucketEncryption",
  actions: ["s3:GetEncryptionConfiguration"],
  subresource: "encryption",
  answer: {
    root: "ServerSideEncryptionConfiguration",
    content: [
      element("Rule", [
        element("ApplyServerSideEncryptionByDefault", [element("SSEAlgorithm", "AES256")]),
        element("BucketKeyEnabled", false),
      ]),
    ],
  },
});
