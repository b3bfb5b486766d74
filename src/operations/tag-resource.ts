// TagResource: https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html
import { defineOperation } from "../contract/operation.ts";
import { checkControlAccount, CONTROL } from "../protocol/buckets/resource-tags.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { DOCUMENT, joinInputs } from "../protocol/core/operation-inputs.ts";
import { mergeTags, parseTagResource } from "../protocol/core/tagging.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";
import { changeBucketTags } from "../uploads/bucket-tags.ts";

export const tagResource = defineOperation({
  name: "TagResource",
  actions: ["s3:TagResource", "s3:PutBucketTagging"],
  route: { method: "POST", level: "tags" },
  inputs: joinInputs(CONTROL, DOCUMENT),
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, _input, { bucket }) {
    checkControlAccount(context.request, bucket.ownerId);
    const set = parseTagResource(await readDocument(context.request, context.openBody()));
    await changeBucketTags(context, bucket, (tags) => mergeTags(tags, set));
  },

  write: () => ({ status: 204, headers: {} }),
});
