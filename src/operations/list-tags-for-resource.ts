// ListTagsForResource: https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListTagsForResource.html
import { defineOperation } from "../contract/operation.ts";
import { checkControlAccount, CONTROL, resourceTagsElement } from "../protocol/buckets/resource-tags.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";
import { parseTags } from "../protocol/core/stored-metadata.ts";

export const listTagsForResource = defineOperation({
  name: "ListTagsForResource",
  actions: ["s3:ListTagsForResource", "s3:GetBucketTagging"],
  route: { method: "GET", level: "tags" },
  inputs: CONTROL,
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  run({ request }, _input, { bucket }) {
    checkControlAccount(request, bucket.ownerId);
    const { tags } = bucket.configurations;
    return Promise.resolve(tags === null ? [] : parseTags(tags));
  },

  write: (tags) => ({ status: 200, headers: {}, body: resourceTagsElement(tags) }),
});
