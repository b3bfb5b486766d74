// GetBucketWebsite, PutBucketWebsite, DeleteBucketWebsite. Delivery hosts obey the configuration (docs/delivery.md).
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html
import { defineBucketConfiguration } from "../contract/bucket-configuration.ts";
import { parseWebsite } from "../protocol/buckets/website-document.ts";
import { websiteElement, websiteFromText, websiteText } from "../protocol/buckets/website.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { setConfiguration } from "../state/metadata/buckets.ts";

export const bucketWebsite = defineBucketConfiguration({
  subresource: "website",
  get: { name: "GetBucketWebsite", actions: ["s3:GetBucketWebsite"] },
  put: { name: "PutBucketWebsite", actions: ["s3:PutBucketWebsite"], status: 200 },
  delete: { name: "DeleteBucketWebsite", actions: ["s3:DeleteBucketWebsite"] },
  load: ({ configurations }) => websiteFromText(configurations.website),
  missing: "NoSuchWebsiteConfiguration",
  parseBody: async (context) => parseWebsite(await readDocument(context.request, context.openBody())),
  store: (bucket, website) => setConfiguration(bucket, "website", website === undefined ? null : websiteText(website)),
  render: (website) => ({ body: websiteElement(website) }),
});
