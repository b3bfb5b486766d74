// PutPublicAccessBlock: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { DOCUMENT } from "../protocol/core/operation-inputs.ts";
import { parsePublicAccessBlock, publicAccessBlockText } from "../protocol/acl/public-access-block.ts";
import { lookUpBucket, setConfiguration } from "../state/metadata/buckets.ts";

export const putPublicAccessBlock = defineOperation({
  name: "PutPublicAccessBlock",
  actions: ["s3:PutBucketPublicAccessBlock"],
  route: { method: "PUT", level: "bucket", query: ["publicAccessBlock"] },
  inputs: DOCUMENT,
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, _input, { bucket }) {
    const block = parsePublicAccessBlock(await readDocument(context.request, context.openBody()));
    await context.database.batch([setConfiguration(bucket, "public_access_block", publicAccessBlockText(block))]);
  },

  write: () => ({ status: 200, headers: {} }),
});
