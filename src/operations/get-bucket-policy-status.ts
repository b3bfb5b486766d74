// GetBucketPolicyStatus: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html
import { policyOf } from "../auth/policy/policy-cache.ts";
import { isPublicPolicy } from "../auth/policy/public.ts";
import { element } from "../bytes/xml.ts";
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { S3_NAMESPACE, S3Error } from "../protocol/core/s3-error.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";

export const getBucketPolicyStatus = defineOperation({
  name: "GetBucketPolicyStatus",
  actions: ["s3:GetBucketPolicyStatus"],
  route: { method: "GET", level: "bucket", query: ["policyStatus"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  run(_context, { bucketName }, { bucket }) {
    const { policy } = bucket.configurations;
    if (policy === null) throw new S3Error("NoSuchBucketPolicy", { BucketName: bucketName });
    return Promise.resolve(isPublicPolicy(policyOf(policy, { of: "bucket", bucketName, accountId: bucket.ownerId })));
  },

  write: (isPublic) => ({
    status: 200,
    headers: {},
    body: element("PolicyStatus", [element("IsPublic", isPublic)], { xmlns: S3_NAMESPACE }),
  }),
});
