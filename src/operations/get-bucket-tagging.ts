// GetBucketTagging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { taggingElement } from "../protocol/core/tagging.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";
import { parseTags } from "../state/metadata/stored-metadata.ts";

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
