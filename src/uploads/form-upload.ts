// Stores a form's file, whose length is known only at its end, although the store needs a blob's length before its
// first byte. A small file is buffered. The length of a large one is estimated from the form's length; after a wrong
// estimate, the file is stored a second time from the first blob.
import { GrowingBuffer } from "../bytes/growing-buffer.ts";
import { fromBase64, fromHex } from "../bytes/hex-base64.ts";
import { PIECE_BYTES, PieceReader } from "../bytes/streams.ts";
import {
  checkChecksum,
  checkContentMd5,
  DEFAULT_ALGORITHM,
  NOTHING_ANNOUNCED,
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
import { bodyOfBytes, measuredBody } from "./measured-body.ts";
import { EstimatedLengthBody } from "./estimated-length-body.ts";

/**
 * Stores a form's file and commits it as a new object.
 * @throws S3Error what reading the file, {@link storeNewObject} and {@link commitNewObject} throw
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
      return storeNewObject(context, bucket, object, bodyOfBytes(head.bytes), announced);
    }
    if (bytes.length > head.room) {
      const body = new EstimatedLengthBody([head.bytes, bytes], file);
      return storeEstimated(context, bucket, object, body, announced);
    }
    head.append(bytes);
  }
}

/** Stores a file with its estimated length, and again with its real length when the estimate was wrong. */
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
  const algorithm = announced.algorithm ?? DEFAULT_ALGORITHM;
  const stored = await storeBody(context.blobs, destination, body, NOTHING_ANNOUNCED, algorithm);
  // The ETag of encrypted bytes is not their MD5, so storeNewObject verifies Content-MD5 while it stores them again.
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
    // No row references the first blob and none ever will.
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

/** The bytes of a file that was stored with a wrong length: those in the blob, then those beyond its end. */
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
