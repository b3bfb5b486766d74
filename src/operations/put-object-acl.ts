// PutObjectAcl: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html
import { readAcl } from "../uploads/acl-input.ts";
import { defineOperation } from "../contract/operation.ts";
import { readAclHeaders } from "../protocol/acl/acl-headers.ts";
import { readNamedVersion, requireVersion, versionIdHeader } from "../protocol/objects/object-reading.ts";
import { joinInputs, DOCUMENT, ACL_HEADERS } from "../protocol/core/operation-inputs.ts";
import { lookUpVersion, type VersionFacts } from "../state/metadata/objects.ts";
import { setVersionAcl } from "../state/metadata/version-attributes.ts";

export const putObjectAcl = defineOperation({
  name: "PutObjectAcl",
  actions: ["s3:PutObjectAcl"],
  versionActions: ["s3:PutObjectVersionAcl"],
  route: { method: "PUT", level: "object", query: ["acl"] },
  inputs: joinInputs(DOCUMENT, ACL_HEADERS, { query: ["versionId"] }),

  read: (request, { accountId }) => ({
    ...readNamedVersion(request),
    acl: readAclHeaders(request, accountId, "object"),
  }),

  lookUp: ({ bucketName, key, versionId }) => lookUpVersion(bucketName, key, versionId),
  subject: ({ object }) => object,

  async run(context, input, facts) {
    const text = await readAcl(context, facts.bucket, input.acl);
    // A delete marker has no list. It is refused as one even when it is current and the request names no version.
    const choose = (found: VersionFacts) =>
      requireVersion({ ...input, versionId: input.versionId ?? found.deleteMarker?.versionId }, found);
    const object = await setVersionAcl(context.database, input, facts, choose, text, context.origin);
    return versionIdHeader(object, facts.bucket.versioning !== null);
  },

  write: (headers) => ({ status: 200, headers }),
});
