// Streams an incoming body into the blob store and verifies everything that was announced about it. A body that is
// short, long or wrong is broken off before its end, so that the store never sees a whole blob.
import { digestsEqual, type DigestAlgorithm } from "../../bytes/digest.ts";
import { toBase64, toHex } from "../../bytes/hex-base64.ts";
import { FrameLayout } from "../../bytes/frame-layout.ts";
import { FrameCipher } from "../../bytes/sealed-frames.ts";
import { SealingWriter } from "../../bytes/sealed-streams.ts";
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
import type { BlobHash, BlobPut, BlobPutResult, BlobStore } from "./blob-store.ts";

const ETAG_BYTES = 16;

/** A body that is stored and agrees with everything that was said about it. */
export interface StoredBody {
  readonly size: number;
  /** 32 hexadecimal digits: the MD5 of the bytes, or random ones where those are encrypted with a customer's key. */
  readonly etag: string;
  readonly checksum: ObjectChecksum;
}

/** Where a body goes. */
export interface BodyDestination extends Pick<BlobPut, "blobId" | "recoveryMetadata" | "blobStorageClass"> {
  /** What its bytes are encrypted with before they are stored. */
  readonly customerKey: CustomerKey | undefined;
  /** What the row will recognise that key by. */
  readonly encryption: string | undefined;
}

/**
 * Stores a body as one blob.
 * @param kept the algorithm of the checksum to keep: the announced one unless another is needed
 * @throws S3Error BadDigest, XAmzContentSHA256Mismatch, IncompleteBody and what the body's envelope may throw
 */
export async function storeBody(
  blobs: BlobStore,
  destination: BodyDestination,
  body: IncomingBody,
  announced: ChecksumAnnouncement,
  kept: ChecksumAlgorithm = announced.algorithm ?? DEFAULT_ALGORITHM,
): Promise<StoredBody> {
  if (destination.customerKey !== undefined) return storeSealed(blobs, destination, body, announced, kept);
  const hash = delegatedHash(body, announced);
  // Two different SHA-256 of one body: whichever the store verified, the other is wrong.
  if (hash?.algorithm === "SHA-256" && body.sha256 !== undefined && !digestsEqual(hash.bytes, body.sha256)) {
    throw hashMismatch(body, announced, hash, undefined);
  }
  const isVerifiedByStore =
    announced.expected !== undefined &&
    hash !== undefined &&
    hash.bytes === announced.expected &&
    body.plain !== undefined;
  const isPiped =
    isVerifiedByStore && kept === announced.algorithm && (body.sha256 === undefined || hash.algorithm === "SHA-256");
  const { result, checksum } = isPiped
    ? { result: await pipe(blobs, destination, body, hash), checksum: announced.expected }
    : await pump(blobs, destination, body, hash, kept, announced);
  if (!result.isStored) throw hashMismatch(body, announced, hash, result.computed);
  try {
    if (announced.contentMd5 !== undefined) checkContentMd5(announced.contentMd5, result.md5);
  } catch (error) {
    // Nothing refers to the blob and nothing ever will: this is a refusal, not a failure.
    await blobs.delete([destination.blobId]).catch(() => undefined);
    throw error;
  }
  return { size: body.length, etag: toHex(result.md5), checksum: fullChecksum(kept, checksum) };
}

/** Stores a body encrypted. The store sees none of the bytes that were hashed, so every hash is verified here. */
async function storeSealed(
  blobs: BlobStore,
  destination: BodyDestination,
  body: IncomingBody,
  announced: ChecksumAnnouncement,
  kept: ChecksumAlgorithm,
): Promise<StoredBody> {
  const { checksum } = await pump(blobs, destination, body, undefined, kept, announced);
  const etag = toHex(crypto.getRandomValues(new Uint8Array(ETAG_BYTES)));
  return { size: body.length, etag, checksum: fullChecksum(kept, checksum) };
}

function fullChecksum(algorithm: ChecksumAlgorithm, digest: Uint8Array = new Uint8Array()): ObjectChecksum {
  return { algorithm, type: "FULL_OBJECT", value: toBase64(digest) };
}

