// GetBucketTagging, PutBucketTagging, DeleteBucketTagging:
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html
import { defineBucketConfiguration } from "../contract/bucket-configuration.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { parseTagging, resourceTagKeys, taggingElement, type Tag } from "../protocol/core/tagging.ts";
import { setConfiguration } from "../state/metadata/buckets.ts";
import { parseTags, tagsJson } from "../protocol/core/stored-metadata.ts";

export const bucketTagging = defineBucketConfiguration<readonly Tag[]>({
  subresource: "tagging",
  get: { name: "GetBucketTagging", actions: ["s3:GetBucketTagging"] },
  put: { name: "PutBucketTagging", actions: ["s3:PutBucketTagging"], status: 200, conditionKeys: resourceTagKeys },
  delete: { name: "DeleteBucketTagging", actions: ["s3:DeleteBucketTagging", "s3:PutBucketTagging"] },
  load: ({ configurations: { tags } }) => (tags === null ? undefined : parseTags(tags)),
  missing: "NoSuchTagSet",
  parseBody: async (context) => parseTagging(await readDocument(context.request, context.openBody()), "bucket"),
  store: (bucket, tags = []) => setConfiguration(bucket, "tags", tagsJson(tags)),
  render: (tags) => ({ body: taggingElement(tags) }),
});
