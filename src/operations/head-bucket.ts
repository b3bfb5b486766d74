// HeadBucket: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";

export const headBucket = defineOperation({
  name: "HeadBucket",
  actions: ["s3:ListBucket"],
  route: { method: "HEAD", level: "bucket" },
  readsSnapshots: true,
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),
  run: (_context, _input, { bucket }) => Promise.resolve(bucket),
  write: ({ region }) => ({ status: 200, headers: { "x-amz-bucket-region": region, "content-length": "0" } }),
});
