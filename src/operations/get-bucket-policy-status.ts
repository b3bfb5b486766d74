// GetBucketPolicyStatus: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html
import { defineUnsetConfiguration } from "../contract/unset-configuration.ts";

export const getBucketPolicyStatus = defineUnsetConfiguration({
  name: "GetBucketPolicyStatus",
  actions: ["s3:GetBucketPolicyStatus"],
  subresource: "policyStatus",
  answer: { error: "NoSuchBucketPolicy" },
});
