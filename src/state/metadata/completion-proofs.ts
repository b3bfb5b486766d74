// Completion proofs: a blob per multi-blob object with its version and manifest, from which a rebuild restores the
// object. A proof is stored after the commit and before the client's 200, so every acknowledged object has one, and no
// uncommitted object does. The manifest references its proof, so both are collected together.
import { decodeUtf8, utf8 } from "../../bytes/text.ts";
import { recoveryMetadata, type SeenHead } from "../../protocol/objects/recovery-metadata.ts";
import type { ObjectPart } from "../../protocol/objects/object-reading.ts";
import { ALL_BYTES } from "../../protocol/core/range.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { BlobStore } from "../blobs/blob-store.ts";
import type { Bucket } from "./buckets.ts";
import { lookUpBoth, rowsOf, statement, type Database, type Lookup } from "../d1/database.ts";
import { partsFromRows, selectParts, selectSlices, slicesFromRows } from "./manifest-reads.ts";
import type { Slice } from "./manifests.ts";
import { OBJECT_COLUMNS, objectFromRow, type ObjectRow } from "./object-columns.ts";

/** The content of a proof. */
export interface CompletionProof {
  readonly object: StoredObject;
  readonly slices: readonly Slice[];
  readonly parts: readonly ObjectPart[];
}

/** The version that a proof describes. */
export interface ProvenVersion {
  readonly bucketId: string;
  readonly key: string;
  readonly manifestId: string;
}

const FORMAT = 1;
const NO_METADATA = { contentType: undefined, systemMetadata: {}, userMetadata: {} };

/** Returns the blob id of a manifest's proof. */
export function proofIdOf(manifestId: string): string {
  return `${manifestId}-proof`;
}

/** Stores a proof unless it exists. */
export async function storeProof(
  blobs: BlobStore,
  bucket: Pick<Bucket, "id" | "name">,
  proof: CompletionProof,
  observedHead?: SeenHead,
): Promise<void> {
  const { key, versionId, manifestId = "", retention, legalHold } = proof.object;
  await blobs.putRecord({
    blobId: proofIdOf(manifestId),
    bytes: utf8(JSON.stringify({ format: FORMAT, ...withoutPlainChecksums(proof) })),
    recoveryMetadata: recoveryMetadata({
      bucketId: bucket.id,
      bucketName: bucket.name,
      key,
      uploadId: manifestId.slice(bucket.id.length + 1),
      role: "proof",
      versionId,
      seen: observedHead,
      metadata: NO_METADATA,
      lock: retention === undefined && legalHold === undefined ? undefined : { retention, legalHold },
    }),
  });
}

/**
 * Waits until a proof is stored.
 * @throws S3Error ServiceUnavailable if that fails, so that the client repeats the request, which stores the proof
 */
export async function requireProof(stored: Promise<void>): Promise<void> {
  try {
    await stored;
  } catch (error) {
    console.error(JSON.stringify({ level: "error", message: `the proof of a completion: ${String(error)}` }));
    throw new S3Error("ServiceUnavailable");
  }
}

/** Leaves out checksums of encrypted objects: they reveal facts about the plaintext. */
function withoutPlainChecksums({ object, slices, parts }: CompletionProof): CompletionProof {
  if (object.encryption === undefined) return { object, slices, parts };
  return {
    object: { ...object, checksum: undefined },
    slices,
    parts: parts.map((part) => ({ ...part, checksum: undefined })),
  };
}

/** Reads a proof; undefined if it is missing or unreadable. */
export async function readProof(blobs: BlobStore, proofId: string): Promise<CompletionProof | undefined> {
  const stream = await blobs.get(proofId, undefined);
  if (stream === undefined) return undefined;
  const text = decodeUtf8(new Uint8Array(await new Response(stream).arrayBuffer()));
  try {
    // storeProof writes this form.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const proof = JSON.parse(text ?? "") as CompletionProof & { readonly format: number };
    return proof.format === FORMAT ? proof : undefined;
  } catch {
    return undefined;
  }
}

/** Looks up the content of a version's proof; undefined if no version of the key has this manifest. */
function lookUpProof(bucketId: string, key: string, manifestId: string): Lookup<CompletionProof | undefined> {
  const of = "o.bucket_id = ?1 AND o.key = ?2 AND o.manifest_id = ?3";
  const manifest = { sql: "SELECT ?1", parameters: [manifestId] };
  return {
    statements: [
      statement(
        `SELECT ${OBJECT_COLUMNS} FROM objects o WHERE ${of} UNION ALL SELECT ${OBJECT_COLUMNS} FROM versions o WHERE ${of}`,
        bucketId,
        key,
        manifestId,
      ),
      selectSlices(manifest, ALL_BYTES),
      selectParts(manifest, { kind: "all" }),
    ],
    read: (results) => {
      const object = rowsOf<ObjectRow>(results).map(objectFromRow)[0];
      if (object === undefined) return undefined;
      return { object, slices: slicesFromRows(results[1]?.rows ?? []), parts: partsFromRows(results[2]?.rows ?? []) };
    },
  };
}

/** Stores the proof of a completed upload if it is missing and the version still exists. */
export async function storeMissingProof(
  { database, blobs }: { readonly database: Database; readonly blobs: BlobStore },
  bucket: Pick<Bucket, "id" | "name">,
  key: string,
  uploadId: string,
): Promise<void> {
  const manifestId = `${bucket.id}/${uploadId}`;
  if (await blobs.has(proofIdOf(manifestId))) return;
  const proof = await database.look(lookUpProof(bucket.id, key, manifestId));
  if (proof !== undefined) await storeProof(blobs, bucket, proof);
}

/** Stores a lost proof again. Returns false if the version or its bucket no longer exists. */
export async function restoreProof(
  { database, blobs }: { readonly database: Database; readonly blobs: BlobStore },
  { bucketId, key, manifestId }: ProvenVersion,
): Promise<boolean> {
  const bucketName: Lookup<{ readonly name: string | undefined }> = {
    statements: [statement("SELECT name FROM buckets WHERE id = ?", bucketId)],
    read: (results) => ({ name: rowsOf<{ readonly name: string }>(results)[0]?.name }),
  };
  const lookup = lookUpProof(bucketId, key, manifestId);
  const proofOf: Lookup<{ readonly proof: CompletionProof | undefined }> = {
    statements: lookup.statements,
    read: (results) => ({ proof: lookup.read(results) }),
  };
  const { name, proof } = await database.look(lookUpBoth(bucketName, proofOf));
  if (name === undefined || proof === undefined) return false;
  await storeProof(blobs, { id: bucketId, name }, proof);
  return true;
}
