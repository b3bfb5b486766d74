// PutObjectLegalHold: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html
import { defineOperation } from "../contract/operation.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { DOCUMENT, joinInputs } from "../protocol/core/operation-inputs.ts";
import { lockKeys, parseLegalHold } from "../protocol/objects/object-lock.ts";
import { readNamedVersion, requireVersion, versionIdHeader } from "../protocol/objects/object-reading.ts";
import { storeVersionLock } from "../state/metadata/lock-records.ts";
import { referenceOf } from "../state/reads/copy-sources.ts";
import { lookUpVersion, type VersionFacts } from "../state/metadata/objects.ts";
import { setLegalHold } from "../state/metadata/version-locks.ts";
import { requireObjectLock } from "../uploads/object-lock-rights.ts";

export const putObjectLegalHold = defineOperation({
  name: "PutObjectLegalHold",
  actions: ["s3:PutObjectLegalHold"],
  authorizes: "run",
  route: { method: "PUT", level: "object", query: ["legal-hold"] },
  inputs: joinInputs(DOCUMENT, { query: ["versionId"] }),
  read: readNamedVersion,
  lookUp: ({ bucketName, key, versionId }) => lookUpVersion(bucketName, key, versionId),
  subject: ({ object }) => object,

  async run(context, input, facts) {
    const { bucket, object: addressed } = facts;
    const on = { bucket, bucketName: bucket.name, key: input.key, object: addressed, inputs: context.inputs };
    const authorization = { ...on, actions: ["s3:PutObjectLegalHold"] };
    context.access.requirePossibleAllow(authorization);
    const legalHold = parseLegalHold(await readDocument(context.request, context.openBody()));
    const conditionKeys = new Map(lockKeys({ retention: undefined, legalHold }, context.now));
    context.access.requireAllowed({ ...authorization, conditionKeys });
    await refuseContradictions(context.request, context.inputs);
    requireObjectLock(bucket);
    const target = { ...input, facts, choose: (found: VersionFacts) => requireVersion(input, found) };
    const { object, lock } = await setLegalHold(context.database, target, legalHold);
    const version = {
      bucketId: bucket.id,
      key: object.key,
      versionId: object.versionId,
      referenceId: referenceOf(object),
      changedAt: context.now,
    };
    await storeVersionLock(context.blobs, version, lock);
    return versionIdHeader(object, true);
  },

  write: (headers) => ({ status: 200, headers }),
});
