// Streams the bytes of an object from its one blob or from the slices of its manifest.
import type { CustomerKey } from "../../protocol/objects/customer-encryption.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { BlobStore } from "../blobs/blob-store.ts";
import type { Slice } from "../metadata/manifests.ts";
import { openSealedBlob, type BlobBytes } from "../blobs/sealed-blobs.ts";

/**
 * Opens a range of an object.
 * @param slices the manifest's slices that overlap the range; ignored for an object in one blob
 * @param key the customer's key, if the object is encrypted
 * @returns undefined if the first blob is missing, so that the caller can look up the object again
 */
export async function openObject(
  blobs: BlobStore,
  object: Pick<StoredObject, "blobId" | "size" | "encryption">,
  slices: readonly Slice[],
  range: ByteRange | undefined,
  key: CustomerKey | undefined,
): Promise<ReadableStream<Uint8Array> | undefined> {
  // A whole object is read as a range too, so that a truncated blob is detected before the first byte is sent.
  const wanted = range ?? { offset: 0, length: object.size };
  const whole = { blobId: object.blobId ?? "", range: wanted, sliceEnd: object.size };
  const [firstPiece, ...rest] = object.blobId === undefined ? cutSlices(slices, wanted) : [whole];
  if (firstPiece === undefined) return undefined;
  // A single plaintext piece can be streamed without passing through JavaScript.
  if (rest.length === 0 && key === undefined) return blobs.get(firstPiece.blobId, firstPiece.range);
  const first = await opener(blobs, key, object.encryption)(firstPiece);
  if (first === undefined) return undefined;
  // One call each: of a sealed object they are whole blobs, or the beginning of one.
  const open = opener(blobs.counted(rest.length), key, object.encryption);
  const { readable, writable } = new FixedLengthStream(wanted.length);
  // A failure aborts the response stream, which is how the client learns of it.
  concatenate(open, first, rest, writable).catch(() => undefined);
  return readable;
}

/** A range of one blob. */
export interface Piece {
  readonly blobId: string;
  readonly range: ByteRange;
  /** Where the piece's slice ends in the blob. For an encrypted object that is the blob's plaintext length. */
  readonly sliceEnd: number;
}

type PieceOpener = (piece: Piece) => Promise<BlobBytes | undefined>;

function opener(blobs: BlobStore, key: CustomerKey | undefined, encryption: string | undefined): PieceOpener {
  if (key !== undefined) {
    return async ({ blobId, range, sliceEnd }) => openSealedBlob(blobs, key, blobId, sliceEnd, range, encryption);
  }
  return async ({ blobId, range }) => {
    const stream = await blobs.get(blobId, range);
    if (stream === undefined) return undefined;
    return {
      sendTo: async (writable) => stream.pipeTo(writable, { preventClose: true }),
      cancel: async () => stream.cancel(),
    };
  };
}

/** Returns, in order, the parts of slices that lie in a range. */
export function cutSlices(slices: readonly Slice[], { offset, length }: ByteRange): Piece[] {
  const end = offset + length;
  return slices.flatMap((slice) => {
    const from = Math.max(slice.start, offset);
    const to = Math.min(slice.start + slice.length, end);
    if (from >= to) return [];
    const range = { offset: slice.offset + from - slice.start, length: to - from };
    return [{ blobId: slice.blobId, range, sliceEnd: slice.offset + slice.length }];
  });
}

/** Sends the pieces in order and opens each one while the previous one is sent. */
async function concatenate(
  open: PieceOpener,
  first: BlobBytes,
  rest: readonly Piece[],
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  try {
    let current = first;
    for (const piece of rest) current = await sendBefore(current, open(piece), writable);
    await current.sendTo(writable);
    await writable.close();
  } catch (error) {
    await writable.abort(error).catch(() => undefined);
    throw error;
  }
}

/** Sends one piece, then returns the next one, whose opening is already in progress. */
async function sendBefore(
  current: BlobBytes,
  next: Promise<BlobBytes | undefined>,
  writable: WritableStream<Uint8Array>,
): Promise<BlobBytes> {
  // Prevents an unhandled rejection if the opening fails before it is awaited.
  next.catch(() => undefined);
  try {
    await current.sendTo(writable);
  } catch (error) {
    // The client disconnected or a blob was truncated, so the piece opened in advance is discarded.
    await next.then(
      (bytes) => bytes?.cancel(),
      () => undefined,
    );
    throw error;
  }
  const bytes = await next;
  if (bytes === undefined) throw new Error("a blob of the object is missing");
  return bytes;
}