/** The one hash that the store itself can verify: the checksum if it is such a hash, else the signed payload hash. */
function delegatedHash(body: IncomingBody, announced: ChecksumAnnouncement): BlobHash | undefined {
  const { algorithm, expected } = announced;
  if (expected !== undefined && algorithm === "SHA256") return { algorithm: "SHA-256", bytes: expected };
  if (body.sha256 !== undefined) return { algorithm: "SHA-256", bytes: body.sha256 };
  if (expected !== undefined && algorithm === "SHA1") return { algorithm: "SHA-1", bytes: expected };
  return undefined;
}

/** The body goes from the socket to the store without JavaScript seeing a byte. */
async function pipe(
  blobs: BlobStore,
  { blobId, recoveryMetadata, blobStorageClass }: BodyDestination,
  body: IncomingBody,
  hash: BlobHash | undefined,
): Promise<BlobPutResult> {
  const { readable, writable } = new FixedLengthStream(body.length);
  const stop = new AbortController();
  const piped = (body.plain ?? emptyStream()).pipeTo(writable, { signal: stop.signal });
  const stored = blobs.put({ blobId, recoveryMetadata, blobStorageClass, body: readable, hash });
  // A store that fails need not have read on: the pipe would wait for it for ever.
  stored.catch((reason: unknown) => stop.abort(reason));
  try {
    await Promise.race([piped, stored]);
    const result = await stored;
    if (result.isStored) await piped;
    return result;
  } catch (error) {
    const cause = await causeOf(stored, error);
    // The stream of known length says so where the body is short or long. Where the pipe broke otherwise, body and
    // store look alike; a client that is gone does not mind which of them is blamed, and one that is not may retry.
    throw [error, cause].some((it) => String(it).includes("FixedLengthStream")) ? new S3Error("IncompleteBody") : cause;
  }
}

/** The body passes through JavaScript, which takes off the envelope and computes what the store cannot verify. */
async function pump(
  blobs: BlobStore,
  destination: BodyDestination,
  body: IncomingBody,
  hash: BlobHash | undefined,
  kept: ChecksumAlgorithm,
  announced: ChecksumAnnouncement,
): Promise<{ readonly result: BlobPutResult; readonly checksum: Uint8Array | undefined }> {
  const { blobId, recoveryMetadata, blobStorageClass, customerKey, encryption } = destination;
  const cipher =
    customerKey === undefined
      ? undefined
      : await FrameCipher.fresh(
          customerKey.bytes,
          new FrameLayout(body.length),
          await sealedIdentity(customerKey, encryption, blobId),
        );
  const { readable, writable } = new FixedLengthStream(cipher?.layout.sealedLength ?? body.length);
  const sink = cipher === undefined ? writable.getWriter() : new SealingWriter(writable.getWriter(), cipher);
  const verified = announced.algorithm ?? kept;
  const wanted = [digestAlgorithm(kept), digestAlgorithm(verified)];
  if (cipher !== undefined) wanted.push(...hashesOf(body, announced));
  const algorithms = [...new Set(wanted)];
  const writer = new DelayedWriter(sink, algorithms, body.length);
  const stored = blobs.put({ blobId, recoveryMetadata, blobStorageClass, body: readable, hash });
  // A store that fails need not have read on: the writer would wait for it for ever.
  stored.catch(() => writer.abort(new Error("store failed")));
  try {
    const trailers = await body.deliver((piece) => writer.write(piece));
    const computed = await writer.digests();
    const digests = new Map(algorithms.map((algorithm, index) => [algorithm, computed[index] ?? new Uint8Array()]));
    const expected = announced.isInTrailer
      ? readDigest(verified, trailers.get(checksumHeader(verified)) ?? "")
      : announced.expected;
    const actual = digests.get(digestAlgorithm(verified));
    if (expected !== undefined && actual !== undefined) checkChecksum(verified, expected, actual);
    if (cipher !== undefined) checkHashes(body, announced, digests);
    await writer.finish();
    return { result: await stored, checksum: digests.get(digestAlgorithm(kept)) };
  } catch (error) {
    writer.abort(error instanceof Error ? error : new Error("upload refused"));
    await stored.catch(() => undefined);
    throw error instanceof S3Error ? error : await causeOf(stored, error);
  }
}

/** The hashes of a body that a store would verify if it saw the body's bytes. */
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

/** A write fails when the store stops reading; the store's own error says why. */
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
