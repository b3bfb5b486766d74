// The bytes of an object, from its one blob or from the slices of its manifest, as one stream.
import type { CustomerKey } from "../protocol/customer-encryption.ts";
import type { ByteRange } from "../protocol/range.ts";
import type { StoredObject } from "../protocol/stored-object.ts";
import type { BlobStore } from "./blob-store.ts";
import type { Slice } from "./manifests.ts";
import { openBlob } from "./sealed-blobs.ts";

/**
 * Opens a range of an object.
 * @param slices those of its manifest that overlap the range; ignored for an object in one blob
 * @param key what the object is encrypted with
 * @returns undefined where the first blob is gone, so that the caller can look the object up again
 */
export async function openObject(
  blobs: BlobStore,
  object: StoredObject,
  slices: readonly Slice[],
  range: ByteRange | undefined,
  key: CustomerKey | undefined,
): Promise<ReadableStream<Uint8Array> | undefined> {
  // Also the whole object is asked for as a range, so that a blob that is too short is noticed before it is sent.
  const wanted = range ?? { offset: 0, length: object.size };
  const open: PieceOpener = async ({ blobId, range, sliceEnd }) =>
    key === undefined ? blobs.get(blobId, range) : openBlob(blobs, key, blobId, sliceEnd, range);
  if (object.blobId !== undefined) return open({ blobId: object.blobId, range: wanted, sliceEnd: object.size });
  const [firstPiece, ...rest] = cutSlices(slices, wanted);
  if (firstPiece === undefined) return undefined;
  const first = await open(firstPiece);
  if (first === undefined) return undefined;
  if (rest.length === 0) return first;
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

type PieceOpener = (piece: Piece) => Promise<ReadableStream<Uint8Array> | undefined>;

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
  first: ReadableStream<Uint8Array>,
  rest: readonly Piece[],
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  let current = first;
  for (const piece of rest) {
    const next = open(piece);
    try {
      await current.pipeTo(writable, { preventClose: true });
    } catch (error) {
      // The client left, or a blob broke off: what was asked for early is let go.
      await next.then(
        (stream) => stream?.cancel(),
        () => undefined,
      );
      await writable.abort(error).catch(() => undefined);
      throw error;
    }
    const stream = await next.catch(() => undefined);
    if (stream === undefined) {
      const missing = new Error("a blob of the object is missing");
      await writable.abort(missing);
      throw missing;
    }
    current = stream;
  }
  await current.pipeTo(writable);
}
