// GetBucketPolicy: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";

export const getBucketPolicy = defineOperation({
  name: "GetBucketPolicy",
  actions: ["s3:GetBucketPolicy"],
  route: { method: "GET", level: "bucket", query: ["policy"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  run(_context, { bucketName }, { bucket }) {
    const { policy } = bucket.configurations;
    if (policy === null) throw new S3Error("NoSuchBucketPolicy", { BucketName: bucketName });
    return Promise.resolve(policy);
  },

  write: (text) => ({ status: 200, headers: { "content-type": "application/json" }, body: text }),
});
