// GetBucketCors: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketCors.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { corsElement } from "../protocol/buckets/cors.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";

export const getBucketCors = defineOperation({
  name: "GetBucketCors",
  actions: ["s3:GetBucketCORS"],
  route: { method: "GET", level: "bucket", query: ["cors"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  run(_context, { bucketName }, { bucket }) {
    if (bucket.cors.length === 0) throw new S3Error("NoSuchCORSConfiguration", { BucketName: bucketName });
    return Promise.resolve(bucket.cors);
  },

  write: (rules) => ({ status: 200, headers: {}, body: corsElement(rules) }),
});
