// PutBucketOwnershipControls: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html
import { defineOperation } from "../contract/operation.ts";
import { givesOwnerAlone, parseAcl } from "../protocol/acl.ts";
import { addressedBucket } from "../protocol/addressing.ts";
import { readDocument } from "../protocol/document-body.ts";
import { ownershipText } from "../protocol/object-ownership.ts";
import { DOCUMENT } from "../protocol/operation-inputs.ts";
import { parseOwnershipControls } from "../protocol/ownership-controls.ts";
import { S3Error } from "../protocol/s3-error.ts";
import { lookUpBucket, setConfiguration } from "../state/buckets.ts";

export const putBucketOwnershipControls = defineOperation({
  name: "PutBucketOwnershipControls",
  actions: ["s3:PutBucketOwnershipControls"],
  route: { method: "PUT", level: "bucket", query: ["ownershipControls"] },
  inputs: DOCUMENT,
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, { bucketName }, { bucket }) {
    const ownership = parseOwnershipControls(await readDocument(context.request, context.openBody(), false));
    // Whoever is granted something by the bucket's list would lose it without being told.
    if (ownership === "BucketOwnerEnforced" && !givesOwnerAlone(parseAcl(bucket.configurations.acl, bucket.ownerId))) {
      throw new S3Error("InvalidBucketAclWithObjectOwnership", { BucketName: bucketName });
    }
    await context.database.batch([setConfiguration(bucket, "ownership", ownershipText(ownership))]);
  },

  write: () => ({ status: 200, headers: {} }),
});
