// GetObjectRetention: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html
import { defineOperation } from "../contract/operation.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { retentionElement } from "../protocol/objects/object-lock.ts";
import { readNamedVersion, requireVersion, versionIdHeader } from "../protocol/objects/object-reading.ts";
import { lookUpVersion } from "../state/metadata/objects.ts";
import { requireObjectLock } from "../uploads/object-lock-rights.ts";

export const getObjectRetention = defineOperation({
  name: "GetObjectRetention",
  actions: ["s3:GetObjectRetention"],
  route: { method: "GET", level: "object", query: ["retention"] },
  inputs: { query: ["versionId"] },
  read: readNamedVersion,
  lookUp: ({ bucketName, key, versionId }) => lookUpVersion(bucketName, key, versionId),
  subject: ({ object }) => object,

  run(_context, input, facts) {
    requireObjectLock(facts.bucket);
    const object = requireVersion(input, facts);
    const { retention } = object;
    if (retention === undefined) throw new S3Error("NoSuchObjectLockConfiguration", { Key: input.key });
    return Promise.resolve({ retention, headers: versionIdHeader(object, true) });
  },

  write: ({ retention, headers }) => ({ status: 200, headers, body: retentionElement(retention) }),
});
