// DeleteObjects: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
import type { ObjectSubject } from "../auth/access/authorization-request.ts";
import { ownerOf } from "../auth/identity/principal.ts";
import { element, optionalElement, type XmlElement } from "../bytes/xml.ts";
import type { Context } from "../contract/context.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { BYPASS_ACTION, mayBypass, refuseUnlockedBypass } from "../uploads/object-lock-rights.ts";
import { readAuthorization } from "../uploads/rights.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { refuseVersion, revealsVersion } from "../protocol/objects/conditions.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import { DELETIONS_MAX_BYTES, parseDeletions, type Deletion } from "../protocol/objects/deletions.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { BYPASS_HEADER, readBypass } from "../protocol/objects/object-lock.ts";
import { DOCUMENT, joinInputs } from "../protocol/core/operation-inputs.ts";
import { S3Error, S3_NAMESPACE, type S3ErrorCode } from "../protocol/core/s3-error.ts";
import { lookUpBucket, type Bucket } from "../state/metadata/buckets.ts";
import type { ChangeOutcome } from "../state/writes/changes.ts";
import { lookUpBoth, type Lookup } from "../state/d1/database.ts";
import { currentHeads, NO_HEAD, type KeyHead } from "../state/commit/heads.ts";
import { lookUpTargets, targetName, type FoundVersion } from "../state/metadata/version-targets.ts";

interface DeletionResult {
  readonly deletion: Deletion;
  /** Undefined when the deletion succeeded. */
  readonly code: S3ErrorCode | undefined;
  /** A more specific message than the code's default. */
  readonly message?: string | undefined;
  /** The delete marker that was created or deleted. */
  readonly deleteMarkerVersionId: string | undefined;
}

export const deleteObjects = defineOperation({
  name: "DeleteObjects",
  actions: ["s3:DeleteObject"],
  authorizes: "run",
  furtherActions: [
    { action: "s3:DeleteObjectVersion", when: "instead, for each key with a version id" },
    { action: "s3:GetObject", when: "for each key with a condition" },
    { action: BYPASS_ACTION.action, when: `for each key, ${BYPASS_ACTION.when ?? ""}` },
  ],
  route: { method: "POST", level: "bucket", query: ["delete"] },
  inputs: joinInputs(DOCUMENT, { headers: [BYPASS_HEADER] }),

  read: (request) => ({ bucketName: addressedBucket(request.address), bypassesGovernance: readBypass(request) }),

  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, { bypassesGovernance }, { bucket }) {
    const actions = ["s3:DeleteObject", "s3:DeleteObjectVersion"];
    context.access.requirePossibleAllow({ actions, bucket, bucketName: bucket.name });
    const document = await readDocument(context.request, context.openBody(), DELETIONS_MAX_BYTES);
    const { deletions, isQuiet } = parseDeletions(document);
    if (bypassesGovernance) refuseUnlockedBypass(bucket);
    const results = new Map<Deletion, DeletionResult>();
    const sound = deletions.filter((deletion) => {
      if (deletion.problem !== undefined) return false;
      if (mayDelete(context, bucket, deletion)) return true;
      results.set(deletion, { deletion, code: "AccessDenied", deleteMarkerVersionId: undefined });
      return false;
    });
    if (sound.length > 0) await refuseContradictions(context.request, context.inputs);
    // Versions first, so that a key that is listed with and without a version id ends up deleted.
    const named = sound.filter((deletion) => deletion.versionId !== undefined);
    const purged = await purgeNamed(context, bucket, named, bypassesGovernance);
    const current = sound.filter((deletion) => deletion.versionId === undefined);
    const deleted = await deleteCurrent(context, bucket, current, bypassesGovernance);
    for (const result of [...purged, ...deleted]) results.set(result.deletion, maskNotFound(context, bucket, result));
    return {
      isQuiet,
      results: deletions.map(
        (deletion): DeletionResult =>
          results.get(deletion) ?? { deletion, code: deletion.problem, deleteMarkerVersionId: undefined },
      ),
    };
  },

  write: ({ results, isQuiet }): S3Response => ({
    status: 200,
    headers: {},
    body: element(
      "DeleteResult",
      results
        .filter(({ code }) => code !== undefined || !isQuiet)
        .map((result) => (result.code === undefined ? deletedElement(result) : errorElement(result, result.code))),
      { xmlns: S3_NAMESPACE },
    ),
  }),
});

