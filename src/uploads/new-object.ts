// Stores a new object that arrives in one body: its bytes under a new blob id, then the commit that makes it visible.
import { ownerOf } from "../auth/identity/principal.ts";
import { timeOrderedId } from "../bytes/random-id.ts";
import { recoveryMetadata } from "../protocol/objects/recovery-metadata.ts";
import type { ChecksumAnnouncement, ObjectChecksum } from "../protocol/core/checksums.ts";
import type { WriteConditions } from "../protocol/objects/conditions.ts";
import { expirationHeader } from "../protocol/lifecycle/lifecycle-times.ts";
import { blobStorageClass } from "../protocol/lifecycle/blob-storage-class.ts";
import { lockRecord } from "../protocol/objects/object-lock-configuration.ts";
import type { ObjectLock } from "../protocol/objects/object-lock.ts";
import type { ObjectMetadata } from "../protocol/objects/object-metadata.ts";
import type { NewEncryption } from "../protocol/objects/customer-encryption.ts";
import type { IncomingBody } from "../protocol/core/incoming-body.ts";
import { storedChecksum } from "../protocol/objects/sealed-checksums.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { Tag } from "../protocol/core/tagging.ts";
import { versionHeaders } from "../protocol/objects/upload-headers.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { KeyHead } from "../state/commit/heads.ts";
import { requireProof, storeProof } from "../state/metadata/completion-proofs.ts";
import { insertManifest, type Manifest } from "../state/metadata/manifests.ts";
import { InlineBody } from "../state/blobs/inline-body.ts";
import { insertSmallBlob, smallBlobId, type NewSmallBlob } from "../state/blobs/small-blobs.ts";
import { SMALL_BODY_MAX_BYTES } from "../state/blobs/small-body.ts";
import { storeBody, type BodyDestination, type StoredBody } from "../state/blobs/store-body.ts";
import type { AppendStatements } from "../state/writes/appends.ts";
import type { Context } from "../contract/context.ts";
import { committedObject } from "./completed-object.ts";

/** The largest object that one request can upload, in bytes. */
export const ONE_BODY_MAX_BYTES = 5 * 1024 ** 3;

/** A new object without its bytes. */
export interface NewObject {
  readonly key: string;
  /** The key's head when the request began. */
  readonly observedHead: KeyHead;
  readonly conditions: WriteConditions;
  readonly metadata: ObjectMetadata;
  readonly tags: readonly Tag[];
  readonly storageClass: string;
  /** The stored form of the access control list; undefined: private. */
  readonly acl: string | undefined;
  /** Undefined when no customer's key encrypts the object. */
  readonly encryption: NewEncryption | undefined;
  /** The requested retention and legal hold. */
  readonly lock: ObjectLock;
  /** The object that this one replaces and continues; undefined unless it is appended to. */
  readonly continues?: { readonly ownerId: string; readonly statements: AppendStatements } | undefined;
}

/** The fields of a stored object that responses contain. */
export interface StoredNewObject {
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
  readonly checksum: ObjectChecksum | undefined;
  /** The `x-amz-version-id` header; empty unless versioning is enabled. */
  readonly version: Readonly<Record<string, string>>;
  /** The `x-amz-expiration` header; empty when no lifecycle rule applies. */
  readonly expiration: Readonly<Record<string, string>>;
}

/** The content of a new object. */
interface NewContent extends Omit<StoredBody, "checksum"> {
  /** Undefined for appended bytes whose object has none. */
  readonly checksum: ObjectChecksum | undefined;
}

/** A body in a blob that no row references yet. */
export interface StoredBlob extends NewContent {
  readonly blobId: string;
  /** The small blob to insert by the commit, if the bytes are not stored yet. */
  readonly small?: NewSmallBlob;
}

/** A body in several blobs that no row references yet. */
export interface StoredSlices extends NewContent {
  readonly manifest: Manifest;
  readonly blobIds: readonly string[];
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
  if (isInline(context, bucket, destination, body.length)) {
    const received = new InlineBody();
    const stored = await storeBody(received, destination, body, announced);
    // A slow body gets the time of its end, because ids order what the job packs.
    const blobId = smallBlobId(bucket.id, Date.now());
    const small = { blobId, bytes: received.bytes, recoveryMetadata: destination.recoveryMetadata };
    return commitNewObject(context, bucket, object, { ...stored, blobId, small });
  }
  const stored = await storeBody(context.blobs, destination, body, announced);
  return commitNewObject(context, bucket, object, { ...stored, blobId: destination.blobId });
}

