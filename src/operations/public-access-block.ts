// GetPublicAccessBlock, PutPublicAccessBlock, DeletePublicAccessBlock:
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
import { defineBucketConfiguration } from "../contract/bucket-configuration.ts";
import {
  parsePublicAccessBlock,
  publicAccessBlockElement,
  publicAccessBlockText,
  readPublicAccessBlock,
} from "../protocol/acl/public-access-block.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { setConfiguration } from "../state/metadata/buckets.ts";

export const publicAccessBlock = defineBucketConfiguration({
  subresource: "publicAccessBlock",
  get: { name: "GetPublicAccessBlock", actions: ["s3:GetBucketPublicAccessBlock"] },
  put: { name: "PutPublicAccessBlock", actions: ["s3:PutBucketPublicAccessBlock"], status: 200 },
  delete: { name: "DeletePublicAccessBlock", actions: ["s3:PutBucketPublicAccessBlock"] },
  load: ({ configurations: { public_access_block: text } }) =>
    text === null ? undefined : readPublicAccessBlock(text),
  missing: "NoSuchPublicAccessBlockConfiguration",
  parseBody: async (context) => parsePublicAccessBlock(await readDocument(context.request, context.openBody())),
  store: (bucket, block) =>
    setConfiguration(bucket, "public_access_block", block === undefined ? null : publicAccessBlockText(block)),
  render: (block) => ({ body: publicAccessBlockElement(block) }),
});
