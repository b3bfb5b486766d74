// PutObjectRetention: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html
import { formatIsoDate } from "../bytes/dates.ts";
import { defineOperation } from "../contract/operation.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { DOCUMENT, joinInputs } from "../protocol/core/operation-inputs.ts";
import { BYPASS_HEADER, lockKeys, parseRetention, readBypass, refusePast } from "../protocol/objects/object-lock.ts";
import { readNamedVersion, requireVersion, versionIdHeader } from "../protocol/objects/object-reading.ts";
import { lookUpBoth } from "../state/d1/database.ts";
import { storeVersionLock } from "../state/metadata/lock-records.ts";
import { referenceOf } from "../state/reads/copy-sources.ts";
import { lookUpVersion, type VersionFacts } from "../state/metadata/objects.ts";
import { lookUpDatabaseTime, setRetention } from "../state/metadata/version-locks.ts";
import { BYPASS_ACTION, requireBypass, requireObjectLock } from "../uploads/object-lock-rights.ts";

export const putObjectRetention = defineOperation({
  name: "PutObjectRetention",
  actions: ["s3:PutObjectRetention"],
  furtherActions: [BYPASS_ACTION],
  authorizes: "run",
  route: { method: "PUT", level: "object", query: ["retention"] },
  inputs: joinInputs(DOCUMENT, { query: ["versionId"], headers: [BYPASS_HEADER] }),
  read: (request) => ({ ...readNamedVersion(request), bypassesGovernance: readBypass(request) }),
  lookUp: ({ bucketName, key, versionId }) =>
    lookUpBoth(lookUpVersion(bucketName, key, versionId), lookUpDatabaseTime()),
  subject: ({ object }) => object,

  async run(context, input, facts) {
    const { bucket, object: addressed, databaseNow } = facts;
    const { key, versionId, bypassesGovernance } = input;
    const on = { bucket, bucketName: bucket.name, key, object: addressed, inputs: context.inputs };
    const authorization = { ...on, actions: ["s3:PutObjectRetention"] };
    context.access.requirePossibleAllow(authorization);
    const retention = parseRetention(await readDocument(context.request, context.openBody()));
    const conditionKeys = new Map(lockKeys({ retention, legalHold: undefined }, context.now));
    context.access.requireAllowed({ ...authorization, conditionKeys });
    await refuseContradictions(context.request, context.inputs);
    requireObjectLock(bucket);
    if (bypassesGovernance) requireBypass(context, { bucket, key, versionId, object: addressed });
    if (retention !== undefined) {
      const { retainUntil } = retention;
      refusePast("RetainUntilDate", formatIsoDate(retainUntil), retainUntil, databaseNow);
    }
    const target = {
      ...input,
      facts,
      choose: (found: VersionFacts) => requireVersion(input, found),
    };
    const { object, lock } = await setRetention(
      context.database,
      target,
      retention,
      bypassesGovernance,
      context.origin,
    );
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
