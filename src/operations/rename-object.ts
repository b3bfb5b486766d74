// RenameObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html
// AWS has it only for directory buckets; Cairn has it for every bucket that was never versioned. One batch moves the row,
// so readers find the object under exactly one of the two keys.
import { keysOfObject } from "../auth/access/object-keys.ts";
import type { Principal } from "../auth/identity/principal.ts";
import { digest } from "../bytes/digest.ts";
import { toHex } from "../bytes/hex-base64.ts";
import { utf8 } from "../bytes/text.ts";
import { checkMovedAcl } from "../uploads/acl-input.ts";
import type { Context } from "../contract/context.ts";
import { defineOperation, type Operation } from "../contract/operation.ts";
import { requireRenameRights, requireUploadRights, requireMoveRights } from "../uploads/rights.ts";
import { addressedObject } from "../protocol/core/addressing.ts";
import { refuseWrite } from "../protocol/objects/conditions.ts";
import { checkSourceConditions } from "../protocol/objects/copying.ts";
import { ACL_HEADERS, CUSTOMER_KEY, joinInputs, READ_CONDITIONS } from "../protocol/core/operation-inputs.ts";
import { checkDestinationDates, readRename, type Rename } from "../protocol/objects/renaming.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { StoredObject } from "../protocol/objects/stored-object.ts";
import type { Tag } from "../protocol/core/tagging.ts";
import { expirationHeader } from "../protocol/lifecycle/lifecycle-times.ts";
import type { Bucket, BucketFacts } from "../state/metadata/buckets.ts";
import { NO_HEAD, type KeyHead } from "../state/commit/heads.ts";
import { lookUpRename, moveStatements } from "../state/writes/renames.ts";

const MAX_ATTEMPTS = 4;
/** Refusals after which a new lookup shows the current source, destination or token. */
const RETRIED_REASONS: ReadonlySet<string> = new Set(["head changed", "source changed", "token used"]);

export const renameObject = defineOperation({
  name: "RenameObject",
  actions: ["s3:PutObject"],
  furtherActions: [
    { action: "s3:DeleteObject", when: "on the source" },
    { action: "s3:GetObject", when: "on the source or destination, when a condition applies to it" },
  ],
  route: { method: "PUT", level: "object", header: "x-amz-rename-source" },
  inputs: joinInputs(READ_CONDITIONS, {
    headers: [
      "x-amz-client-token",
      "x-amz-rename-source-if-match",
      "x-amz-rename-source-if-none-match",
      "x-amz-rename-source-if-modified-since",
      "x-amz-rename-source-if-unmodified-since",
    ],
    // A rename leaves the object unchanged, so headers that would set its properties are refused.
    refuses: [
      "x-amz-copy-source-*",
      ...(ACL_HEADERS.headers ?? []),
      ...(CUSTOMER_KEY.headers ?? []),
      "x-amz-metadata-directive",
      "x-amz-meta-*",
      "x-amz-storage-class",
      "x-amz-tagging",
      "x-amz-tagging-directive",
    ],
  }),

  read(request) {
    const { bucket, key } = addressedObject(request.address);
    return { bucketName: bucket, key, rename: readRename(request, bucket, key) };
  },

  lookUp: ({ bucketName, key, rename }) => lookUpRename(bucketName, key, rename),
  conditionKeys: (_input, { object }) => (object === undefined ? new Map() : keysOfObject(object)),

  async run(context, { bucketName, key, rename }, first) {
    const fingerprint = await fingerprintOf(rename, key, context.principal);
    let facts: Omit<typeof first, "bucket"> & BucketFacts = first;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const { bucket } = facts;
      if (bucket === undefined) throw new S3Error("NoSuchBucket", { BucketName: bucketName });
      const { object: source, isAnnotated } = facts;
      const observedHead = facts.heads.get(key) ?? NO_HEAD;
      authorizeRename(context, bucket, key, rename, source, observedHead);
      if (facts.usedToken !== undefined) {
        if (facts.usedToken !== fingerprint) throw new S3Error("IdempotencyParameterMismatch");
        return expirationOf(bucket, key, observedHead.current, observedHead.subject?.tags ?? []);
      }
      const checked = checkRename(context, bucket, key, rename, source, observedHead);
      const outcome = await context.coordinators.put(bucket, {
        key,
        observedHead,
        conditions: rename.conditions,
        object: checked,
        modifiedAt: checked.modifiedAt,
        newBlobIds: [],
        expectedHeads: new Map([[checked.key, checked.versionId]]),
        movedFrom: { key: checked.key, versionId: checked.versionId },
        readKeys: [],
        ...moveStatements(bucket, { source: checked, isAnnotated, key }, rename.token, fingerprint, context.now),
      });
      if (outcome.isDone) return expirationOf(bucket, key, checked, checked.tags);
      if (!RETRIED_REASONS.has(outcome.reason)) throw new S3Error(outcome.refusal.code, outcome.refusal.fields);
      facts = await context.database.look(lookUpRename(bucketName, key, rename));
    }
    throw new S3Error("ServiceUnavailable");
  },

  write: (headers) => ({ status: 200, headers }),
});