/** Authorizes each key like a DeleteObject request of its own. */
function mayDelete({ access }: Context, bucket: Bucket, { key, versionId, conditions }: Deletion): boolean {
  const actions = [versionId === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion"];
  const { ifMatch } = conditions;
  // Conditions of an entry are in the document; the request's headers apply to no key of it.
  const conditionKeys = new Map(ifMatch === undefined ? [] : [["s3:if-match", [ifMatch]]]);
  return access.allows({ actions, bucket, bucketName: bucket.name, key, versionId, conditionKeys });
}

/** Whether the principal may learn what the deletion's conditions reveal about the version. */
function mayTest(
  { access }: Context,
  bucket: Bucket,
  { key, versionId, conditions }: Deletion,
  object: ObjectSubject | undefined,
): boolean {
  return !revealsVersion(conditions) || access.allows(readAuthorization(bucket, { key, versionId, object }));
}

/** Masks the failed condition of a missing key exactly as DeleteObject does. */
function maskNotFound({ access }: Context, bucket: Bucket, result: DeletionResult): DeletionResult {
  if (result.code === undefined) return result;
  const { code } = access.maskNotFound(new S3Error(result.code), bucket, result.deletion.key);
  return code === result.code ? result : { ...result, code, message: undefined };
}

async function deleteCurrent(
  context: Context,
  bucket: Bucket,
  deletions: readonly Deletion[],
  bypassesGovernance: boolean,
): Promise<DeletionResult[]> {
  if (deletions.length === 0) return [];
  const keys = deletions.map(({ key }) => key);
  const heads = await context.database.look(currentHeads(bucket.id, keys));
  const ownerId = ownerOf(context.principal);
  const changes = deletions.map((deletion) => {
    const observedHead = heads.get(deletion.key) ?? NO_HEAD;
    const isBypassForbidden = bypassesGovernance && !mayBypass(context, { ...deletion, bucket, object: undefined });
    const isForbidden = isBypassForbidden || !mayTest(context, bucket, deletion, observedHead.subject);
    return { ...deletion, observedHead, isForbidden };
  });
  // In a bucket that was never versioned and has no upstream, deleting a missing key has no effect unless it has conditions.
  const effective = changes.filter(
    ({ observedHead, conditions, isForbidden }) =>
      !isForbidden &&
      (bucket.versioning !== null ||
        bucket.configurations.upstream !== null ||
        observedHead.current !== undefined ||
        Object.keys(conditions).length > 0),
  );
  const outcomes = await context.coordinators.delete(
    bucket,
    effective.map(({ key, observedHead, conditions }) => ({ key, observedHead, conditions, ownerId })),
  );
  const ended = new Map(effective.map((change, index) => [change, outcomes[index]]));
  return changes.map((change, index) => {
    const outcome = ended.get(change);
    const isDone = !change.isForbidden && (!ended.has(change) || outcome?.isDone === true);
    const marker = outcome?.isDone === true && outcome.versionId !== undefined ? outcome : undefined;
    return {
      deletion: deletions[index] ?? change,
      code: isDone ? undefined : change.isForbidden ? "AccessDenied" : codeOf(outcome),
      deleteMarkerVersionId:
        marker?.versionId === undefined ? undefined : marker.isNullVersion ? "null" : marker.versionId,
    };
  });
}

async function purgeNamed(
  context: Context,
  bucket: Bucket,
  deletions: readonly Deletion[],
  bypassesGovernance: boolean,
): Promise<DeletionResult[]> {
  if (deletions.length === 0) return [];
  const keys = Array.from(new Set(deletions.map(({ key }) => key)));
  const lookup = lookUpBoth(lookUpTargets(bucket.id, deletions), headsLookup(bucket.id, keys));
  const { targets, heads } = await context.database.look(lookup);
  const refusals = new Map<Deletion, S3ErrorCode>();
  const changes = deletions.flatMap((deletion) => {
    const target = targets.get(targetName(deletion));
    const refusal =
      bypassesGovernance && !mayBypass(context, { ...deletion, bucket, object: target })
        ? "AccessDenied"
        : refusalOf(context, bucket, deletion, target);
    if (refusal !== undefined) refusals.set(deletion, refusal);
    if (target === undefined || refusal !== undefined) return [];
    const observedHead = heads.get(deletion.key) ?? NO_HEAD;
    const { versionId } = target;
    const change = { key: deletion.key, observedHead, conditions: {}, versionId, bypassesGovernance };
    return [{ deletion, change }];
  });
  const outcomes = await context.coordinators.purge(
    bucket,
    changes.map(({ change }) => change),
  );
  const ended = new Map(changes.map(({ deletion }, index) => [deletion, outcomes[index]]));
  return deletions.map((deletion) => {
    const outcome = ended.get(deletion);
    const isMarker = targets.get(targetName(deletion))?.isDeleteMarker === true;
    const failure = ended.has(deletion) && outcome?.isDone !== true ? codeOf(outcome) : refusals.get(deletion);
    return {
      deletion,
      code: failure,
      message: outcome?.isDone === false ? outcome.refusal.message : undefined,
      deleteMarkerVersionId: failure === undefined && isMarker ? deletion.versionId : undefined,
    };
  });
}

/** The error that prevents the deletion of a named version: a missing permission or a failed condition. */
function refusalOf(
  context: Context,
  bucket: Bucket,
  deletion: Deletion,
  target: FoundVersion | undefined,
): S3ErrorCode | undefined {
  const { key, versionId = "null", conditions } = deletion;
  if (!mayTest(context, bucket, deletion, target)) return "AccessDenied";
  return refuseVersion(conditions, { key, versionId }, target?.isDeleteMarker === true ? "delete marker" : target)
    ?.code;
}

function headsLookup(bucketId: string, keys: readonly string[]): Lookup<{ heads: ReadonlyMap<string, KeyHead> }> {
  const { statements, read } = currentHeads(bucketId, keys);
  return { statements, read: (results) => ({ heads: read(results) }) };
}

function codeOf(outcome: ChangeOutcome | undefined): S3ErrorCode {
  return outcome === undefined || outcome.isDone ? "ServiceUnavailable" : outcome.refusal.code;
}

function deletedElement({ deletion: { key, versionId }, deleteMarkerVersionId }: DeletionResult): XmlElement {
  return element("Deleted", [
    element("Key", key),
    optionalElement("VersionId", versionId),
    deleteMarkerVersionId === undefined ? undefined : element("DeleteMarker", true),
    optionalElement("DeleteMarkerVersionId", deleteMarkerVersionId),
  ]);
}

function errorElement({ deletion, message }: DeletionResult, code: S3ErrorCode): XmlElement {
  const error = new S3Error(code, {}, message);
  return element("Error", [
    element("Key", deletion.key),
    optionalElement("VersionId", deletion.versionId),
    element("Code", error.code),
    element("Message", error.message),
  ]);
}
