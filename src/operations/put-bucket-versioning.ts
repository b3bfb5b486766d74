// PutBucketVersioning: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/addressing.ts";
import { parseVersioning } from "../protocol/bucket-configuration.ts";
import { readDocument } from "../protocol/document-body.ts";
import { lookUpBucket, setVersioning } from "../state/buckets.ts";

export const putBucketVersioning = defineOperation({
  name: "PutBucketVersioning",
  actions: ["s3:PutBucketVersioning"],
  route: { method: "PUT", level: "bucket", query: ["versioning"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, _input, { bucket }) {
    const versioning = parseVersioning(await readDocument(context.request, context.openBody(), false));
    await context.database.batch([setVersioning(bucket, versioning)]);
  },

  write: () => ({ status: 200, headers: {} }),
});
