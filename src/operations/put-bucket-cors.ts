// PutBucketCors: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { parseCors } from "../protocol/buckets/cors.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { DOCUMENT } from "../protocol/core/operation-inputs.ts";
import { lookUpBucket, setCors } from "../state/metadata/buckets.ts";

export const putBucketCors = defineOperation({
  name: "PutBucketCors",
  actions: ["s3:PutBucketCORS"],
  route: { method: "PUT", level: "bucket", query: ["cors"] },
  inputs: DOCUMENT,
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, _input, { bucket }) {
    const rules = parseCors(await readDocument(context.request, context.openBody()));
    await context.database.batch([setCors(bucket, rules)]);
  },

  write: () => ({ status: 200, headers: {} }),
});
