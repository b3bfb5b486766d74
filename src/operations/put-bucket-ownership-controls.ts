// PutBucketOwnershipControls: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html
import { defineOperation } from "../contract/operation.ts";
import { givesOwnerAlone, parseAcl } from "../protocol/acl/acl.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { ownershipText } from "../protocol/acl/object-ownership.ts";
import { DOCUMENT } from "../protocol/core/operation-inputs.ts";
import { parseOwnershipControls } from "../protocol/acl/ownership-controls.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { lookUpBucket, setConfiguration } from "../state/metadata/buckets.ts";

export const putBucketOwnershipControls = defineOperation({
  name: "PutBucketOwnershipControls",
  actions: ["s3:PutBucketOwnershipControls"],
  route: { method: "PUT", level: "bucket", query: ["ownershipControls"] },
  inputs: DOCUMENT,
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, { bucketName }, { bucket }) {
    const ownership = parseOwnershipControls(await readDocument(context.request, context.openBody()));
    // Whoever is granted something by the bucket's list would lose it without being told.
    if (ownership === "BucketOwnerEnforced" && !givesOwnerAlone(parseAcl(bucket.configurations.acl, bucket.ownerId))) {
      throw new S3Error("InvalidBucketAclWithObjectOwnership", { BucketName: bucketName });
    }
    await context.database.batch([setConfiguration(bucket, "ownership", ownershipText(ownership))]);
  },

  write: () => ({ status: 200, headers: {} }),
});
