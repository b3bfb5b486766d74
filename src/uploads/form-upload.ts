// Storing a new object whose length only its end tells for certain. The store must know a blob's length before its first
// byte, so a file that is small is held until its end, and of a large one the length is presumed from the length of the
// form. Where more came after the file than is usual the blob is of another length than the file: the file is then
// stored a second time, from there.
import { GrowingBuffer } from "../bytes/growing-buffer.ts";
import { fromBase64, fromHex } from "../bytes/hex-base64.ts";
import { PIECE_BYTES, PieceReader } from "../bytes/streams.ts";
import {
  checkChecksum,
  checkContentMd5,
  DEFAULT_ALGORITHM,
  type ChecksumAnnouncement,
} from "../protocol/core/checksums.ts";
import type { FormFile } from "../protocol/forms/form-file.ts";
import type { IncomingBody } from "../protocol/core/incoming-body.ts";
import type { BlobStore } from "../state/blobs/blob-store.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { openObject } from "../state/reads/object-bytes.ts";
import { storeBody, type BodyDestination, type StoredBody } from "../state/blobs/store-body.ts";
import type { Context } from "../contract/context.ts";
import {
  commitNewObject,
  freshDestination,
  refuseTooLarge,
  storeNewObject,
  type NewObject,
  type StoredNewObject,
} from "./new-object.ts";
import { EstimatedLengthBody } from "./estimated-length-body.ts";

const NOTHING_ANNOUNCED: ChecksumAnnouncement = {
  algorithm: undefined,
  expected: undefined,
  isInTrailer: false,
  contentMd5: undefined,
};

/**
 * Stores a form's file and commits it as a new object.
 * @throws S3Error what the file's reading, {@link storeNewObject} and {@link commitNewObject} throw
 */
export async function storeFormFile(
  context: Context,
  bucket: Bucket,
  object: NewObject,
  file: FormFile,
  announced: ChecksumAnnouncement,
): Promise<StoredNewObject> {
  const head = new GrowingBuffer(PIECE_BYTES);
  for (;;) {
    const bytes = await file.read();
    if (bytes === undefined) {
      return storeNewObject(context, bucket, object, bodyOf(head.bytes), announced);
    }
    if (bytes.length > head.room) {
      const body = new EstimatedLengthBody([head.bytes, bytes], file);
      return storeEstimated(context, bucket, object, body, announced);
    }
    head.append(bytes);
  }
}

/** Stores a file as if it were of the presumed length, and once more where it turns out not to be. */
async function storeEstimated(
  context: Context,
  bucket: Bucket,
  object: NewObject,
  body: EstimatedLengthBody,
  announced: ChecksumAnnouncement,
): Promise<StoredNewObject> {
  refuseTooLarge(body.length);
  const destination = freshDestination(context, bucket, object);
  const { blobId } = destination;
  const kept = announced.algorithm ?? DEFAULT_ALGORITHM;
  const stored = await storeBody(context.blobs, destination, body, NOTHING_ANNOUNCED, kept);
  // The ETag of encrypted bytes is not their MD5: that is verified where they are stored as what they are.
  const isVerifiable = announced.contentMd5 === undefined || object.encryption === undefined;
  if (body.isAsEstimated && isVerifiable) {
    try {
      checkAnnounced(announced, stored);
    } catch (error) {
      context.waitUntil(context.blobs.delete([blobId]));
      throw error;
    }
    return commitNewObject(context, bucket, object, { ...stored, blobId });
  }
  try {
    return await storeNewObject(context, bucket, object, bodyInBlob(context.blobs, destination, body), announced);
  } finally {
    // Nothing refers to the first blob and nothing ever will.
    context.waitUntil(context.blobs.delete([blobId]));
  }
}

/** @throws S3Error BadDigest */
function checkAnnounced({ algorithm, expected, contentMd5 }: ChecksumAnnouncement, stored: StoredBody): void {
  const computed = fromBase64(stored.checksum.value);
  if (algorithm !== undefined && expected !== undefined && computed !== undefined) {
    checkChecksum(algorithm, expected, computed);
  }
  const md5 = fromHex(stored.etag);
  if (contentMd5 !== undefined && md5 !== undefined) checkContentMd5(contentMd5, md5);
}

function bodyOf(bytes: Uint8Array): IncomingBody {
  return measuredBody(bytes.length, (take) => take(bytes));
}

/** The bytes of a file that came in a blob of another length, and those beyond the blob's end. */
function bodyInBlob(
  blobs: BlobStore,
  { blobId, customerKey, encryption }: BodyDestination,
  { length, size, excess }: EstimatedLengthBody,
): IncomingBody {
  return measuredBody(size, async (take) => {
    const range = { offset: 0, length: Math.min(length, size) };
    const stream = await openObject(blobs, { blobId, size: length, encryption }, [], range, customerKey);
    if (stream === undefined) throw new Error(`blob ${blobId} is gone`);
    const reader = new PieceReader(stream);
    for (;;) {
      const piece = await reader.read();
      if (piece === undefined) break;
      await take(piece);
    }
    await take(excess);
  });
}

function measuredBody(
  length: number,
  deliver: (take: (piece: Uint8Array) => Promise<void>) => Promise<void>,
): IncomingBody {
  return {
    length,
    sha256: undefined,
    trailerNames: [],
    plain: undefined,
    deliver: async (take) => {
      await deliver(take);
      return new Map();
    },
  };
}
