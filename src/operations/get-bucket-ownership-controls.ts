// GetBucketOwnershipControls: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html
// The bucket's owner owns every object in it, and ACLs are off.
import { element } from "../bytes/xml.ts";
import { defineUnsetConfiguration } from "../contract/unset-configuration.ts";

export const getBucketOwnershipControls = defineUnsetConfiguration({
  name: "GetBucketOwnershipControls",
  actions: ["s3:GetBucketOwnershipControls"],
  subresource: "ownershipControls",
  answer: {
    root: "OwnershipControls",
    content: [element("Rule", [element("ObjectOwnership", "BucketOwnerEnforced")])],
  },
});
