// Blobs that are encrypted with a customer's key. Each is sealed by itself, begins with its own salt and is bound to the id
// under which it was sealed: another in its place does not open. A blob that is copied as it is, without the key, keeps
// that id at the end of its new one.
import { FrameLayout, SALT_BYTES } from "../../bytes/frame-layout.ts";
import { sendOpened, type SealedPiece } from "../../bytes/sealed-streams.ts";
import { isBoundToBlob, type CustomerKey } from "../../protocol/objects/customer-encryption.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import type { BlobStore } from "./blob-store.ts";

/** Bytes of a blob on their way. */
export interface BlobBytes {
  /** Sends them all into a stream, which stays open; rejects where the blob breaks off or is not as it was stored. */
  sendTo(writable: WritableStream<Uint8Array>): Promise<void>;
  /** Lets them go instead. */
  cancel(): Promise<void>;
}

/** What a blob's bytes are sealed as; undefined where its row is of a time when blobs were bound to nothing. */
export async function sealedIdentity(
  key: CustomerKey,
  encryption: string | undefined,
  blobId: string,
): Promise<string | undefined> {
  if (encryption === undefined || !(await isBoundToBlob(key, encryption))) return undefined;
  return `${blobId.slice(0, blobId.indexOf("/"))}/${sealedIdOf(blobId)}`;
}

/** The id of a copy of a blob's bytes as they are, which tells under which id they were sealed. */
export function copiedBlobId(newId: string, blobId: string): string {
  return `${newId}${COPY_MARK}${sealedIdOf(blobId)}`;
}

/** Before the id under which the bytes of a copy were sealed. */
const COPY_MARK = ".";

function sealedIdOf(blobId: string): string {
  const id = blobId.slice(blobId.indexOf("/") + 1);
  return id.slice(id.lastIndexOf(COPY_MARK) + 1);
}

/**
 * Opens a range of a sealed blob, of which only the frames that hold the range are read, and the salt.
 * @param length of the whole blob in bytes as it was before it was sealed
 * @param range of those bytes; not empty
 * @param encryption what its row recognises the key by
 * @returns undefined where there is no such blob
 */
export async function openSealedBlob(
  blobs: BlobStore,
  key: CustomerKey,
  blobId: string,
  length: number,
  range: ByteRange,
  encryption: string | undefined,
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
        const identity = await sealedIdentity(key, encryption, blobId);
        const piece: SealedPiece = { stream, salt, identity };
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
