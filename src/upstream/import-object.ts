// Imports one object of an upstream: its bytes into the blob store, then the commit, which is refused if the bucket has or
// had the key. A failed copy leaves nothing that a request can see.
import { timeOrderedId } from "../bytes/random-id.ts";
import { lockRecord } from "../protocol/objects/object-lock-configuration.ts";
import type { ObjectChecksum } from "../protocol/core/checksums.ts";
import type { IncomingBody } from "../protocol/core/incoming-body.ts";
import { recoveryMetadata } from "../protocol/objects/recovery-metadata.ts";
import type { ObjectFacts } from "../protocol/objects/stored-object.ts";
import { NO_HEAD } from "../state/commit/heads.ts";
import type { BlobStore } from "../state/blobs/blob-store.ts";
import { storeBody, type BodyDestination } from "../state/blobs/store-body.ts";
import type { Database } from "../state/d1/database.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { requireProof, storeProof } from "../state/metadata/completion-proofs.ts";
import { insertManifest, type Manifest } from "../state/metadata/manifests.ts";
import { endImport, guardImport } from "../state/metadata/upstream-imports.ts";
import type { Coordinators } from "../state/writes/coordinators.ts";
import { lockAtCommit } from "../protocol/objects/object-lock-configuration.ts";
import { announcementOf, type RemoteObject } from "./remote-object.ts";
import type { TakePiece } from "./remote-bytes.ts";

/** The most bytes of one blob. */
export const IMPORT_BLOB_MAX_BYTES = 4 * 1024 ** 3;

/** Where an object is imported. */
export interface ImportTarget {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly coordinators: Coordinators;
  readonly bucket: Bucket;
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Bytes that are stored and that no row references. */
export interface ImportedContent {
  readonly etag: string;
  readonly checksum: ObjectChecksum | undefined;
  readonly content: { readonly blobId: string } | { readonly manifest: Manifest; readonly blobIds: readonly string[] };
}

/**
 * Stores the bytes of an object as one blob and commits it.
 * @param deliver delivers exactly the object's bytes
 * @returns whether the object was imported; false if the bucket has or had the key
 * @throws S3Error BadDigest for other bytes than the upstream's digests say, and what `deliver` throws
 */
export async function importObject(
  target: ImportTarget,
  remote: RemoteObject,
  deliver: (take: TakePiece) => Promise<void>,
): Promise<boolean> {
  const destination = importDestination(target, remote);
  const stored = await storeBody(target.blobs, destination, bodyOf(remote.size, deliver), announcementOf(remote));
  const { blobId } = destination;
  return commitImport(target, remote, { etag: stored.etag, checksum: stored.checksum, content: { blobId } });
}

/** The destination of an object's bytes, or of those of one of its slices. */
export function importDestination(
  { bucket, key, now }: ImportTarget,
  { metadata, tags }: RemoteObject,
  slice?: { readonly role: "slice"; readonly uploadId: string; readonly partNumber: number },
): BodyDestination {
  const lock = lockRecord({ retention: undefined, legalHold: undefined }, bucket.configurations.object_lock);
  const origin = { bucketId: bucket.id, bucketName: bucket.name, key, seen: NO_HEAD, metadata, tags, lock };
  return {
    blobId: `${bucket.id}/${timeOrderedId(now)}`,
    recoveryMetadata: recoveryMetadata({ ...origin, ...slice }),
    customerKey: undefined,
    encryption: undefined,
  };
}

export function bodyOf(length: number, deliver: (take: TakePiece) => Promise<void>): IncomingBody {
  return {
    length,
    sha256: undefined,
    trailerNames: [],
    plain: undefined,
    async deliver(take) {
      await deliver(take);
      return new Map();
    },
  };
}

/**
 * Commits stored bytes as the object, and ends its claim in the same batch.
 * @returns whether the object was imported; false if the bucket has or had the key, its quota is used up, or the
 *   outcome is unknown
 */
export async function commitImport(
  { database, blobs, coordinators, bucket, key, now }: ImportTarget,
  remote: RemoteObject,
  { etag, checksum, content }: ImportedContent,
): Promise<boolean> {
  const manifest = "manifest" in content ? content.manifest : undefined;
  const newBlobIds = "manifest" in content ? content.blobIds : [content.blobId];
  const object: ObjectFacts = {
    ...remote.metadata,
    size: remote.size,
    // Clients that read the object from the upstream continue with the same ETag. One that looks like an MD5 and is none
    // would make the scrub report damage.
    etag: remote.hasMd5 || remote.etag.includes("-") ? remote.etag : etag,
    ownerId: bucket.ownerId,
    blobId: "blobId" in content ? content.blobId : undefined,
    manifestId: manifest?.manifestId,
    storageClass: "STANDARD",
    checksum,
    tags: remote.tags,
    acl: undefined,
    encryption: undefined,
    retention: undefined,
    legalHold: undefined,
  };
  const outcome = await coordinators.put(bucket, {
    key,
    observedHead: NO_HEAD,
    conditions: { ifNoneMatch: "*" },
    object,
    modifiedAt: remote.modifiedAt,
    newBlobIds,
    before: [guardImport(bucket.id, key), ...(manifest === undefined ? [] : insertManifest(manifest))],
    after: [endImport(bucket.id, key)],
    readKeys: [],
  });
  if (!outcome.isDone) {
    // Only after a definite refusal can no row reference the blobs.
    if (!outcome.isDefinite) return false;
    await blobs.delete(newBlobIds);
    await database.batch([endImport(bucket.id, key)]);
    return false;
  }
  const { versionId, isNullVersion, modifiedAt } = outcome;
  if (manifest !== undefined && versionId !== undefined) {
    const lock = lockAtCommit(object, bucket.configurations.object_lock, now);
    const committed = { ...object, ...lock, key, versionId, isNullVersion, modifiedAt };
    await requireProof(storeProof(blobs, bucket, { object: committed, ...manifest }, NO_HEAD));
  }
  return true;
}
