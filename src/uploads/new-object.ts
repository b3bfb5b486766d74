// Storing a new object that comes in one body: its bytes under a fresh blob id, and then the commit that shows it.
import { ownerOf } from "../auth/identity/principal.ts";
import { timeOrderedId } from "../bytes/random-id.ts";
import { recoveryMetadata } from "../protocol/objects/recovery-metadata.ts";
import type { ChecksumAnnouncement, ObjectChecksum } from "../protocol/core/checksums.ts";
import type { WriteConditions } from "../protocol/objects/conditions.ts";
import { expirationHeader } from "../protocol/lifecycle/lifecycle-times.ts";
import { blobStorageClass } from "../protocol/lifecycle/lifecycle.ts";
import type { ObjectMetadata } from "../protocol/objects/object-metadata.ts";
import type { NewEncryption } from "../protocol/objects/customer-encryption.ts";
import type { IncomingBody } from "../protocol/core/incoming-body.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { Tag } from "../protocol/core/tagging.ts";
import { versionHeaders } from "../protocol/objects/upload-headers.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { KeyHead } from "../state/commit/heads.ts";
import { storeBody, type BodyDestination, type StoredBody } from "../state/blobs/store-body.ts";
import type { Context } from "../contract/context.ts";

/** The largest object that comes in one body, in bytes. */
export const ONE_BODY_MAX_BYTES = 5 * 1024 ** 3;

/** A new object, apart from its bytes. */
export interface NewObject {
  readonly key: string;
  /** The key's head as the request saw it when it began. */
  readonly observedHead: KeyHead;
  readonly conditions: WriteConditions;
  readonly metadata: ObjectMetadata;
  readonly tags: readonly Tag[];
  readonly storageClass: string;
  /** The access control list as it is kept; undefined: private. */
  readonly acl: string | undefined;
  /** Undefined where no customer's key encrypts it. */
  readonly encryption: NewEncryption | undefined;
}

/** What an answer tells of an object that has been stored. */
export interface StoredNewObject {
  /** Without quotes. */
  readonly etag: string;
  readonly checksum: ObjectChecksum;
  /** The header that names the version; none in a bucket that is not Enabled. */
  readonly version: Readonly<Record<string, string>>;
  /** The header that tells when a lifecycle rule will end it; none where no rule is about it. */
  readonly expiration: Readonly<Record<string, string>>;
}

/** A body that is stored in a blob that nothing refers to yet. */
export interface StoredBlob extends StoredBody {
  readonly blobId: string;
}

/**
 * Stores a body and commits it as a new object.
 * @throws S3Error EntityTooLarge {ProposedSize, MaxSizeAllowed} past 5 GiB before the body is read, what
 *   {@link storeBody} throws, and what {@link commitNewObject} throws
 */
export async function storeNewObject(
  context: Context,
  bucket: Bucket,
  object: NewObject,
  body: IncomingBody,
  announced: ChecksumAnnouncement,
): Promise<StoredNewObject> {
  refuseTooLarge(body.length);
  const destination = freshDestination(context, bucket, object);
  const stored = await storeBody(context.blobs, destination, body, announced);
  return commitNewObject(context, bucket, object, { ...stored, blobId: destination.blobId });
}

/** @throws S3Error EntityTooLarge {ProposedSize, MaxSizeAllowed} */
export function refuseTooLarge(length: number): void {
  if (length <= ONE_BODY_MAX_BYTES) return;
  throw new S3Error("EntityTooLarge", { ProposedSize: length, MaxSizeAllowed: ONE_BODY_MAX_BYTES });
}

/** Where the bytes of a new object go: a blob id that was never used, and what the blob is born as. */
export function freshDestination(
  context: Context,
  bucket: Bucket,
  { key, observedHead, metadata, tags, storageClass, encryption }: Omit<NewObject, "conditions" | "acl">,
): BodyDestination {
  const born = { bucketId: bucket.id, bucketName: bucket.name, key, seen: observedHead, metadata, tags };
  return {
    blobId: `${bucket.id}/${timeOrderedId(context.now)}`,
    recoveryMetadata: recoveryMetadata({ ...born, encryption: encryption?.recognition }),
    blobStorageClass: blobStorageClass(storageClass),
    customerKey: encryption?.key,
    encryption: encryption?.recognition,
  };
}

/**
 * Commits a stored blob as a new object.
 * @throws S3Error PreconditionFailed, ConditionalRequestConflict, NoSuchKey, NoSuchBucket, ServiceUnavailable
 */
export async function commitNewObject(
  context: Context,
  bucket: Bucket,
  { key, observedHead, conditions, metadata, tags, storageClass, acl, encryption }: NewObject,
  { blobId, size, etag, checksum }: StoredBlob,
): Promise<StoredNewObject> {
  const object = {
    ...metadata,
    size,
    etag,
    ownerId: ownerOf(context.principal),
    blobId,
    manifestId: undefined,
    storageClass,
    checksum,
    tags,
    acl,
    encryption: encryption?.recognition,
  };
  const outcome = await context.coordinators.put(bucket, {
    key,
    observedHead,
    conditions,
    object,
    newBlobIds: [blobId],
  });
  if (!outcome.isDone) {
    // Only a definite refusal leaves the blob certain to be nobody's.
    if (outcome.isDefinite) context.waitUntil(context.blobs.delete([blobId]));
    throw new S3Error(outcome.refusal.code, outcome.refusal.fields);
  }
  const { versionId, isNullVersion, modifiedAt } = outcome;
  const expiration = expirationHeader(bucket.configurations.lifecycle, { key, size, tags, modifiedAt });
  return { etag, checksum, version: versionHeaders(versionId, isNullVersion), expiration };
}
