// DeleteBucketOwnershipControls: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketOwnershipControls.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { DELETED_OWNERSHIP } from "../protocol/acl/object-ownership.ts";
import { lookUpBucket, setConfiguration } from "../state/metadata/buckets.ts";

export const deleteBucketOwnershipControls = defineOperation({
  name: "DeleteBucketOwnershipControls",
  actions: ["s3:PutBucketOwnershipControls"],
  route: { method: "DELETE", level: "bucket", query: ["ownershipControls"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),
  run: async ({ database }, _input, { bucket }) =>
    database.batch([setConfiguration(bucket, "ownership", DELETED_OWNERSHIP)]),
  write: () => ({ status: 204, headers: {} }),
});
