// Provides the content of a copied object: a reference to the source's blobs, or new blobs when a customer's key
// encrypts the source or the copy.
import { timeOrderedId } from "../bytes/random-id.ts";
import type { Context } from "../contract/context.ts";
import { DEFAULT_ALGORITHM, type ObjectChecksum } from "../protocol/core/checksums.ts";
import type { Tag } from "../protocol/core/tagging.ts";
import type { CustomerKey, NewEncryption } from "../protocol/objects/customer-encryption.ts";
import type { ObjectMetadata } from "../protocol/objects/object-metadata.ts";
import { recoveryMetadata } from "../protocol/objects/recovery-metadata.ts";
import type { KeyHead } from "../state/commit/heads.ts";
import type { Statement } from "../state/d1/database.ts";
import { addReference } from "../state/metadata/blob-references.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { insertManifest, type Manifest } from "../state/metadata/manifests.ts";
import { copyBytes } from "../state/reads/byte-copy.ts";
import type { SourceVersion } from "../state/reads/copy-sources.ts";

/** The content of a copy: its columns, and the statements that reference its blobs in the commit's batch. */
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
}

/** Moves no bytes unless a customer's key is involved. */
export async function copyContent(
  context: Context,
  bucket: Bucket,
  original: SourceVersion,
  sourceKey: CustomerKey | undefined,
  target: CopyTarget,
): Promise<CopyContent> {
  return original.encryption === undefined && target.encryption === undefined
    ? share(original)
    : duplicate(context, bucket, original, sourceKey, target);
}

function share({ size, etag, checksum, blobId, manifestId, referenceId }: SourceVersion): CopyContent {
  return {
    content: { size, etag, checksum, blobId, manifestId },
    newBlobIds: [],
    statements: [addReference(referenceId)],
    manifest: undefined,
  };
}

async function duplicate(
  { database, blobs, now }: Context,
  bucket: Bucket,
  original: SourceVersion,
  sourceKey: CustomerKey | undefined,
  { key, observedHead, metadata, tags, encryption }: CopyTarget,
): Promise<CopyContent> {
  const copyId = timeOrderedId(now);
  const origin = {
    bucketId: bucket.id,
    bucketName: bucket.name,
    key,
    seen: observedHead,
    metadata,
    tags,
    encryption: encryption?.keyVerifier,
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
    original.checksum?.algorithm ?? DEFAULT_ALGORITHM,
  );
  const { size, etag, checksum, blobId, manifest } = copied;
  return {
    content: { size, etag, checksum, blobId, manifestId: manifest?.manifestId },
    newBlobIds: copied.blobIds,
    statements: manifest === undefined ? [] : insertManifest(manifest),
    manifest,
  };
}
