// PutBucketAcl: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html
import { readAcl } from "../uploads/acl-input.ts";
import { defineOperation } from "../contract/operation.ts";
import { readAclHeaders } from "../protocol/acl/acl-headers.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { joinInputs, DOCUMENT, ACL_HEADERS } from "../protocol/core/operation-inputs.ts";
import { lookUpBucket, setConfiguration } from "../state/metadata/buckets.ts";

export const putBucketAcl = defineOperation({
  name: "PutBucketAcl",
  actions: ["s3:PutBucketAcl"],
  route: { method: "PUT", level: "bucket", query: ["acl"] },
  inputs: joinInputs(DOCUMENT, ACL_HEADERS),

  read: (request, { accountId }) => ({
    bucketName: addressedBucket(request.address),
    acl: readAclHeaders(request, accountId, "bucket"),
  }),

  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, { acl }, { bucket }) {
    const text = await readAcl(context, bucket, acl);
    await context.database.batch([setConfiguration(bucket, "acl", text)]);
  },

  write: () => ({ status: 200, headers: {} }),
});