/**
 * Whether the bucket's database keeps a body. Bytes under a customer's key and in another class are not among them, and
 * none in a bucket with Object Lock: the orphan scan spares locked blobs, and a rebuild finds them from the PUT on.
 */
function isInline(
  { settings, database }: Context,
  { configurations }: Bucket,
  { customerKey, blobStorageClass: storedIn }: BodyDestination,
  length: number,
): boolean {
  const isFull = database.bytes >= settings.inlineDatabaseBytes;
  const isPossible = length <= Math.min(settings.inlineMaxBytes, SMALL_BODY_MAX_BYTES) && settings.inlineMaxBytes > 0;
  const isLockable = configurations.object_lock !== null;
  return isPossible && !isFull && !isLockable && customerKey === undefined && storedIn === "Standard";
}

/** @throws S3Error EntityTooLarge {ProposedSize, MaxSizeAllowed} */
export function refuseTooLarge(length: number): void {
  if (length <= ONE_BODY_MAX_BYTES) return;
  throw new S3Error("EntityTooLarge", { ProposedSize: length, MaxSizeAllowed: ONE_BODY_MAX_BYTES });
}

/**
 * The destination of a new object's bytes: a new blob id and the blob's recovery metadata.
 * @param slice the address of one of several blobs, which the manifest finds like the parts of an upload
 */
export function freshDestination(
  context: Context,
  bucket: Bucket,
  {
    key,
    observedHead,
    metadata,
    tags,
    storageClass,
    encryption,
    lock: requested,
  }: Omit<NewObject, "conditions" | "acl">,
  slice?: { readonly role: "slice"; readonly uploadId: string; readonly partNumber: number },
): BodyDestination {
  const lock = lockRecord(requested, bucket.configurations.object_lock);
  const origin = { bucketId: bucket.id, bucketName: bucket.name, key, seen: observedHead, metadata, tags, lock };
  return {
    blobId: `${bucket.id}/${timeOrderedId(context.now)}`,
    recoveryMetadata: recoveryMetadata({ ...origin, ...slice, encryption: encryption?.keyVerifier }),
    blobStorageClass: blobStorageClass(storageClass),
    customerKey: encryption?.key,
    encryption: encryption?.keyVerifier,
  };
}

/**
 * Commits a stored body as a new object.
 * @throws S3Error PreconditionFailed, ConditionalRequestConflict, NoSuchKey, NoSuchBucket, ServiceUnavailable
 */
export async function commitNewObject(
  context: Context,
  bucket: Bucket,
  { key, observedHead, conditions, metadata, tags, storageClass, acl, encryption, lock, continues }: NewObject,
  stored: StoredBlob | StoredSlices,
): Promise<StoredNewObject> {
  const { size, etag, checksum } = stored;
  const manifest = "manifest" in stored ? stored.manifest : undefined;
  const small = "blobId" in stored && stored.small !== undefined ? [stored.small] : [];
  const newBlobIds = "manifest" in stored ? stored.blobIds : [stored.blobId];
  const object = {
    ...metadata,
    size,
    etag,
    ownerId: continues?.ownerId ?? ownerOf(context.principal),
    blobId: "blobId" in stored ? stored.blobId : undefined,
    manifestId: manifest?.manifestId,
    storageClass,
    checksum: await storedChecksum(checksum, encryption),
    tags,
    acl,
    encryption: encryption?.keyVerifier,
    ...lock,
  };
  const outcome = await context.coordinators.put(bucket, {
    key,
    observedHead,
    conditions,
    object,
    newBlobIds,
    before: [
      ...(continues?.statements.before ?? []),
      ...(manifest === undefined ? small.map(insertSmallBlob) : insertManifest(manifest)),
    ],
    after: continues?.statements.after,
    readKeys: [],
  });
  if (!outcome.isDone) {
    // Only after a definite refusal can no row reference the blob. A small one was not stored either.
    if (outcome.isDefinite && small.length === 0) context.waitUntil(context.blobs.delete(newBlobIds));
    throw new S3Error(outcome.refusal.code, outcome.refusal.fields);
  }
  const { versionId, isNullVersion, modifiedAt } = outcome;
  if (manifest !== undefined && versionId !== undefined) {
    const committed = committedObject(object, bucket, { key, versionId, isNullVersion, modifiedAt });
    await requireProof(storeProof(context.blobs, bucket, { object: committed, ...manifest }, observedHead));
  }
  const expiration = expirationHeader(bucket.configurations.lifecycle, { key, size, tags, modifiedAt });
  return { etag, size, checksum, version: versionHeaders(versionId, isNullVersion), expiration };
}
