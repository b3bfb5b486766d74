// TagResource: https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html
import { defineOperation } from "../contract/operation.ts";
import { checkControlAccount, CONTROL } from "../protocol/buckets/resource-tags.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { DOCUMENT, joinInputs } from "../protocol/core/operation-inputs.ts";
import { mergeTags, parseTagResource, resourceTagKeys } from "../protocol/core/tagging.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";
import { changeBucketTags } from "../uploads/bucket-tags.ts";

const ACTIONS = ["s3:TagResource", "s3:PutBucketTagging"];

export const tagResource = defineOperation({
  name: "TagResource",
  actions: ACTIONS,
  authorizes: "run",
  route: { method: "POST", level: "tags" },
  inputs: joinInputs(CONTROL, DOCUMENT),
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, _input, { bucket }) {
    const { access, inputs, request } = context;
    const authorization = { actions: ACTIONS, bucket, bucketName: bucket.name, inputs };
    access.requirePossibleAllow(authorization);
    checkControlAccount(request, bucket.ownerId);
    const set = parseTagResource(await readDocument(request, context.openBody()));
    access.requireAllowed({ ...authorization, conditionKeys: resourceTagKeys(set) });
    await refuseContradictions(request, inputs);
    await changeBucketTags(context, bucket, (tags) => mergeTags(tags, set));
  },

  write: () => ({ status: 204, headers: {} }),
});
