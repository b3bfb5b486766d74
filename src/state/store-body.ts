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
 * @throws S3Error BadDigest, XAmzContentSHA256Mismatch, IncompleteBody and what the body's envelope may throw
 */
export async function storeBody(
  blobs: BlobStore,
  destination: Destination,
  body: IncomingBody,
  announced: ChecksumAnnouncement,
): Promise<StoredBody> {
  const algorithm = announced.algorithm ?? DEFAULT_ALGORITHM;
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
  const isPiped = isVerifiedByStore && (body.sha256 === undefined || hash.algorithm === "SHA-256");
  const { result, checksum } = isPiped
    ? { result: await pipe(blobs, destination, body, hash), checksum: announced.expected }
    : await pump(blobs, destination, body, hash, algorithm, announced);
  if (!result.isStored) throw hashMismatch(body, announced, hash, result.computed);
  try {
    if (announced.contentMd5 !== undefined) checkContentMd5(announced.contentMd5, result.md5);
  } catch (error) {
    // Nothing refers to the blob and nothing ever will: this is a refusal, not a failure.
    await blobs.delete([destination.blobId]).catch(() => undefined);
    throw error;
  }
  const value = toBase64(checksum ?? new Uint8Array());
  return { size: body.length, md5: result.md5, checksum: { algorithm, type: "FULL_OBJECT", value } };
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
  const piped = (body.plain ?? emptyStream()).pipeTo(writable);
  const stored = blobs.put({ ...destination, body: readable, hash });
  const [pipeResult, putResult] = await Promise.allSettled([piped, stored]);
  if (putResult.status === "fulfilled" && (pipeResult.status === "fulfilled" || !putResult.value.isStored)) {
    return putResult.value;
  }
  if (putResult.status === "rejected" && pipeResult.status === "fulfilled") throw putResult.reason;
  throw new S3Error("IncompleteBody");
}

/** The body passes through JavaScript, which takes off the envelope and computes what the store cannot verify. */
async function pump(
  blobs: BlobStore,
  destination: Destination,
  body: IncomingBody,
  hash: BlobHash | undefined,
  algorithm: ChecksumAlgorithm,
  announced: ChecksumAnnouncement,
): Promise<{ readonly result: BlobPutResult; readonly checksum: Uint8Array }> {
  const { readable, writable } = new FixedLengthStream(body.length);
  const writer = new HoldingWriter(writable, [digestAlgorithm(algorithm)]);
  const stored = blobs.put({ ...destination, body: readable, hash });
  // Its failure is looked at below; until then it must not count as unhandled.
  stored.catch(() => undefined);
  try {
    const trailers = await body.deliver((piece) => writer.write(piece));
    const [checksum = new Uint8Array()] = await writer.digests();
    const expected = announced.isInTrailer
      ? readDigest(algorithm, trailers.get(checksumHeader(algorithm)) ?? "")
      : announced.expected;
    if (expected !== undefined) checkChecksum(algorithm, expected, checksum);
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
