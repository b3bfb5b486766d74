// What operations ask for besides their own actions: of uploads for what their headers set or test, of copies for their
// source. Each is asked for before a body is read.
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

/** What uploads ask for besides s3:PutObject. */
export const UPLOAD_ACTIONS: readonly FurtherAction[] = [
  { action: "s3:PutObjectTagging", when: "with tags" },
  { action: "s3:PutObjectAcl", when: "with an access control list that grants others something" },
  { action: "s3:GetObject", when: "with a condition on what is there" },
];

/** What copies ask for on their source. */
export const SOURCE_ACTIONS: readonly FurtherAction[] = [
  { action: "s3:GetObject", when: "on the source" },
  { action: "s3:GetObjectVersion", when: "on the source instead, for a version of it or at a snapshot" },
];

/** What of an upload needs more than s3:PutObject. */
export interface UploadInput {
  readonly tags: readonly Tag[];
  readonly conditions: WriteConditions;
  /** What is at the key now, where its tags and its list bear on whether it may be read. */
  readonly current: ObjectSubject | undefined;
}

/**
 * Asks for what an upload needs besides s3:PutObject: to set tags, and to learn by If-Match which ETag is there.
 * @throws S3Error AccessDenied
 */
export function requireUploadRights(
  { access, inputs }: Context,
  bucket: Bucket,
  key: string,
  wishes: UploadInput,
): void {
  const on = { bucket, bucketName: bucket.name, key, inputs };
  const { tags } = wishes;
  if (tags.length > 0) {
    access.require({ ...on, actions: ["s3:PutObjectTagging"], conditionKeys: requestTagKeys(tags) });
  }
  if (revealsVersion(wishes.conditions)) access.require({ ...on, actions: ["s3:GetObject"], object: wishes.current });
}

/**
 * The version that a copy means, once its reading is granted.
 * @param withTags whether its tags are copied as well
 * @throws S3Error AccessDenied, and what {@link requireSource} throws; of what is not there, only what the caller may know
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
  access.require({ ...on, actions: [isVersion ? "s3:GetObjectVersion" : "s3:GetObject"] });
  try {
    const found = requireSource(source, facts);
    if (withTags && found.tags.length > 0) {
      access.require({ ...on, actions: [isVersion ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging"] });
    }
    return found;
  } catch (error) {
    throw error instanceof S3Error ? access.maskNotFound(error, bucket, key) : error;
  }
}

/**
 * Asks for what a deletion needs besides s3:DeleteObject: to learn by conditions what is there.
 * @throws S3Error AccessDenied
 */
export function requireDeletionRights(
  { access, inputs }: Context,
  bucket: Bucket,
  target: DeletionTarget,
  conditions: WriteConditions,
): void {
  if (revealsVersion(conditions)) access.require({ ...readingOf(bucket, target), inputs });
}

/** What a deletion is of, and what is there. */
export interface DeletionTarget {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly object: ObjectSubject | undefined;
}

/** The demand that conditions on a version come to. */
export function readingOf(bucket: Bucket, { key, versionId, object }: DeletionTarget): AuthorizationRequest {
  const actions = [versionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion"];
  return { actions, bucket, bucketName: bucket.name, key, versionId, object };
}

/**
 * Asks for what a rename needs at its source: to take the object away from there, and to read it where the rename has
 * conditions on it. To move an object to where it may be read is to read it, so who is expressly denied that may not
 * move it either.
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
  access.require({ ...on, actions: ["s3:DeleteObject"], alsoDeniedBy: ["s3:GetObject"] });
  if (testsSource) access.require({ ...on, actions: ["s3:GetObject"] });
}

/**
 * Asks whether an explicit Deny forbids to have an object at a key, with its tags and its access control list. For
 * a restored snapshot, which needs no Allow for each object.
 * @throws S3Error AccessDenied
 */
export function requireUndeniedObject({ access }: Context, bucket: Bucket, key: string, object: ObjectFacts): void {
  const conditionKeys = keysOfObject(object);
  const on = { bucket, bucketName: bucket.name, key, conditionKeys };
  access.requireUndenied({ ...on, actions: ["s3:PutObject"] });
  requireUndeniedAttributes(access, on, object);
}

/**
 * Asks for what a rename needs at its destination: to put there what the source is. It is asked again whenever the
 * source turns out to be another object than dispatch asked about.
 * @throws S3Error AccessDenied
 */
export function requireMove(
  { access, inputs }: Context,
  bucket: Bucket,
  key: string,
  object: ObjectFacts | undefined,
): void {
  const conditionKeys = object === undefined ? undefined : keysOfObject(object);
  const on = { bucket, bucketName: bucket.name, key, conditionKeys };
  access.require({ ...on, actions: ["s3:PutObject"], inputs });
  if (object !== undefined) requireUndeniedAttributes(access, on, object);
}

function requireUndeniedAttributes(
  access: Access,
  on: Omit<AuthorizationRequest, "actions">,
  object: ObjectFacts,
): void {
  if (object.tags.length > 0) access.requireUndenied({ ...on, actions: ["s3:PutObjectTagging"] });
  if (object.acl !== undefined) access.requireUndenied({ ...on, actions: ["s3:PutObjectAcl"] });
}
