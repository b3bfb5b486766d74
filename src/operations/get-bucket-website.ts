// GetBucketWebsite: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketWebsite.html
import { defineUnsetConfiguration } from "../contract/unset-configuration.ts";

export const getBucketWebsite = defineUnsetConfiguration({
  name: "GetBucketWebsite",
  actions: ["s3:GetBucketWebsite"],
  subresource: "website",
  answer: { error: "NoSuchWebsiteConfiguration" },
});
