// GetObjectLockConfiguration: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html
import { defineUnsetConfiguration } from "../contract/unset-configuration.ts";

export const getObjectLockConfiguration = defineUnsetConfiguration({
  name: "GetObjectLockConfiguration",
  actions: ["s3:GetBucketObjectLockConfiguration"],
  subresource: "object-lock",
  answer: { error: "ObjectLockConfigurationNotFoundError" },
});
