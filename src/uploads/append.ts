// Appends a body to an object: the body becomes one more blob, which takes in the last parts of the object while these are
// short. The longer object replaces the old one in one guarded batch. See "Appends" in docs/architecture.md.
import { fromBase64, toBase64 } from "../bytes/hex-base64.ts";
import { digestsEqual, RunningDigest } from "../bytes/digest.ts";
import { timeOrderedId } from "../bytes/random-id.ts";
import { PieceReader } from "../bytes/streams.ts";
import type { Context } from "../contract/context.ts";
import {
  DEFAULT_ALGORITHM,
  digestAlgorithm,
  NOTHING_ANNOUNCED,
  type ChecksumAlgorithm,
  type ChecksumAnnouncement,
  type ObjectChecksum,
} from "../protocol/core/checksums.ts";
import type { IncomingBody } from "../protocol/core/incoming-body.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { checkAppendAlgorithm, encryptionOfAppend, firstMergedPart } from "../protocol/objects/appending.ts";
import type { CustomerKey, NewEncryption } from "../protocol/objects/customer-encryption.ts";
import { checksumOfParts, combinableOrDefault } from "../protocol/objects/multipart-checksums.ts";
import { etagOfParts } from "../protocol/objects/multipart.ts";
import type { ObjectPart } from "../protocol/objects/object-reading.ts";
import { ChecksumSealer, withReadableChecksums } from "../protocol/objects/sealed-checksums.ts";
import { storeBody, type BodyDestination, type StoredBody } from "../state/blobs/store-body.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { proofIdOf } from "../state/metadata/completion-proofs.ts";
import type { AppendBase } from "../state/reads/append-bases.ts";
import { openObject } from "../state/reads/object-bytes.ts";
import { appendStatements } from "../state/writes/appends.ts";
import { BodyDigests } from "./body-digests.ts";
import { measuredBody } from "./measured-body.ts";
import {
  commitNewObject,
  freshDestination,
  refuseTooLarge,
  type NewObject,
  type StoredBlob,
  type StoredNewObject,
  type StoredSlices,
} from "./new-object.ts";

/** An append after its checks. */
export interface Append extends Pick<NewObject, "observedHead" | "conditions" | "lock"> {
  readonly base: AppendBase;
  readonly customerKey: CustomerKey | undefined;
}

/** The part that an append adds to the parts before it. */
interface AddedPart {
  readonly base: AppendBase;
  /** The base's parts with readable checksums. */
  readonly readable: readonly ObjectPart[];
  /** The parts that stay; the added part takes the place of the others. */
  readonly first: number;
  /** Where the added part begins. */
  readonly start: number;
  readonly algorithm: ChecksumAlgorithm;
}

/**
 * Appends a body to an object.
 * @throws S3Error EncryptionTypeMismatch, AccessDenied for another key, InvalidRequest for another checksum algorithm,
 *   TooManyParts, EntityTooLarge, what {@link storeBody} throws, and what {@link commitNewObject} throws
 */
export async function appendToObject(
  context: Context,
  bucket: Bucket,
  { base, customerKey, ...target }: Append,
  body: IncomingBody,
  announced: ChecksumAnnouncement,
): Promise<StoredNewObject> {
  const { object } = base;
  refuseTooLarge(body.length);
  const encryption = await encryptionOfAppend(object, customerKey);
  const { object: readable, parts } = await withReadableChecksums(object, base.parts, customerKey);
  checkAppendAlgorithm(readable, announced.algorithm);
  const first = firstMergedPart(
    parts.map(({ size }) => size),
    body.length,
  );
  const start = parts[first]?.start ?? object.size;
  const algorithm = readable.checksum?.algorithm ?? announced.algorithm ?? DEFAULT_ALGORITHM;
  const added: AddedPart = { base, readable: parts, first, start, algorithm };
  const appendId = timeOrderedId(context.now);
  const { key, tags, storageClass, acl, contentType, systemMetadata, userMetadata } = object;
  const metadata = { contentType, systemMetadata, userMetadata };
  const unlinked = { ...target, key, metadata, tags, storageClass, acl, encryption };
  const slice = start === 0 ? undefined : ({ role: "slice", uploadId: appendId, partNumber: first + 1 } as const);
  const destination = freshDestination(context, bucket, unlinked, slice);
  const stored = await storeAdded(context, destination, added, body, announced);
  const content =
    start === 0
      ? wholeObject(destination.blobId, object.size + body.length, stored.part)
      : await linkedObject(bucket, appendId, destination.blobId, readable.checksum, added, stored, encryption);
  const kept = "manifest" in content ? content.kept : [];
  const statements = appendStatements(bucket, base, kept);
  return commitNewObject(context, bucket, { ...unlinked, continues: { ownerId: object.ownerId, statements } }, content);
}

/** A stored part, and the checksum of the appended bytes in it. */
interface StoredPart {
  readonly part: StoredBody;
  readonly appended: { readonly size: number; readonly checksum: string };
}

