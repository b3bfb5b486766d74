// GetObjectAcl: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html
import { defineOperation } from "../contract/operation.ts";
import { ownerAclElement } from "../protocol/acl-xml.ts";
import { readNamedVersion, requireVersion, versionIdHeader } from "../protocol/object-reading.ts";
import { lookUpVersion } from "../state/objects.ts";

export const getObjectAcl = defineOperation({
  name: "GetObjectAcl",
  actions: ["s3:GetObjectAcl", "s3:GetObject"],
  versionActions: ["s3:GetObjectVersionAcl", "s3:GetObjectVersion"],
  route: { method: "GET", level: "object", query: ["acl"] },
  read: readNamedVersion,
  lookUp: ({ bucketName, key, versionId }) => lookUpVersion(bucketName, key, versionId),
  subject: ({ object }) => object,

  run(_context, input, facts) {
    const object = requireVersion(input, facts);
    // The bucket's owner owns every object in it, whoever wrote it.
    const headers = versionIdHeader(object, facts.bucket.versioning !== null);
    return Promise.resolve({ ownerId: facts.bucket.ownerId, headers });
  },

  write: ({ ownerId, headers }) => ({ status: 200, headers, body: ownerAclElement(ownerId) }),
});
