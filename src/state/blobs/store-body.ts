// Streams a request body into the blob store and verifies its announced length and digests. A short, long or corrupt
// body is aborted before its end, so that the store never completes a blob of it.
import { digest, digestsEqual, type DigestAlgorithm } from "../../bytes/digest.ts";
import { toBase64, toHex } from "../../bytes/hex-base64.ts";
import { FrameLayout } from "../../bytes/frame-layout.ts";
import { FrameCipher } from "../../bytes/encrypted-frames.ts";
import { EncryptingWriter } from "../../bytes/encrypted-streams.ts";
import { DelayedWriter } from "../../bytes/streams.ts";
import {
  checkChecksum,
  checkContentMd5,
  checksumHeader,
  DEFAULT_ALGORITHM,
  digestAlgorithm,
  readDigest,
  type ChecksumAlgorithm,
  type ChecksumAnnouncement,
  type ObjectChecksum,
} from "../../protocol/core/checksums.ts";
import type { CustomerKey } from "../../protocol/objects/customer-encryption.ts";
import type { IncomingBody } from "../../protocol/core/incoming-body.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import { sealedIdentity } from "./sealed-blobs.ts";
import { readSmallBody, SMALL_BODY_MAX_BYTES } from "./small-body.ts";
import type { BlobHash, BlobPut, BlobPutResult, BlobStore } from "./blob-store.ts";

const ETAG_BYTES = 16;

/** A stored body that matches everything its request announced. */
export interface StoredBody {
  readonly size: number;
  /** 32 hexadecimal digits: the MD5 of the bytes, or random digits if a customer's key encrypts them. */
  readonly etag: string;
  readonly checksum: ObjectChecksum;
}

/** The blob that receives a body. */
export interface BodyDestination extends Pick<BlobPut, "blobId" | "recoveryMetadata" | "blobStorageClass"> {
  /** The key that encrypts the bytes before they are stored. */
  readonly customerKey: CustomerKey | undefined;
  /** The fingerprint of that key, for the row. */
  readonly encryption: string | undefined;
}

/** What receives the body: a blob store, or memory. */
export type BodyStore = Pick<BlobStore, "put" | "delete">;

/**
 * Stores a body as one blob.
 * @param storedAlgorithm algorithm of the checksum to return; by default the announced one
 * @throws S3Error BadDigest, XAmzContentSHA256Mismatch, IncompleteBody, and errors of the body's decoder
 */
export async function storeBody(
  blobs: BodyStore,
  destination: BodyDestination,
  body: IncomingBody,
  announced: ChecksumAnnouncement,
  storedAlgorithm: ChecksumAlgorithm = announced.algorithm ?? DEFAULT_ALGORITHM,
): Promise<StoredBody> {
  if (destination.customerKey !== undefined) return storeSealed(blobs, destination, body, announced, storedAlgorithm);
  const hash = delegatedHash(body, announced);
  // Two announced SHA-256 values differ, so at least one of them is wrong.
  if (hash?.algorithm === "SHA-256" && body.sha256 !== undefined && !digestsEqual(hash.bytes, body.sha256)) {
    throw hashMismatch(body, announced, hash, undefined);
  }
  const isVerifiedByStore =
    announced.expected !== undefined &&
    hash !== undefined &&
    hash.bytes === announced.expected &&
    body.plain !== undefined;
  const isPiped =
    isVerifiedByStore &&
    storedAlgorithm === announced.algorithm &&
    (body.sha256 === undefined || hash.algorithm === "SHA-256");
  const { result, checksum } = await putBody(blobs, destination, body, hash, storedAlgorithm, announced, isPiped);
  if (!result.isStored) throw hashMismatch(body, announced, hash, result.computed);
  try {
    if (announced.contentMd5 !== undefined) checkContentMd5(announced.contentMd5, result.md5);
  } catch (error) {
    // No row references the blob and none ever can, because the request fails.
    await blobs.delete([destination.blobId]).catch(() => undefined);
    throw error;
  }
  return { size: body.length, etag: toHex(result.md5), checksum: fullChecksum(storedAlgorithm, checksum) };
}

interface PutBody {
  readonly result: BlobPutResult;
  readonly checksum: Uint8Array | undefined;
}

/**
 * Puts a body by the cheapest way.
 * @param isVerified whether the store verifies the announced checksum, which is then the stored one
 */
