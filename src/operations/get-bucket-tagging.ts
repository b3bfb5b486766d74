// GetBucketTagging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/addressing.ts";
import { S3Error } from "../protocol/s3-error.ts";
import { taggingElement } from "../protocol/tagging.ts";
import { lookUpBucketTags } from "../state/buckets.ts";
import { parseTags } from "../state/objects.ts";

export const getBucketTagging = defineOperation({
  name: "GetBucketTagging",
  action: "s3:GetBucketTagging",
  route: { method: "GET", level: "bucket", query: ["tagging"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucketTags(bucketName),

  run(_context, { bucketName }, { tagsJson }) {
    if (tagsJson === null) throw new S3Error("NoSuchTagSet", { BucketName: bucketName });
    return Promise.resolve(parseTags(tagsJson));
  },

  write: (tags) => ({ status: 200, headers: {}, body: taggingElement(tags) }),
});
