// GetBucketNotificationConfiguration: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketNotificationConfiguration.html
import { defineUnsetConfiguration } from "../contract/unset-configuration.ts";

export const getBucketNotificationConfiguration = defineUnsetConfiguration({
  name: "GetBucketNotificationConfiguration",
  actions: ["s3:GetBucketNotification"],
  subresource: "notification",
  answer: { root: "NotificationConfiguration", content: [] },
});
