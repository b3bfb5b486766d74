// GetBucketAccelerateConfiguration: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAccelerateConfiguration.html
import { defineUnsetConfiguration } from "../contract/unset-configuration.ts";

export const getBucketAccelerateConfiguration = defineUnsetConfiguration({
  name: "GetBucketAccelerateConfiguration",
  actions: ["s3:GetAccelerateConfiguration"],
  subresource: "accelerate",
  answer: { root: "AccelerateConfiguration", content: [] },
});