/** Authorizes a rename on its source and destination. @throws S3Error AccessDenied */
function authorizeRename(
  context: Context,
  bucket: Bucket,
  key: string,
  rename: Rename,
  source: StoredObject | undefined,
  observedHead: KeyHead,
): void {
  requireRenameRights(context, bucket, source?.key ?? rename.candidates[0] ?? key, source, rename.testsSource);
  requireDestinationRights(context, bucket, key, rename, observedHead);
  requireMoveRights(context, bucket, key, source);
}

/**
 * Checks the bucket's state, the keys, the access control list and the conditions of a rename.
 * @returns the source, which exists
 * @throws S3Error InvalidBucketState, NoSuchKey, InvalidRequest, AccessDenied, PreconditionFailed
 */
function checkRename(
  context: Context,
  bucket: Bucket,
  key: string,
  rename: Rename,
  source: StoredObject | undefined,
  { current }: KeyHead,
): StoredObject {
  if (bucket.versioning !== null) {
    const message = "Objects can be renamed only in buckets whose versioning never was enabled.";
    throw new S3Error("InvalidBucketState", { BucketName: bucket.name }, message);
  }
  if (source === undefined) throw new S3Error("NoSuchKey", { Key: rename.candidates[0] });
  if (source.key === key) {
    throw new S3Error("InvalidRequest", {}, "The source and the destination of a rename must be different keys.");
  }
  checkMovedAcl(context, bucket, key, source);
  // Unlike a copy, a rename also evaluates dates in the future.
  checkSourceConditions(context.request, source, Number.POSITIVE_INFINITY, "x-amz-rename-source-", "");
  const refusal = refuseWrite(rename.conditions, key, current, current);
  if (refusal !== undefined) throw new S3Error(refusal.code, refusal.fields);
  checkDestinationDates(rename, current);
  return source;
}

/** Authorizes what the conditions on the destination reveal: its ETag and date. @throws S3Error AccessDenied */
function requireDestinationRights(
  context: Context,
  bucket: Bucket,
  key: string,
  { conditions, ifModifiedSince, ifUnmodifiedSince }: Rename,
  { subject: current }: KeyHead,
): void {
  requireUploadRights(context, bucket, key, { tags: [], conditions, current });
  if (ifModifiedSince === undefined && ifUnmodifiedSince === undefined) return;
  const { access, inputs } = context;
  access.requireAllowed({ actions: ["s3:GetObject"], bucket, bucketName: bucket.name, key, object: current, inputs });
}

/** The `x-amz-expiration` header of the renamed object; empty when no lifecycle rule applies. */
function expirationOf(
  { configurations }: Bucket,
  key: string,
  object: { readonly size: number; readonly modifiedAt: number } | undefined,
  tags: readonly Tag[],
): Record<string, string> {
  if (object === undefined) return {};
  const { size, modifiedAt } = object;
  return expirationHeader(configurations.lifecycle, { key, tags, size, modifiedAt });
}

/** The same operation with `?renameObject`, which SDKs send. */
export const renameObjectByQuery: Operation = {
  ...renameObject,
  route: { method: "PUT", level: "object", query: ["renameObject"], header: "x-amz-rename-source" },
};

/** The request that a client token identifies: a rename by a principal. All sessions of a user are one principal. */
async function fingerprintOf(
  { rawSource, parameters }: Rename,
  key: string,
  { kind, accountId, creatorId }: Principal,
): Promise<string> {
  const requestPrincipal = [accountId, creatorId ?? kind];
  return toHex(await digest("SHA-256", utf8(JSON.stringify([key, rawSource, parameters, requestPrincipal]))));
}
