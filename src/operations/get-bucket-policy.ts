// GetBucketPolicy: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html
import { defineUnsetConfiguration } from "../contract/unset-configuration.ts";

export const getBucketPolicy = defineUnsetConfiguration({
  name: "GetBucketPolicy",
  actions: ["s3:GetBucketPolicy"],
  subresource: "policy",
  answer: { error: "NoSuchBucketPolicy" },
});
