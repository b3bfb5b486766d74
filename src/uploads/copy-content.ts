// Provides the content of a copied object: a reference to the source's blobs, or new blobs when a customer's key
// encrypts the source or the copy, when the source is in another database (references do not cross databases), or when a
// multipart object gets a checksum of another algorithm: its parts have checksums of the old one.
import { toBase64 } from "../bytes/hex-base64.ts";
import { timeOrderedId } from "../bytes/random-id.ts";
import type { Context } from "../contract/context.ts";
import {
  DEFAULT_ALGORITHM,
  digestAlgorithm,
  type ChecksumAlgorithm,
  type ObjectChecksum,
} from "../protocol/core/checksums.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { Tag } from "../protocol/core/tagging.ts";
import type { CustomerKey, NewEncryption } from "../protocol/objects/customer-encryption.ts";
import { lockRecord } from "../protocol/objects/object-lock-configuration.ts";
import type { ObjectLock } from "../protocol/objects/object-lock.ts";
import type { ObjectMetadata } from "../protocol/objects/object-metadata.ts";
import { recoveryMetadata } from "../protocol/objects/recovery-metadata.ts";
import type { KeyHead } from "../state/commit/heads.ts";
import type { Database, Statement } from "../state/d1/database.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { insertManifest, type Manifest } from "../state/metadata/manifests.ts";
import { copyBytes, digestOf } from "../state/reads/byte-copy.ts";
import { guardSource, shareSource, type SourceVersion } from "../state/reads/copy-sources.ts";
import { ONE_BODY_MAX_BYTES } from "./new-object.ts";

/** The content of a copy: its columns, and the statements that guard its source and reference its blobs in the commit's batch. */
export interface CopyContent {
  readonly content: {
    readonly size: number;
    readonly etag: string;
    readonly checksum: ObjectChecksum | undefined;
    readonly blobId: string | undefined;
    readonly manifestId: string | undefined;
  };
  readonly newBlobIds: readonly string[];
  readonly statements: readonly Statement[];
  /** Only for bytes that were copied into several blobs. */
  readonly manifest: Manifest | undefined;
}

/** The fields of the recovery metadata of a copy's own blobs. */
interface CopyTarget {
  readonly key: string;
  readonly observedHead: KeyHead;
  readonly metadata: ObjectMetadata;
  readonly tags: readonly Tag[];
  readonly encryption: NewEncryption | undefined;
  readonly lock: ObjectLock;
  /** The algorithm that the copy's checksum must have; undefined: the source's. */
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
}

/** A version to copy. */
export interface CopyOrigin {
  readonly original: SourceVersion;
  readonly sourceKey: CustomerKey | undefined;
  /** The database of its bucket. */
  readonly database: Database;
}

/**
 * Moves no bytes unless a customer's key or another database is involved, or another checksum of a multipart object.
 * @throws S3Error InvalidRequest for a checksum of more bytes than one request reads
 */
export async function copyContent(
  context: Context,
  bucket: Bucket,
  from: CopyOrigin,
  target: CopyTarget,
): Promise<CopyContent> {
  const isEncrypted = from.original.encryption !== undefined || target.encryption !== undefined;
  const { checksum, manifestId } = from.original;
  const isKnown = hasChecksum(checksum, target.checksumAlgorithm);
  if (!isKnown) refuseTooLargeToRead(from.original.size);
  if (isEncrypted || from.database !== context.database) return duplicate(context, bucket, from, target);
  if (isKnown) return share(from.original, checksum);
  return manifestId === undefined
    ? share(from.original, await computeChecksum(context, from, target))
    : duplicate(context, bucket, from, target);
}

/** Whether a source's checksum is the one that a copy must have. */
export function hasChecksum(checksum: ObjectChecksum | undefined, algorithm: ChecksumAlgorithm | undefined): boolean {
  return algorithm === undefined || (checksum?.type === "FULL_OBJECT" && checksum.algorithm === algorithm);
}

/** @throws S3Error InvalidRequest */
function refuseTooLargeToRead(size: number): void {
  if (size <= ONE_BODY_MAX_BYTES) return;
  const message = `The specified copy source is larger than the maximum allowable size for a copy source: ${ONE_BODY_MAX_BYTES}`;
  throw new S3Error("InvalidRequest", {}, message);
}

/** Reads the source for the checksum that the copy must have. */
async function computeChecksum(
  { blobs }: Context,
  { original, sourceKey, database }: CopyOrigin,
  { checksumAlgorithm: algorithm = DEFAULT_ALGORITHM }: Pick<CopyTarget, "checksumAlgorithm">,
): Promise<ObjectChecksum> {
  const bytes = await digestOf({ database, blobs, object: original, key: sourceKey }, digestAlgorithm(algorithm));
  return { algorithm, type: "FULL_OBJECT", value: toBase64(bytes) };
}

/**
 * The guard that a copy's source is unchanged, in the destination's batch. A source in another database needs none: its
 * bytes are copied, and the copy is of the version that the request has found.
 */
export function guardOrigin(context: Context, database: Database, original: SourceVersion): Statement[] {
  return database === context.database ? [guardSource(original)] : [];
}

function share(original: SourceVersion, checksum: ObjectChecksum | undefined): CopyContent {
  const { size, etag, blobId, manifestId } = original;
  return {
    content: { size, etag, checksum, blobId, manifestId },
    newBlobIds: [],
    statements: [shareSource(original)],
    manifest: undefined,
  };
}

async function duplicate(context: Context, bucket: Bucket, from: CopyOrigin, target: CopyTarget): Promise<CopyContent> {
  const { blobs, now } = context;
  const { original, sourceKey, database } = from;
  const { key, observedHead, metadata, tags, encryption, lock, checksumAlgorithm } = target;
  const copyId = timeOrderedId(now);
  const origin = {
    bucketId: bucket.id,
    bucketName: bucket.name,
    key,
    seen: observedHead,
    metadata,
    tags,
    encryption: encryption?.keyVerifier,
    lock: lockRecord(lock, bucket.configurations.object_lock),
  };
  const source = { database, blobs, object: original, key: sourceKey };
  const copied = await copyBytes(
    source,
    `${bucket.id}/${copyId}`,
    (partNumber) => ({
      blobId: `${bucket.id}/${timeOrderedId(now)}`,
      // The manifest finds each of several blobs, as it finds the parts of an upload.
      recoveryMetadata: recoveryMetadata(
        partNumber === undefined ? origin : { ...origin, role: "slice", uploadId: copyId, partNumber },
      ),
      customerKey: encryption?.key,
      encryption: encryption?.keyVerifier,
    }),
    checksumAlgorithm ?? original.checksum?.algorithm ?? DEFAULT_ALGORITHM,
  );
  const { size, etag, blobId, manifest } = copied;
  // Checksums of several blobs cannot be combined unless they are CRCs.
  const checksum = hasChecksum(copied.checksum, checksumAlgorithm)
    ? copied.checksum
    : await computeChecksum(context, from, target);
  return {
    content: { size, etag, checksum, blobId, manifestId: manifest?.manifestId },
    newBlobIds: copied.blobIds,
    statements: [
      ...guardOrigin(context, database, original),
      ...(manifest === undefined ? [] : insertManifest(manifest)),
    ],
    manifest,
  };
}
