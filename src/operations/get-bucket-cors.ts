// GetBucketCors: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketCors.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/addressing.ts";
import { corsElement } from "../protocol/cors.ts";
import { S3Error } from "../protocol/s3-error.ts";
import { lookUpBucket } from "../state/buckets.ts";

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
