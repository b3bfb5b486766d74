// GetBucketLifecycleConfiguration: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html
import { defineUnsetConfiguration } from "../contract/unset-configuration.ts";

export const getBucketLifecycleConfiguration = defineUnsetConfiguration({
  name: "GetBucketLifecycleConfiguration",
  actions: ["s3:GetLifecycleConfiguration"],
  subresource: "lifecycle",
  answer: { error: "NoSuchLifecycleConfiguration" },
});
