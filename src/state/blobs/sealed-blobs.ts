// Blobs that are encrypted with a customer's key. Each is sealed by itself and begins with its own salt, so that it can
// be moved about as it is, without the key.
import { FrameLayout, SALT_BYTES } from "../../bytes/frame-layout.ts";
import { sendOpened, type SealedPiece } from "../../bytes/sealed-streams.ts";
import type { CustomerKey } from "../../protocol/objects/customer-encryption.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import type { BlobStore } from "./blob-store.ts";

/** Bytes of a blob on their way. */
export interface BlobBytes {
  /** Sends them all into a stream, which stays open; rejects where the blob breaks off or is not as it was stored. */
  sendTo(writable: WritableStream<Uint8Array>): Promise<void>;
  /** Lets them go instead. */
  cancel(): Promise<void>;
}

/**
 * Opens a range of a sealed blob, of which only the frames that hold the range are read, and the salt.
 * @param length of the whole blob in bytes as it was before it was sealed
 * @param range of those bytes; not empty
 * @returns undefined where there is no such blob
 */
export async function openSealedBlob(
  blobs: BlobStore,
  key: CustomerKey,
  blobId: string,
  length: number,
  range: ByteRange,
): Promise<BlobBytes | undefined> {
  const layout = new FrameLayout(length);
  const { first, sealed } = layout.framesOf(range);
  const bytes = blobs.get(blobId, sealed);
  const [salt, stream] = await Promise.all([first === 0 ? undefined : readSalt(blobs, blobId), bytes]).catch(
    async (error: unknown) => {
      // Without the salt, the bytes that were asked for beside it are of no use.
      await bytes.then((unread) => unread?.cancel()).catch(() => undefined);
      throw error;
    },
  );
  if (stream === undefined || (salt === undefined && first > 0)) {
    await stream?.cancel();
    return undefined;
  }
  return {
    async sendTo(writable) {
      const writer = writable.getWriter();
      try {
        const piece: SealedPiece = { stream, salt };
        await sendOpened(piece, key.bytes, layout, range, writer);
      } finally {
        writer.releaseLock();
      }
    },
    cancel: async () => stream.cancel(),
  };
}

async function readSalt(blobs: BlobStore, blobId: string): Promise<Uint8Array | undefined> {
  const stream = await blobs.get(blobId, { offset: 0, length: SALT_BYTES });
  return stream === undefined ? undefined : new Response(stream).bytes();
}
