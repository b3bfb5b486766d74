// GetObjectAcl: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html
import { defineOperation } from "../contract/operation.ts";
import { effectiveAcl } from "../protocol/acl/acl-rules.ts";
import { aclElement } from "../protocol/acl/acl-xml.ts";
import { readNamedVersion, requireVersion, versionIdHeader } from "../protocol/objects/object-reading.ts";
import { lookUpVersion } from "../state/metadata/objects.ts";

export const getObjectAcl = defineOperation({
  name: "GetObjectAcl",
  actions: ["s3:GetObjectAcl", "s3:GetObject"],
  versionActions: ["s3:GetObjectVersionAcl", "s3:GetObjectVersion"],
  route: { method: "GET", level: "object", query: ["acl"] },
  inputs: { query: ["versionId"] },
  read: readNamedVersion,
  lookUp: ({ bucketName, key, versionId }) => lookUpVersion(bucketName, key, versionId),
  subject: ({ object }) => object,

  run(_context, input, facts) {
    const { bucket } = facts;
    const object = requireVersion(input, facts);
    // The bucket's owner owns every object in it, including those that users wrote.
    const acl = effectiveAcl(object.acl, bucket);
    return Promise.resolve({ acl, headers: versionIdHeader(object, bucket.versioning !== null) });
  },

  write: ({ acl, headers }) => ({ status: 200, headers, body: aclElement(acl) }),
});
