// PutBucketTagging: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { DOCUMENT } from "../protocol/core/operation-inputs.ts";
import { parseTagging } from "../protocol/core/tagging.ts";
import { lookUpBucket, setConfiguration } from "../state/metadata/buckets.ts";
import { tagsJson } from "../state/metadata/stored-metadata.ts";

export const putBucketTagging = defineOperation({
  name: "PutBucketTagging",
  actions: ["s3:PutBucketTagging"],
  route: { method: "PUT", level: "bucket", query: ["tagging"] },
  inputs: DOCUMENT,
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, _input, { bucket }) {
    const tags = parseTagging(await readDocument(context.request, context.openBody()), "bucket");
    await context.database.batch([setConfiguration(bucket, "tags", tagsJson(tags))]);
  },

  write: () => ({ status: 200, headers: {} }),
});
