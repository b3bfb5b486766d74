// Streams an incoming body into the blob store and verifies everything that was announced about it. A body that is
// short, long or wrong is broken off before its end, so that the store never sees a whole blob.
import { digestsEqual } from "../bytes/digest.ts";
import { HoldingWriter } from "../bytes/streams.ts";
import { toBase64, toHex } from "../bytes/hex-base64.ts";
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
} from "../protocol/checksums.ts";
import type { IncomingBody } from "../protocol/incoming-body.ts";
import { S3Error } from "../protocol/s3-error.ts";
import type { BlobHash, BlobPut, BlobPutResult, BlobStore } from "./blob-store.ts";

/** A body that is stored and agrees with everything that was said about it. */
export interface StoredBody {
  readonly size: number;
  readonly md5: Uint8Array;
  readonly checksum: ObjectChecksum;
}

type Destination = Pick<BlobPut, "blobId" | "birthCertificate">;

/**
 * Stores a body as one blob.
 * @param kept the algorithm of the checksum to keep: the announced one unless another is needed
 * @throws S3Error BadDigest, XAmzContentSHA256Mismatch, IncompleteBody and what the body's envelope may throw
 */
export async function storeBody(
  blobs: BlobStore,
  destination: Destination,
  body: IncomingBody,
  announced: ChecksumAnnouncement,
  kept: ChecksumAlgorithm = announced.algorithm ?? DEFAULT_ALGORITHM,
): Promise<StoredBody> {
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
  const value = toBase64(checksum ?? new Uint8Array());
  return { size: body.length, md5: result.md5, checksum: { algorithm: kept, type: "FULL_OBJECT", value } };
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
  destination: Destination,
  body: IncomingBody,
  hash: BlobHash | undefined,
): Promise<BlobPutResult> {
  const { readable, writable } = new FixedLengthStream(body.length);
  const stop = new AbortController();
  const piped = (body.plain ?? emptyStream()).pipeTo(writable, { signal: stop.signal });
  const stored = blobs.put({ ...destination, body: readable, hash });
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
  destination: Destination,
  body: IncomingBody,
  hash: BlobHash | undefined,
  kept: ChecksumAlgorithm,
  announced: ChecksumAnnouncement,
): Promise<{ readonly result: BlobPutResult; readonly checksum: Uint8Array }> {
  const { readable, writable } = new FixedLengthStream(body.length);
  const verified = announced.algorithm ?? kept;
  const algorithms = verified === kept ? [kept] : [kept, verified];
  const writer = new HoldingWriter(writable.getWriter(), algorithms.map(digestAlgorithm));
  const stored = blobs.put({ ...destination, body: readable, hash });
  // A store that fails need not have read on: the writer would wait for it for ever.
  stored.catch(() => writer.abort(new Error("store failed")));
  try {
    const trailers = await body.deliver((piece) => writer.write(piece));
    const [checksum = new Uint8Array(), other = checksum] = await writer.digests();
    const expected = announced.isInTrailer
      ? readDigest(verified, trailers.get(checksumHeader(verified)) ?? "")
      : announced.expected;
    if (expected !== undefined) checkChecksum(verified, expected, other);
    await writer.finish();
    return { result: await stored, checksum };
  } catch (error) {
    writer.abort(new Error("upload refused"));
    await stored.catch(() => undefined);
    throw error instanceof S3Error ? error : await causeOf(stored, error);
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
