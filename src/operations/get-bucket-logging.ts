// GetBucketLogging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLogging.html
import { defineUnsetConfiguration } from "../contract/unset-configuration.ts";

export const getBucketLogging = defineUnsetConfiguration({
  name: "GetBucketLogging",
  actions: ["s3:GetBucketLogging"],
  subresource: "logging",
  answer: { root: "BucketLoggingStatus", content: [] },
});
