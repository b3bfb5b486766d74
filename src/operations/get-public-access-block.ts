// GetPublicAccessBlock: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { publicAccessBlockElement, readPublicAccessBlock } from "../protocol/acl/public-access-block.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";

export const getPublicAccessBlock = defineOperation({
  name: "GetPublicAccessBlock",
  actions: ["s3:GetBucketPublicAccessBlock"],
  route: { method: "GET", level: "bucket", query: ["publicAccessBlock"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  run(_context, { bucketName }, { bucket }) {
    const text = bucket.configurations.public_access_block;
    if (text === null) throw new S3Error("NoSuchPublicAccessBlockConfiguration", { BucketName: bucketName });
    return Promise.resolve(readPublicAccessBlock(text));
  },

  write: (block) => ({ status: 200, headers: {}, body: publicAccessBlockElement(block) }),
});
