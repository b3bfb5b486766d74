// DeletePublicAccessBlock: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeletePublicAccessBlock.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { lookUpBucket, setConfiguration } from "../state/metadata/buckets.ts";

export const deletePublicAccessBlock = defineOperation({
  name: "DeletePublicAccessBlock",
  actions: ["s3:PutBucketPublicAccessBlock"],
  route: { method: "DELETE", level: "bucket", query: ["publicAccessBlock"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),
  run: async ({ database }, _input, { bucket }) =>
    database.batch([setConfiguration(bucket, "public_access_block", null)]),
  write: () => ({ status: 204, headers: {} }),
});
