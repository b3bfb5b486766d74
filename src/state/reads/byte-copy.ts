// Copies an object's bytes into new blobs. Needed if a customer's key encrypts the source or the copy, since the two
// cannot share blobs then. Bytes are streamed, so memory stays bounded.
import { RunningDigest, type DigestAlgorithm } from "../../bytes/digest.ts";
import { toHex } from "../../bytes/hex-base64.ts";
import { PieceReader } from "../../bytes/streams.ts";
import { NOTHING_ANNOUNCED, type ChecksumAlgorithm, type ObjectChecksum } from "../../protocol/core/checksums.ts";
import type { CustomerKey } from "../../protocol/objects/customer-encryption.ts";
import type { IncomingBody } from "../../protocol/core/incoming-body.ts";
import { checksumOfParts, combinableOrDefault } from "../../protocol/objects/multipart-checksums.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { BlobStore } from "../blobs/blob-store.ts";
import { proofIdOf } from "../metadata/completion-proofs.ts";
import type { Database } from "../d1/database.ts";
import { lookUpSlices } from "../metadata/manifest-reads.ts";
import { type Manifest, type Slice } from "../metadata/manifests.ts";
import { openObject } from "./object-bytes.ts";
import { storeBody, type BodyDestination, type StoredBody } from "../blobs/store-body.ts";

/** The most plaintext bytes of one blob of a copy: R2 accepts slightly less than 5 GiB, sealed or not. */
const COPY_BLOB_MAX_BYTES = 4 * 1024 ** 3;
const ETAG_BYTES = 16;

/** The source of a copy. */
export interface ByteSource {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly object: StoredObject;
  /** The key that encrypts the source. */
  readonly key: CustomerKey | undefined;
}

class MissingSource extends Error {}

/**
 * Copies bytes.
 * @returns "source changed" if the source's first blob is missing, so that the caller looks the source up again
 * @throws Error if it is missing in the last attempt: then it is damaged
 */
export async function unlessMissing<Copied>(
  isLast: boolean,
  copy: () => Promise<Copied>,
): Promise<Copied | "source changed"> {
  try {
    return await copy();
  } catch (error) {
    if (isLast || !(error instanceof MissingSource)) throw error;
    return "source changed";
  }
}

/**
 * Copies a range of a version into a new blob.
 * @param checksumAlgorithm algorithm of the checksum to compute
 * @throws Error if a blob of the source is missing or damaged
 */
export async function copyRange(
  source: ByteSource,
  range: ByteRange,
  destination: BodyDestination,
  checksumAlgorithm: ChecksumAlgorithm,
): Promise<StoredBody> {
  const stream = await openRange(source, range);
  return storeBody(source.blobs, destination, bodyOf(stream, range.length), NOTHING_ANNOUNCED, checksumAlgorithm);
}

/**
 * Reads a version for a digest of its bytes.
 * @throws Error if a blob of the source is missing or damaged
 */
export async function digestOf(source: ByteSource, algorithm: DigestAlgorithm): Promise<Uint8Array> {
  const { size } = source.object;
  const digest = new RunningDigest(algorithm);
  const stream = await openRange(source, { offset: 0, length: size });
  let length = 0;
  await bodyOf(stream, size).deliver(async (piece) => {
    length += piece.length;
    await digest.update(piece);
  });
  if (length !== size) throw new Error("a blob of a copy's source is damaged");
  return digest.finish();
}

async function openRange(
  { database, blobs, object, key }: ByteSource,
  range: ByteRange,
): Promise<ReadableStream<Uint8Array> | undefined> {
  if (range.length === 0) return undefined;
  const slices = await slicesOf(database, object, range);
  const stream = await openObject(blobs, object, slices, range, key);
  if (stream === undefined) throw new MissingSource("a blob of a copy's source is missing");
  return stream;
}

async function slicesOf(
  database: Database,
  { manifestId }: StoredObject,
  { offset, length }: ByteRange,
): Promise<readonly Slice[]> {
  if (manifestId === undefined || length === 0) return [];
  return database.look(lookUpSlices(manifestId, { kind: "bytes", first: offset, last: offset + length - 1 }));
}

/** Wraps a stream from the blob store as a request body. */
function bodyOf(stream: ReadableStream<Uint8Array> | undefined, length: number): IncomingBody {
  return {
    length,
    sha256: undefined,
    trailerNames: [],
    plain: undefined,
    async deliver(take) {
      const reader = stream === undefined ? undefined : new PieceReader(stream);
      try {
        for (let piece = await reader?.read(); piece !== undefined; piece = await reader?.read()) await take(piece);
      } catch (error) {
        reader?.cancel();
        throw error;
      }
      return new Map();
    },
  };
}

/** The copied bytes, in blobs that no row references yet. */
export interface CopiedBytes {
  readonly size: number;
  readonly etag: string;
  readonly checksum: ObjectChecksum | undefined;
  /** Either one blob, or the manifest of several. */
  readonly blobId: string | undefined;
  readonly manifest: Manifest | undefined;
  readonly blobIds: readonly string[];
}

/**
 * Copies a whole version, into several blobs if it is too large for one.
 * @param manifestId id of the manifest of several blobs
 * @param destinationOf returns the destination of the blob of a number (from 1), or of the only blob (undefined)
 * @param checksumAlgorithm algorithm of the checksum to compute; several blobs need one that can be combined
 */
export async function copyBytes(
  source: ByteSource,
  manifestId: string,
  destinationOf: (number: number | undefined) => BodyDestination,
  checksumAlgorithm: ChecksumAlgorithm,
  blobMaxBytes = COPY_BLOB_MAX_BYTES,
): Promise<CopiedBytes> {
  const { size } = source.object;
  if (size <= blobMaxBytes) {
    const destination = destinationOf(undefined);
    const { etag, checksum } = await copyRange(source, { offset: 0, length: size }, destination, checksumAlgorithm);
    const { blobId } = destination;
    return { size, etag, checksum, blobId, manifest: undefined, blobIds: [blobId] };
  }
  const algorithm = combinableOrDefault(checksumAlgorithm);
  const slices: Slice[] = [];
  const parts: { size: number; checksum: string }[] = [];
  for (let number = Math.ceil(size / blobMaxBytes); number > 0; number -= 1) {
    const start = (number - 1) * blobMaxBytes;
    const range = { offset: start, length: Math.min(blobMaxBytes, size - start) };
    const destination = destinationOf(number);
    const stored = await copyRange(source, range, destination, algorithm);
    slices.unshift({ start, blobId: destination.blobId, offset: 0, length: range.length });
    parts.unshift({ size: range.length, checksum: stored.checksum.value });
  }
  const blobIds = slices.map(({ blobId }) => blobId);
  return {
    size,
    // No MD5 of the whole object is computed across several blobs.
    etag: toHex(crypto.getRandomValues(new Uint8Array(ETAG_BYTES))),
    checksum: await checksumOfParts(algorithm, "FULL_OBJECT", parts),
    blobId: undefined,
    // A copy has one part, with any number of blobs.
    manifest: {
      manifestId,
      slices,
      parts: [{ partNumber: 1, start: 0, size, checksum: undefined }],
      references: [...blobIds, proofIdOf(manifestId)],
    },
    blobIds,
  };
}
