// DeleteObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
import { ownerOf } from "../auth/identity/principal.ts";
import type { Context } from "../contract/context.ts";
import { defineOperation } from "../contract/operation.ts";
import { BYPASS_ACTION, requireBypass } from "../uploads/object-lock-rights.ts";
import { requireDeletionRights } from "../uploads/rights.ts";
import { addressedObject } from "../protocol/core/addressing.ts";
import {
  readDeleteConditions,
  refuseVersion,
  refuseWrite,
  type WriteConditions,
} from "../protocol/objects/conditions.ts";
import { BYPASS_HEADER, readBypass } from "../protocol/objects/object-lock.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { shownVersionId } from "../protocol/objects/stored-object.ts";
import { readVersionId } from "../protocol/core/version-id.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { ChangeOutcome } from "../state/writes/changes.ts";
import { lookUpBoth } from "../state/d1/database.ts";
import { lookUpCurrentHead, lookUpHeads, NO_HEAD, type KeyHead } from "../state/commit/heads.ts";
import { lookUpVersion, type VersionFacts } from "../state/metadata/objects.ts";

export const deleteObject = defineOperation({
  name: "DeleteObject",
  actions: ["s3:DeleteObject"],
  versionActions: ["s3:DeleteObjectVersion"],
  furtherActions: [{ action: "s3:GetObject", when: "with a condition on the current version" }, BYPASS_ACTION],
  route: { method: "DELETE", level: "object" },
  inputs: {
    query: ["versionId"],
    headers: ["if-match", "x-amz-if-match-size", "x-amz-if-match-last-modified-time", BYPASS_HEADER],
  },

  read(request) {
    const { bucket, key } = addressedObject(request.address);
    return {
      bucketName: bucket,
      key,
      versionId: readVersionId(request.query),
      conditions: readDeleteConditions(request),
      bypassesGovernance: readBypass(request),
    };
  },

  lookUp: ({ bucketName, key, versionId }) =>
    versionId === undefined
      ? lookUpCurrentHead(bucketName, key)
      : lookUpBoth(lookUpVersion(bucketName, key, versionId), lookUpHeads(bucketName, [key])),

  async run(context, input, { bucket, heads, object, deleteMarker }) {
    const { key, versionId, conditions, bypassesGovernance } = input;
    if (bypassesGovernance) requireBypass(context, { bucket, key, versionId, object });
    requireDeletionRights(context, bucket, { key, versionId, object }, conditions);
    const observedHead = heads.get(key) ?? NO_HEAD;
    if (versionId === undefined) return deleteCurrent(context, bucket, { key, observedHead, conditions });
    const target = object ?? (deleteMarker === undefined ? undefined : "delete marker");
    const refusal = refuseVersion(conditions, { key, versionId }, target);
    if (refusal !== undefined) throw new S3Error(refusal.code, refusal.fields);
    return purgeVersion(context, bucket, { key, observedHead, versionId, bypassesGovernance }, object, deleteMarker);
  },

  write: ({ versionId, isDeleteMarker }) => ({
    status: 204,
    headers: {
      ...(versionId === undefined ? {} : { "x-amz-version-id": versionId }),
      ...(isDeleteMarker ? { "x-amz-delete-marker": "true" } : {}),
    },
  }),
});

interface Deleted {
  readonly versionId: string | undefined;
  readonly isDeleteMarker: boolean;
}

async function deleteCurrent(
  context: Context,
  bucket: Bucket,
  {
    key,
    observedHead,
    conditions,
  }: { readonly key: string; readonly observedHead: KeyHead; readonly conditions: WriteConditions },
): Promise<Deleted> {
  const refusal = refuseWrite(conditions, key, observedHead.current, observedHead.current);
  if (refusal !== undefined) throw new S3Error(refusal.code, refusal.fields);
  // A bucket that was never versioned gets no delete marker for a missing key, which its upstream may have.
  if (bucket.versioning === null && observedHead.current === undefined && bucket.configurations.upstream === null)
    return { versionId: undefined, isDeleteMarker: false };
  const ownerId = ownerOf(context.principal);
  const [outcome] = await context.coordinators.delete(bucket, [{ key, observedHead, conditions, ownerId }]);
  const { versionId, isNullVersion } = requireDone(outcome);
  if (versionId === undefined) return { versionId, isDeleteMarker: false };
  return { versionId: shownVersionId({ versionId, isNullVersion }), isDeleteMarker: true };
}

async function purgeVersion(
  context: Context,
  bucket: Bucket,
  {
    key,
    observedHead,
    versionId,
    bypassesGovernance,
  }: {
    readonly key: string;
    readonly observedHead: KeyHead;
    readonly versionId: string;
    readonly bypassesGovernance: boolean;
  },
  object: VersionFacts["object"],
  deleteMarker: VersionFacts["deleteMarker"],
): Promise<Deleted> {
  const target = object ?? deleteMarker;
  if (target !== undefined) {
    const [outcome] = await context.coordinators.purge(bucket, [
      { key, observedHead, conditions: {}, versionId: target.versionId, bypassesGovernance },
    ]);
    requireDone(outcome);
  }
  return { versionId, isDeleteMarker: deleteMarker !== undefined };
}

function requireDone(outcome: ChangeOutcome | undefined): Extract<ChangeOutcome, { isDone: true }> {
  if (outcome === undefined) throw new S3Error("ServiceUnavailable");
  if (!outcome.isDone) throw new S3Error(outcome.refusal.code, outcome.refusal.fields, outcome.refusal.message);
  return outcome;
}
