// GetBucketTagging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/addressing.ts";
import { S3Error } from "../protocol/s3-error.ts";
import { taggingElement } from "../protocol/tagging.ts";
import { lookUpBucket } from "../state/buckets.ts";
import { parseTags } from "../state/stored-metadata.ts";

export const getBucketTagging = defineOperation({
  name: "GetBucketTagging",
  actions: ["s3:GetBucketTagging"],
  route: { method: "GET", level: "bucket", query: ["tagging"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  run(_context, { bucketName }, { bucket }) {
    const { tags } = bucket.configurations;
    if (tags === null) throw new S3Error("NoSuchTagSet", { BucketName: bucketName });
    return Promise.resolve(parseTags(tags));
  },

  write: (tags) => ({ status: 200, headers: {}, body: taggingElement(tags) }),
});
