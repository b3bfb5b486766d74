// GetBucketVersioning: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html
import { element, optionalElement } from "../bytes/xml.ts";
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";

export const getBucketVersioning = defineOperation({
  name: "GetBucketVersioning",
  actions: ["s3:GetBucketVersioning"],
  route: { method: "GET", level: "bucket", query: ["versioning"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),
  run: (_context, _input, { bucket }) => Promise.resolve(bucket.versioning),
  write: (versioning) => ({
    status: 200,
    headers: {},
    body: element("VersioningConfiguration", [optionalElement("Status", versioning ?? undefined)], {
      xmlns: S3_NAMESPACE,
    }),
  }),
});
