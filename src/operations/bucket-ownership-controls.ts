// GetBucketOwnershipControls, PutBucketOwnershipControls, DeleteBucketOwnershipControls:
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html
import { defineBucketConfiguration } from "../contract/bucket-configuration.ts";
import { isOwnerOnlyAcl, parseAcl } from "../protocol/acl/acl.ts";
import { DELETED_OWNERSHIP, ownershipOf, ownershipText } from "../protocol/acl/object-ownership.ts";
import { ownershipControlsElement, parseOwnershipControls } from "../protocol/acl/ownership-controls.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { setConfiguration } from "../state/metadata/buckets.ts";

export const bucketOwnershipControls = defineBucketConfiguration({
  subresource: "ownershipControls",
  get: { name: "GetBucketOwnershipControls", actions: ["s3:GetBucketOwnershipControls"] },
  put: { name: "PutBucketOwnershipControls", actions: ["s3:PutBucketOwnershipControls"], status: 200 },
  delete: { name: "DeleteBucketOwnershipControls", actions: ["s3:PutBucketOwnershipControls"] },
  load: ({ configurations }) => ownershipOf(configurations.ownership),
  missing: "OwnershipControlsNotFoundError",
  async parseBody(context, { name, ownerId, configurations }) {
    const ownership = parseOwnershipControls(await readDocument(context.request, context.openBody()));
    // Disabling lists would revoke the access of the list's grantees without notice.
    if (ownership === "BucketOwnerEnforced" && !isOwnerOnlyAcl(parseAcl(configurations.acl, ownerId))) {
      throw new S3Error("InvalidBucketAclWithObjectOwnership", { BucketName: name });
    }
    return ownership;
  },
  store: (bucket, ownership) =>
    setConfiguration(bucket, "ownership", ownership === undefined ? DELETED_OWNERSHIP : ownershipText(ownership)),
  render: (ownership) => ({ body: ownershipControlsElement(ownership) }),
});
