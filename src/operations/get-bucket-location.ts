// GetBucketLocation: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
import { element } from "../bytes/xml.ts";
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";

export const getBucketLocation = defineOperation({
  name: "GetBucketLocation",
  actions: ["s3:GetBucketLocation"],
  route: { method: "GET", level: "bucket", query: ["location"] },
  readsSnapshots: true,
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),
  run: (_context, _input, { bucket }) => Promise.resolve(bucket.region),
  write: (region) => ({
    status: 200,
    headers: {},
    // AWS returns an empty element for us-east-1.
    body: element("LocationConstraint", region === "us-east-1" ? "" : region, { xmlns: S3_NAMESPACE }),
  }),
});