async function putBody(
  blobs: BodyStore,
  destination: BodyDestination,
  body: IncomingBody,
  hash: BlobHash | undefined,
  storedAlgorithm: ChecksumAlgorithm,
  announced: ChecksumAnnouncement,
  isVerified: boolean,
): Promise<PutBody> {
  if (body.length > SMALL_BODY_MAX_BYTES) {
    return isVerified
      ? { result: await pipe(blobs, destination, body, hash), checksum: announced.expected }
      : pump(blobs, destination, body, hash, storedAlgorithm, announced);
  }
  const { blobId, recoveryMetadata, blobStorageClass } = destination;
  const { bytes, trailers } = await readSmallBody(body);
  const checksum = isVerified
    ? announced.expected
    : await verifiedChecksum(bytes, trailers, announced, storedAlgorithm);
  const put = { blobId, recoveryMetadata, blobStorageClass, body: bytes, length: bytes.length, hash };
  return { result: await blobs.put(put), checksum };
}

/** Returns a body's checksum. @throws S3Error BadDigest if the announced one differs */
async function verifiedChecksum(
  bytes: Uint8Array,
  trailers: ReadonlyMap<string, string>,
  announced: ChecksumAnnouncement,
  storedAlgorithm: ChecksumAlgorithm,
): Promise<Uint8Array> {
  const verified = announced.algorithm ?? storedAlgorithm;
  const actual = await digest(digestAlgorithm(verified), bytes);
  const expected = expectedDigest(announced, verified, trailers);
  if (expected !== undefined) checkChecksum(verified, expected, actual);
  return verified === storedAlgorithm ? actual : digest(digestAlgorithm(storedAlgorithm), bytes);
}

/** The digest that a header or a trailer announces. @throws S3Error InvalidRequest for a malformed trailer */
function expectedDigest(
  { isInTrailer, expected }: ChecksumAnnouncement,
  algorithm: ChecksumAlgorithm,
  trailers: ReadonlyMap<string, string>,
): Uint8Array | undefined {
  return isInTrailer ? readDigest(algorithm, trailers.get(checksumHeader(algorithm)) ?? "") : expected;
}

/** Stores a body encrypted. The store sees only ciphertext, so this function verifies every hash. */
async function storeSealed(
  blobs: BodyStore,
  destination: BodyDestination,
  body: IncomingBody,
  announced: ChecksumAnnouncement,
  storedAlgorithm: ChecksumAlgorithm,
): Promise<StoredBody> {
  const { checksum } = await pump(blobs, destination, body, undefined, storedAlgorithm, announced);
  const etag = toHex(crypto.getRandomValues(new Uint8Array(ETAG_BYTES)));
  return { size: body.length, etag, checksum: fullChecksum(storedAlgorithm, checksum) };
}

function fullChecksum(algorithm: ChecksumAlgorithm, digest: Uint8Array = new Uint8Array()): ObjectChecksum {
  return { algorithm, type: "FULL_OBJECT", value: toBase64(digest) };
}

/** Returns the hash that the store can verify: the SHA checksum if announced, else the signed payload hash. */
function delegatedHash(body: IncomingBody, announced: ChecksumAnnouncement): BlobHash | undefined {
  const { algorithm, expected } = announced;
  if (expected !== undefined && algorithm === "SHA256") return { algorithm: "SHA-256", bytes: expected };
  if (body.sha256 !== undefined) return { algorithm: "SHA-256", bytes: body.sha256 };
  if (expected !== undefined && algorithm === "SHA1") return { algorithm: "SHA-1", bytes: expected };
  return undefined;
}

/** Pipes the body from the socket to the store without passing bytes through JavaScript. */
async function pipe(
  blobs: BodyStore,
  { blobId, recoveryMetadata, blobStorageClass }: BodyDestination,
  body: IncomingBody,
  hash: BlobHash | undefined,
): Promise<BlobPutResult> {
  const { readable, writable } = new FixedLengthStream(body.length);
  const stop = new AbortController();
  const piped = (body.plain ?? emptyStream()).pipeTo(writable, { signal: stop.signal });
  const { length } = body;
  const stored = blobs.put({ blobId, recoveryMetadata, blobStorageClass, body: readable, length, hash });
  // A failed store stops reading, and the pipe would wait forever.
  stored.catch((reason: unknown) => stop.abort(reason));
  try {
    await Promise.race([piped, stored]);
    const result = await stored;
    if (result.isStored) await piped;
    return result;
  } catch (error) {
    const cause = await causeOf(stored, error);
    // FixedLengthStream names itself in the error for a short or long body. Any other failure is reported as the
    // store's, which a client may retry.
    throw [error, cause].some((it) => String(it).includes("FixedLengthStream")) ? new S3Error("IncompleteBody") : cause;
  }
}

