// Authorizes what operations need beyond their own actions: uploads for what their headers set or test, copies for
// their source. All checks run before a body is read.
import type { Access } from "../auth/access/access.ts";
import type { AuthorizationRequest, ObjectSubject } from "../auth/access/authorization-request.ts";
import { keysOfObject } from "../auth/access/object-keys.ts";
import { revealsVersion, type WriteConditions } from "../protocol/objects/conditions.ts";
import type { CopySource } from "../protocol/objects/copying.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { ObjectFacts } from "../protocol/objects/stored-object.ts";
import { requestTagKeys, type Tag } from "../protocol/core/tagging.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { requireSource, type SourceFacts, type SourceVersion } from "../state/reads/copy-sources.ts";
import type { Context } from "../contract/context.ts";
import type { FurtherAction } from "../contract/operation.ts";

/** The actions that uploads require in addition to s3:PutObject. */
export const UPLOAD_ACTIONS: readonly FurtherAction[] = [
  { action: "s3:PutObjectTagging", when: "with tags" },
  { action: "s3:PutObjectAcl", when: "with an access control list that grants access to others" },
  { action: "s3:PutObjectRetention", when: "with `x-amz-object-lock-mode`" },
  { action: "s3:PutObjectLegalHold", when: "with `x-amz-object-lock-legal-hold`" },
  { action: "s3:GetObject", when: "with a condition on the current version" },
];

/** The actions that copies require on their source. */
export const SOURCE_ACTIONS: readonly FurtherAction[] = [
  { action: "s3:GetObject", when: "on the source" },
  { action: "s3:GetObjectVersion", when: "on the source instead, when it names a version or a snapshot" },
];

/** The parts of an upload that need more than s3:PutObject. */
export interface UploadInput {
  readonly tags: readonly Tag[];
  readonly conditions: WriteConditions;
  /** The current version, whose tags and list affect whether the principal may read it. */
  readonly current: ObjectSubject | undefined;
}

/**
 * Authorizes what an upload needs in addition to s3:PutObject: setting tags, and testing the current ETag with
 * If-Match.
 * @throws S3Error AccessDenied
 */
export function requireUploadRights(
  { access, inputs }: Context,
  bucket: Bucket,
  key: string,
  upload: UploadInput,
): void {
  const on = { bucket, bucketName: bucket.name, key, inputs };
  const { tags } = upload;
  if (tags.length > 0) {
    access.requireAllowed({ ...on, actions: ["s3:PutObjectTagging"], conditionKeys: requestTagKeys(tags) });
  }
  if (revealsVersion(upload.conditions))
    access.requireAllowed({ ...on, actions: ["s3:GetObject"], object: upload.current });
}

/**
 * Returns the version that a copy names, after authorizing the read.
 * @param withTags whether the copy includes the source's tags
 * @throws S3Error AccessDenied, and what {@link requireSource} throws, masked unless the principal may list the bucket
 */
export function requireReadableSource(
  { access }: Context,
  source: CopySource,
  facts: SourceFacts,
  withTags: boolean,
): SourceVersion {
  const { bucket, object } = facts;
  if (bucket === undefined) throw new S3Error("NoSuchBucket", { BucketName: source.bucketName });
  const { key } = facts;
  const { versionId, snapshot } = source;
  const isVersion = versionId !== undefined || snapshot !== undefined;
  const on = { bucket, bucketName: bucket.name, key, versionId, object, isMissing: object === undefined };
  access.requireAllowed({ ...on, actions: [isVersion ? "s3:GetObjectVersion" : "s3:GetObject"] });
  try {
    const found = requireSource(source, facts);
    if (withTags && found.tags.length > 0) {
      access.requireAllowed({ ...on, actions: [isVersion ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging"] });
    }
    return found;
  } catch (error) {
    throw error instanceof S3Error ? access.maskNotFound(error, bucket, key) : error;
  }
}

/**
 * Authorizes what a deletion needs in addition to s3:DeleteObject: testing the version with conditions.
 * @throws S3Error AccessDenied
 */
export function requireDeletionRights(
  { access, inputs }: Context,
  bucket: Bucket,
  target: DeletionTarget,
  conditions: WriteConditions,
): void {
  if (revealsVersion(conditions)) access.requireAllowed({ ...readAuthorization(bucket, target), inputs });
}

/** The version that a deletion addresses, as the database has it. */
export interface DeletionTarget {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly object: ObjectSubject | undefined;
}

/** The read authorization that conditions on a version require. */
export function readAuthorization(bucket: Bucket, { key, versionId, object }: DeletionTarget): AuthorizationRequest {
  const actions = [versionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion"];
  return { actions, bucket, bucketName: bucket.name, key, versionId, object };
}

/**
 * Authorizes what a rename needs on its source: deleting it, and reading it when the rename has conditions on it. An
 * explicit Deny of reading also refuses the rename, because the object may be readable at its new key.
 * @throws S3Error AccessDenied
 */
export function requireRenameRights(
  { access }: Context,
  bucket: Bucket,
  sourceKey: string,
  object: ObjectSubject | undefined,
  testsSource: boolean,
): void {
  const on = { bucket, bucketName: bucket.name, key: sourceKey, object };
  access.requireAllowed({ ...on, actions: ["s3:DeleteObject"], explicitDenyActions: ["s3:GetObject"] });
  if (testsSource) access.requireAllowed({ ...on, actions: ["s3:GetObject"] });
}

/**
 * Checks that no explicit Deny forbids an object at a key, with its tags and its access control list. Restoring
 * a snapshot needs no Allow for each object.
 * @throws S3Error AccessDenied
 */
export function requireObjectNotDenied({ access }: Context, bucket: Bucket, key: string, object: ObjectFacts): void {
  const conditionKeys = keysOfObject(object);
  const on = { bucket, bucketName: bucket.name, key, conditionKeys };
  access.requireNotDenied({ ...on, actions: ["s3:PutObject"] });
  requireAttributesNotDenied(access, on, object);
}

/**
 * Authorizes what a rename needs on its destination: putting the source there. Call it again when the source turns out
 * to be another object than the one that dispatch authorized.
 * @throws S3Error AccessDenied
 */
export function requireMoveRights(
  { access, inputs }: Context,
  bucket: Bucket,
  key: string,
  object: ObjectFacts | undefined,
): void {
  const conditionKeys = object === undefined ? undefined : keysOfObject(object);
  const on = { bucket, bucketName: bucket.name, key, conditionKeys };
  access.requireAllowed({ ...on, actions: ["s3:PutObject"], inputs });
  if (object !== undefined) requireAttributesNotDenied(access, on, object);
}

function requireAttributesNotDenied(
  access: Access,
  on: Omit<AuthorizationRequest, "actions">,
  object: ObjectFacts,
): void {
  if (object.tags.length > 0) access.requireNotDenied({ ...on, actions: ["s3:PutObjectTagging"] });
  if (object.acl !== undefined) access.requireNotDenied({ ...on, actions: ["s3:PutObjectAcl"] });
}
