// Blobs that are encrypted (sealed) with a customer's key. Each blob begins with its own salt and is bound to the id
// under which it was sealed, so that a swapped blob does not open. A copy made without the key appends that id to its
// own.
import { FrameLayout, SALT_BYTES } from "../../bytes/frame-layout.ts";
import { writeDecrypted, type EncryptedPiece } from "../../bytes/encrypted-streams.ts";
import { isBoundToBlob, type CustomerKey } from "../../protocol/objects/customer-encryption.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import type { BlobReader } from "./blob-store.ts";

/** The bytes of a blob, opened but not yet sent. */
export interface BlobBytes {
  /** Writes all bytes to a stream and leaves it open. Rejects if the blob is truncated or damaged. */
  sendTo(writable: WritableStream<Uint8Array>): Promise<void>;
  /** Discards the bytes unsent. */
  cancel(): Promise<void>;
}

/** Returns the id that a blob is bound to; undefined for rows from before blobs were bound to ids. */
export async function sealedIdentity(
  key: CustomerKey,
  encryption: string | undefined,
  blobId: string,
): Promise<string | undefined> {
  if (encryption === undefined || !(await isBoundToBlob(key, encryption))) return undefined;
  return `${blobId.slice(0, blobId.indexOf("/"))}/${sealedIdOf(blobId)}`;
}

/** Returns the id for a copy of sealed bytes. It contains the id under which they were sealed. */
export function copiedBlobId(newId: string, blobId: string): string {
  return `${newId}${COPY_MARK}${sealedIdOf(blobId)}`;
}

/** Separates a copy's id from the id under which its bytes were sealed. */
const COPY_MARK = ".";

function sealedIdOf(blobId: string): string {
  const id = blobId.slice(blobId.indexOf("/") + 1);
  return id.slice(id.lastIndexOf(COPY_MARK) + 1);
}

/**
 * Opens a range of a sealed blob. Reads only the salt and the frames that overlap the range.
 * @param length plaintext length of the whole blob in bytes
 * @param range plaintext range; not empty
 * @param encryption the row's fingerprint of the key
 * @returns undefined if the blob does not exist
 */
export async function openSealedBlob(
  blobs: BlobReader,
  key: CustomerKey,
  blobId: string,
  length: number,
  range: ByteRange,
  encryption: string | undefined,
): Promise<BlobBytes | undefined> {
  const layout = new FrameLayout(length);
  const { first, encrypted } = layout.framesOf(range);
  const bytes = blobs.get(blobId, encrypted);
  const [salt, stream] = await Promise.all([first === 0 ? undefined : readSalt(blobs, blobId), bytes]).catch(
    async (error: unknown) => {
      // The frames cannot be decrypted without the salt.
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
        const identity = await sealedIdentity(key, encryption, blobId);
        const piece: EncryptedPiece = { stream, salt, identity };
        await writeDecrypted(piece, key.bytes, layout, range, writer);
      } finally {
        writer.releaseLock();
      }
    },
    cancel: async () => stream.cancel(),
  };
}

async function readSalt(blobs: BlobReader, blobId: string): Promise<Uint8Array | undefined> {
  const stream = await blobs.get(blobId, { offset: 0, length: SALT_BYTES });
  return stream === undefined ? undefined : new Response(stream).bytes();
}
