// GetBucketOwnershipControls: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { ownershipOf } from "../protocol/acl/object-ownership.ts";
import { ownershipControlsElement } from "../protocol/acl/ownership-controls.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";

export const getBucketOwnershipControls = defineOperation({
  name: "GetBucketOwnershipControls",
  actions: ["s3:GetBucketOwnershipControls"],
  route: { method: "GET", level: "bucket", query: ["ownershipControls"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  run(_context, { bucketName }, { bucket }) {
    const ownership = ownershipOf(bucket.configurations.ownership);
    if (ownership === undefined) throw new S3Error("OwnershipControlsNotFoundError", { BucketName: bucketName });
    return Promise.resolve(ownership);
  },

  write: (ownership) => ({ status: 200, headers: {}, body: ownershipControlsElement(ownership) }),
});