/** Passes the body through JavaScript, which decodes it and computes the digests that the store cannot verify. */
async function pump(
  blobs: BodyStore,
  destination: BodyDestination,
  body: IncomingBody,
  hash: BlobHash | undefined,
  storedAlgorithm: ChecksumAlgorithm,
  announced: ChecksumAnnouncement,
): Promise<PutBody> {
  const { blobId, recoveryMetadata, blobStorageClass, customerKey, encryption } = destination;
  const cipher =
    customerKey === undefined
      ? undefined
      : await FrameCipher.fresh(
          customerKey.bytes,
          new FrameLayout(body.length),
          await sealedIdentity(customerKey, encryption, blobId),
        );
  const length = cipher?.layout.encryptedLength ?? body.length;
  const { readable, writable } = new FixedLengthStream(length);
  const sink = cipher === undefined ? writable.getWriter() : new EncryptingWriter(writable.getWriter(), cipher);
  const verified = announced.algorithm ?? storedAlgorithm;
  const wanted = [digestAlgorithm(storedAlgorithm), digestAlgorithm(verified)];
  if (cipher !== undefined) wanted.push(...hashesOf(body, announced));
  const algorithms = [...new Set(wanted)];
  const writer = new DelayedWriter(sink, algorithms, body.length);
  const stored = blobs.put({ blobId, recoveryMetadata, blobStorageClass, body: readable, length, hash });
  // A failed store stops reading, and the writer would wait forever.
  stored.catch(() => writer.abort(new Error("store failed")));
  try {
    const trailers = await body.deliver((piece) => writer.write(piece));
    const computed = await writer.digests();
    const digests = new Map(algorithms.map((algorithm, index) => [algorithm, computed[index] ?? new Uint8Array()]));
    const expected = expectedDigest(announced, verified, trailers);
    const actual = digests.get(digestAlgorithm(verified));
    if (expected !== undefined && actual !== undefined) checkChecksum(verified, expected, actual);
    if (cipher !== undefined) checkHashes(body, announced, digests);
    await writer.finish();
    return { result: await stored, checksum: digests.get(digestAlgorithm(storedAlgorithm)) };
  } catch (error) {
    writer.abort(error instanceof Error ? error : new Error("upload refused"));
    await stored.catch(() => undefined);
    throw error instanceof S3Error ? error : await causeOf(stored, error);
  }
}

/** Returns the hashes that the store would verify if it received plaintext. */
function hashesOf({ sha256 }: IncomingBody, { contentMd5 }: ChecksumAnnouncement): DigestAlgorithm[] {
  return [...(sha256 === undefined ? [] : ["SHA-256" as const]), ...(contentMd5 === undefined ? [] : ["MD5" as const])];
}

/** @throws S3Error BadDigest, XAmzContentSHA256Mismatch */
function checkHashes(
  body: IncomingBody,
  announced: ChecksumAnnouncement,
  digests: ReadonlyMap<DigestAlgorithm, Uint8Array>,
): void {
  const [md5, sha256] = [digests.get("MD5"), digests.get("SHA-256")];
  if (announced.contentMd5 !== undefined && md5 !== undefined) checkContentMd5(announced.contentMd5, md5);
  if (body.sha256 !== undefined && sha256 !== undefined && !digestsEqual(body.sha256, sha256)) {
    throw hashMismatch(body, announced, undefined, toHex(sha256));
  }
}

/** Returns the store's own error, if any: a write also fails merely because the store stopped reading. */
async function causeOf(stored: Promise<BlobPutResult>, error: unknown): Promise<unknown> {
  try {
    await stored;
    return error;
  } catch (cause) {
    return cause;
  }
}

function hashMismatch(
  body: IncomingBody,
  announced: ChecksumAnnouncement,
  hash: BlobHash | undefined,
  computed: string | undefined,
): S3Error {
  if (hash !== undefined && hash.bytes === announced.expected && announced.algorithm !== undefined) {
    return new S3Error(
      "BadDigest",
      {},
      `The ${announced.algorithm} you specified did not match the calculated checksum.`,
    );
  }
  return new S3Error("XAmzContentSHA256Mismatch", {
    ClientComputedContentSHA256: body.sha256 === undefined ? undefined : toHex(body.sha256),
    S3ComputedContentSHA256: computed,
  });
}

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.close();
    },
  });
}
