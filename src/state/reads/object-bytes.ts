// The bytes of an object, from its one blob or from the slices of its manifest, as one stream.
import type { CustomerKey } from "../../protocol/objects/customer-encryption.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { BlobStore } from "../blobs/blob-store.ts";
import type { Slice } from "../metadata/manifests.ts";
import { openSealedBlob, type BlobBytes } from "../blobs/sealed-blobs.ts";

/**
 * Opens a range of an object.
 * @param slices those of its manifest that overlap the range; ignored for an object in one blob
 * @param key what the object is encrypted with
 * @returns undefined where the first blob is gone, so that the caller can look the object up again
 */
export async function openObject(
  blobs: BlobStore,
  object: Pick<StoredObject, "blobId" | "size" | "encryption">,
  slices: readonly Slice[],
  range: ByteRange | undefined,
  key: CustomerKey | undefined,
): Promise<ReadableStream<Uint8Array> | undefined> {
  // Also the whole object is asked for as a range, so that a blob that is too short is noticed before it is sent.
  const wanted = range ?? { offset: 0, length: object.size };
  const whole = { blobId: object.blobId ?? "", range: wanted, sliceEnd: object.size };
  const [firstPiece, ...rest] = object.blobId === undefined ? cutSlices(slices, wanted) : [whole];
  if (firstPiece === undefined) return undefined;
  // Where there is nothing to put together and nothing to open, JavaScript need not see the bytes.
  if (rest.length === 0 && key === undefined) return blobs.get(firstPiece.blobId, firstPiece.range);
  const first = await opener(blobs, key, object.encryption)(firstPiece);
  if (first === undefined) return undefined;
  // One call each: of a sealed object they are whole blobs, or the beginning of one.
  const open = opener(blobs.counted(rest.length), key, object.encryption);
  const { readable, writable } = new FixedLengthStream(wanted.length);
  // The pump ends with the stream: its failure breaks the answer off, which is how a client learns of it.
  concatenate(open, first, rest, writable).catch(() => undefined);
  return readable;
}

/** Bytes of one blob. */
export interface Piece {
  readonly blobId: string;
  readonly range: ByteRange;
  /** Where the slice that it is of ends in the blob: at the blob's own end where the object is encrypted. */
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

/** The pieces of the slices that lie in a range, in order. */
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

/** Sends the pieces one after the other; the next one is asked for while the one before it is sent. */
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

/** Sends bytes while those after them are on their way, and gives these. */
async function sendBefore(
  current: BlobBytes,
  next: Promise<BlobBytes | undefined>,
  writable: WritableStream<Uint8Array>,
): Promise<BlobBytes> {
  // It may fail while the bytes before it are still being sent and nobody waits for it.
  next.catch(() => undefined);
  try {
    await current.sendTo(writable);
  } catch (error) {
    // The client left, or a blob broke off: what was asked for early is let go.
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
