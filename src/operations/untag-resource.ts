// UntagResource: https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_UntagResource.html
import { defineOperation } from "../contract/operation.ts";
import { checkControlAccount, CONTROL } from "../protocol/buckets/resource-tags.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { joinInputs } from "../protocol/core/operation-inputs.ts";
import { invalidArgument } from "../protocol/core/s3-error.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";
import { changeBucketTags } from "../uploads/bucket-tags.ts";

export const untagResource = defineOperation({
  name: "UntagResource",
  actions: ["s3:UntagResource", "s3:PutBucketTagging"],
  route: { method: "DELETE", level: "tags" },
  inputs: joinInputs(CONTROL, { query: ["tagKeys"] }),

  read(request) {
    const keys = request.query.all("tagKeys");
    // No tag has an empty key.
    if (keys.length === 0 || keys.includes(""))
      throw invalidArgument("tagKeys", undefined, "The keys of the tags to remove are missing.");
    return { bucketName: addressedBucket(request.address), keys: new Set(keys) };
  },

  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  conditionKeys: ({ keys }) => new Map([["aws:tagkeys", [...keys]]]),

  async run(context, { keys }, { bucket }) {
    checkControlAccount(context.request, bucket.ownerId);
    await changeBucketTags(context, bucket, (tags) => tags.filter(({ key }) => !keys.has(key)));
  },

  write: () => ({ status: 204, headers: {} }),
});