/** Stores the appended bytes behind those of the merged parts. */
async function storeAdded(
  context: Context,
  destination: BodyDestination,
  added: AddedPart,
  body: IncomingBody,
  announced: ChecksumAnnouncement,
): Promise<StoredPart> {
  const { base, start, algorithm } = added;
  const merged = base.object.size - start;
  if (merged === 0) {
    const part = await storeBody(context.blobs, destination, body, announced, algorithm);
    return { part, appended: { size: body.length, checksum: part.checksum.value } };
  }
  const digests = new BodyDigests(announced, body.sha256, [digestAlgorithm(algorithm)]);
  let checksum = "";
  const longer = measuredBody(merged + body.length, async (take) => {
    await sendMerged(context, added, destination.customerKey, take);
    const trailers = await body.deliver(async (piece) => {
      await digests.update(piece);
      await take(piece);
    });
    const digestOf = await digests.verified(trailers);
    checksum = toBase64(digestOf(digestAlgorithm(algorithm)));
  });
  try {
    const part = await storeBody(context.blobs, destination, longer, NOTHING_ANNOUNCED, algorithm);
    return { part, appended: { size: body.length, checksum } };
  } catch (error) {
    digests.abandon();
    throw error;
  }
}

/**
 * Delivers the bytes of the merged parts, which are compared with their checksum as far as it is known: damaged bytes must
 * not get a new checksum.
 * @throws S3Error ServiceUnavailable when a blob is missing because the object was replaced meanwhile
 */
async function sendMerged(
  { blobs }: Context,
  { base, readable, first, start, algorithm }: AddedPart,
  key: CustomerKey | undefined,
  take: (piece: Uint8Array) => Promise<void>,
): Promise<void> {
  const { object, slices } = base;
  const stream = await openObject(blobs, object, slices, { offset: start, length: object.size - start }, key);
  if (stream === undefined) throw new S3Error("ServiceUnavailable");
  const expected = await digestOfParts(object.checksum?.algorithm, readable.slice(first));
  const digest = new RunningDigest(digestAlgorithm(algorithm));
  const reader = new PieceReader(stream);
  try {
    for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) {
      await digest.update(piece);
      await take(piece);
    }
  } catch (error) {
    reader.cancel();
    digest.abandon();
    throw error;
  }
  const actual = await digest.finish();
  if (expected !== undefined && !digestsEqual(expected, actual))
    throw new Error("a blob of an append's object is damaged");
}

/** The digest of the bytes of consecutive parts; undefined if the rows do not say it. */
async function digestOfParts(
  algorithm: ChecksumAlgorithm | undefined,
  parts: readonly ObjectPart[],
): Promise<Uint8Array | undefined> {
  if (algorithm === undefined) return undefined;
  const only = parts.length === 1 ? parts[0]?.checksum : undefined;
  const value = only ?? (await checksumOfParts(algorithm, "FULL_OBJECT", parts))?.value;
  return value === undefined ? undefined : fromBase64(value);
}

/** The object whose bytes are all in the added part. */
function wholeObject(blobId: string, size: number, { etag, checksum }: StoredBody): StoredBlob {
  return { blobId, size, etag, checksum };
}

/** The object that keeps some of its parts, and the references that it keeps with them. */
async function linkedObject(
  bucket: Bucket,
  appendId: string,
  blobId: string,
  checksum: ObjectChecksum | undefined,
  { base, readable, first, start }: AddedPart,
  { part, appended }: StoredPart,
  encryption: NewEncryption | undefined,
): Promise<StoredSlices & { readonly kept: readonly string[] }> {
  const { object } = base;
  const size = object.size + appended.size;
  const value = checksum === undefined ? undefined : part.checksum.value;
  const partNumber = (base.parts[first - 1]?.partNumber ?? 0) + 1;
  const newPart = { partNumber, start, size: size - start, checksum: value };
  const parts = [...base.parts.slice(0, first), { ...newPart, checksum: await seal(value, encryption) }];
  const keptSlices = base.slices.filter((slice) => slice.start < start);
  const manifestId = `${bucket.id}/${appendId}`;
  const kept = keptReferences(base, start);
  const [hash = ""] = (await etagOfParts([{ etag: object.etag.replace(/-\d+$/, "") }, part])).split("-");
  return {
    size,
    etag: `${hash}-${parts.length}`,
    checksum: await checksumOfLonger(checksum, object.size, appended, [...readable.slice(0, first), newPart]),
    manifest: {
      manifestId,
      slices: [...keptSlices, { start, blobId, offset: 0, length: size - start }],
      parts,
      references: [...kept, blobId, proofIdOf(manifestId)],
    },
    blobIds: [blobId],
    kept,
  };
}

/** The checksum of the longer object: of all bytes where it can be combined, else of the parts' checksums. */
async function checksumOfLonger(
  checksum: ObjectChecksum | undefined,
  size: number,
  appended: StoredPart["appended"],
  parts: readonly ObjectPart[],
): Promise<ObjectChecksum | undefined> {
  if (checksum === undefined) return undefined;
  const { algorithm, type, value } = checksum;
  const isCombinable = type === "FULL_OBJECT" && combinableOrDefault(algorithm) === algorithm;
  return isCombinable
    ? checksumOfParts(algorithm, "FULL_OBJECT", [{ size, checksum: value }, appended])
    : checksumOfParts(algorithm, "COMPOSITE", parts);
}

/** The references of the base's manifest without those to its proof and to the blobs that only merged parts need. */
function keptReferences({ object, slices, references }: AppendBase, start: number): readonly string[] {
  const kept = new Set(slices.filter((slice) => slice.start < start).map(({ blobId }) => blobId));
  const dropped = new Set(slices.map(({ blobId }) => blobId).filter((blobId) => !kept.has(blobId)));
  if (object.manifestId !== undefined) dropped.add(proofIdOf(object.manifestId));
  return references.filter((id) => !dropped.has(id));
}

async function seal(value: string | undefined, encryption: NewEncryption | undefined): Promise<string | undefined> {
  if (value === undefined || encryption === undefined) return value;
  return new ChecksumSealer(encryption.key).seal(value, encryption.keyVerifier);
}
