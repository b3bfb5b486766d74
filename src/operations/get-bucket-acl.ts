// GetBucketAcl: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html
import { defineOperation } from "../contract/operation.ts";
import { effectiveAcl } from "../protocol/acl/acl-rules.ts";
import { aclElement } from "../protocol/acl/acl-xml.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";

export const getBucketAcl = defineOperation({
  name: "GetBucketAcl",
  actions: ["s3:GetBucketAcl", "s3:ListBucket"],
  route: { method: "GET", level: "bucket", query: ["acl"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),
  run: (_context, _input, { bucket }) => Promise.resolve(effectiveAcl(bucket.configurations.acl, bucket)),
  write: (acl) => ({ status: 200, headers: {}, body: aclElement(acl) }),
});
