// GetObjectLegalHold: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html
import { defineOperation } from "../contract/operation.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { legalHoldElement } from "../protocol/objects/object-lock.ts";
import { readNamedVersion, requireVersion, versionIdHeader } from "../protocol/objects/object-reading.ts";
import { lookUpVersion } from "../state/metadata/objects.ts";
import { requireObjectLock } from "../uploads/object-lock-rights.ts";

export const getObjectLegalHold = defineOperation({
  name: "GetObjectLegalHold",
  actions: ["s3:GetObjectLegalHold"],
  route: { method: "GET", level: "object", query: ["legal-hold"] },
  inputs: { query: ["versionId"] },
  read: readNamedVersion,
  lookUp: ({ bucketName, key, versionId }) => lookUpVersion(bucketName, key, versionId),
  subject: ({ object }) => object,

  run(_context, input, facts) {
    requireObjectLock(facts.bucket);
    const object = requireVersion(input, facts);
    const { legalHold } = object;
    if (legalHold === undefined) throw new S3Error("NoSuchObjectLockConfiguration", { Key: input.key });
    return Promise.resolve({ legalHold, headers: versionIdHeader(object, true) });
  },

  write: ({ legalHold, headers }) => ({ status: 200, headers, body: legalHoldElement(legalHold) }),
});
