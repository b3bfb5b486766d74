// GetBucketCors, PutBucketCors, DeleteBucketCors: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html
import { defineBucketConfiguration } from "../contract/bucket-configuration.ts";
import { corsElement, parseCors } from "../protocol/buckets/cors.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { setCors } from "../state/metadata/buckets.ts";

export const bucketCors = defineBucketConfiguration({
  subresource: "cors",
  get: { name: "GetBucketCors", actions: ["s3:GetBucketCORS"] },
  put: { name: "PutBucketCors", actions: ["s3:PutBucketCORS"], status: 200 },
  delete: { name: "DeleteBucketCors", actions: ["s3:PutBucketCORS"] },
  load: ({ cors }) => (cors.length === 0 ? undefined : cors),
  missing: "NoSuchCORSConfiguration",
  parseBody: async (context) => parseCors(await readDocument(context.request, context.openBody())),
  store: (bucket, rules = []) => setCors(bucket, rules),
  render: (rules) => ({ body: corsElement(rules) }),
});
