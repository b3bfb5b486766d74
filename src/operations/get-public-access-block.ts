// GetPublicAccessBlock: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html
import { defineUnsetConfiguration } from "../contract/unset-configuration.ts";

export const getPublicAccessBlock = defineUnsetConfiguration({
  name: "GetPublicAccessBlock",
  actions: ["s3:GetBucketPublicAccessBlock"],
  subresource: "publicAccessBlock",
  answer: { error: "NoSuchPublicAccessBlockConfiguration" },
});
