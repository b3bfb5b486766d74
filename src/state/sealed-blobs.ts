// Blobs that are encrypted with a customer's key. Each is sealed by itself and begins with its own salt, so that it can
// be moved about as it is, without the key.
import { FrameLayout, SALT_BYTES } from "../bytes/sealed-frames.ts";
import { openSealed } from "../bytes/sealed-streams.ts";
import type { CustomerKey } from "../protocol/customer-encryption.ts";
import type { ByteRange } from "../protocol/range.ts";
import type { BlobStore } from "./blob-store.ts";

/**
 * Opens a range of a sealed blob, of which only the frames that hold the range are read, and the salt.
 * @param length of the whole blob in bytes as it was before it was sealed
 * @param range of those bytes; not empty
 * @returns undefined where there is no such blob; a stream that breaks off where the blob is not as it was sealed
 */
export async function openBlob(
  blobs: BlobStore,
  key: CustomerKey,
  blobId: string,
  length: number,
  range: ByteRange,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const layout = new FrameLayout(length);
  const { first, sealed } = layout.framesOf(range);
  if (first === 0) {
    const stream = await blobs.get(blobId, sealed);
    return stream === undefined ? undefined : openSealed({ stream, salt: undefined }, key.bytes, layout, range);
  }
  const [salt, stream] = await Promise.all([readSalt(blobs, blobId), blobs.get(blobId, sealed)]);
  if (salt !== undefined && stream !== undefined) return openSealed({ stream, salt }, key.bytes, layout, range);
  await stream?.cancel();
  return undefined;
}

async function readSalt(blobs: BlobStore, blobId: string): Promise<Uint8Array | undefined> {
  const stream = await blobs.get(blobId, { offset: 0, length: SALT_BYTES });
  return stream === undefined ? undefined : new Response(stream).bytes();
}
