// RenameObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html
// In AWS for directory buckets alone; here for every bucket that never was versioned. One batch moves the row, so a
// reader finds the object under exactly one of the two keys.
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
import type { Tag } from "../protocol/core/tagging.ts";
import { expirationHeader } from "../protocol/lifecycle/lifecycle-times.ts";
import type { Bucket, BucketFacts } from "../state/metadata/buckets.ts";
import { lookUpBoth } from "../state/d1/database.ts";
import { lookUpHeads, NO_HEAD, type KeyHead } from "../state/commit/heads.ts";
import { lookUpRename, moveStatements } from "../state/writes/renames.ts";

const TURNS = 4;
const LOOK_AGAIN: ReadonlySet<string> = new Set(["head changed", "source changed", "token used"]);

export const renameObject = defineOperation({
  name: "RenameObject",
  actions: ["s3:PutObject"],
  furtherActions: [
    { action: "s3:DeleteObject", when: "on the source" },
    { action: "s3:GetObject", when: "on each of the two on which there are conditions" },
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
    // What it would say of the destination is what the source is; it changes none of it.
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

  lookUp: ({ bucketName, key, rename }) => lookUpBoth(lookUpHeads(bucketName, [key]), lookUpRename(bucketName, rename)),
  conditionKeys: (_input, { sources: [source] }) => (source === undefined ? new Map() : keysOfObject(source)),

  async run(context, { bucketName, key, rename }, first) {
    const fingerprint = await fingerprintOf(rename, key, context.principal);
    let facts: Omit<typeof first, "bucket"> & BucketFacts = first;
    for (let turn = 0; turn < TURNS; turn += 1) {
      const { bucket } = facts;
      if (bucket === undefined) throw new S3Error("NoSuchBucket", { BucketName: bucketName });
      const [source] = facts.sources;
      const observedHead = facts.heads.get(key) ?? NO_HEAD;
      requireRenameRights(context, bucket, source?.key ?? rename.candidates[0] ?? key, source, rename.testsSource);
      requireDestinationRights(context, bucket, key, rename, observedHead);
      requireMoveRights(context, bucket, key, source);
      if (facts.usedToken !== undefined) {
        if (facts.usedToken === fingerprint)
          return expirationOf(bucket, key, observedHead.current, observedHead.subject?.tags ?? []);
        throw new S3Error("IdempotencyParameterMismatch");
      }
      if (bucket.versioning !== null) {
        const message = "Objects can be renamed only in buckets whose versioning never was enabled.";
        throw new S3Error("InvalidBucketState", { BucketName: bucketName }, message);
      }
      if (source === undefined) throw new S3Error("NoSuchKey", { Key: rename.candidates[0] });
      if (source.key === key) {
        throw new S3Error("InvalidRequest", {}, "The source and the destination of a rename must be different keys.");
      }
      checkMovedAcl(context, bucket, key, source);
      // Unlike a copy's, a rename's dates count in the future as well.
      checkSourceConditions(context.request, source, Number.POSITIVE_INFINITY, "x-amz-rename-source-", "");
      const refusal = refuseWrite(rename.conditions, key, observedHead.current, observedHead.current);
      if (refusal !== undefined) throw new S3Error(refusal.code, refusal.fields);
      checkDestinationDates(rename, observedHead.current);
      const outcome = await context.coordinators.put(bucket, {
        key,
        observedHead,
        conditions: rename.conditions,
        object: source,
        modifiedAt: source.modifiedAt,
        newBlobIds: [],
        expectedHeads: new Map([[source.key, source.versionId]]),
        ...moveStatements(bucket, source, key, rename.token, fingerprint, context.now),
      });
      if (outcome.isDone) return expirationOf(bucket, key, source, source.tags);
      // The source moved, or its bytes did, or the token was used meanwhile: all is seen by looking again.
      if (!LOOK_AGAIN.has(outcome.reason)) {
        throw new S3Error(outcome.refusal.code, outcome.refusal.fields);
      }
      facts = await context.database.look(lookUpBoth(lookUpHeads(bucketName, [key]), lookUpRename(bucketName, rename)));
    }
    throw new S3Error("ServiceUnavailable");
  },

  write: (headers) => ({ status: 200, headers }),
});

/** Asks for what the conditions on the destination tell: its ETag, and when it was modified. @throws S3Error AccessDenied */
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
  access.require({ actions: ["s3:GetObject"], bucket, bucketName: bucket.name, key, object: current, inputs });
}

/** The header that tells when a lifecycle rule will end what was renamed. */
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

/** The same operation as SDKs ask for it, with `?renameObject`. */
export const renameObjectByQuery: Operation = {
  ...renameObject,
  route: { method: "PUT", level: "object", query: ["renameObject"], header: "x-amz-rename-source" },
};

/** What a token stands for: a rename, and who asked for it. A user's sessions are the user, whatever its name. */
async function fingerprintOf(
  { rawSource, parameters }: Rename,
  key: string,
  { kind, accountId, creatorId }: Principal,
): Promise<string> {
  const requestPrincipal = [accountId, creatorId ?? kind];
  return toHex(await digest("SHA-256", utf8(JSON.stringify([key, rawSource, parameters, requestPrincipal]))));
}
