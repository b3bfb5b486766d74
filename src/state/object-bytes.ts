// The bytes of an object, from its one blob or from the slices of its manifest, as one stream.
import type { ByteRange } from "../protocol/range.ts";
import type { StoredObject } from "../protocol/stored-object.ts";
import type { BlobStore } from "./blob-store.ts";
import type { Slice } from "./manifests.ts";

/**
 * Opens a range of an object.
 * @param slices those of its manifest that overlap the range; ignored for an object in one blob
 * @returns undefined where the first blob is gone, so that the caller can look the object up again
 */
export async function openObject(
  blobs: BlobStore,
  object: StoredObject,
  slices: readonly Slice[],
  range: ByteRange | undefined,
): Promise<ReadableStream<Uint8Array> | undefined> {
  // Also the whole object is asked for as a range, so that a blob that is too short is noticed before it is sent.
  const wanted = range ?? { offset: 0, length: object.size };
  if (object.blobId !== undefined) return blobs.get(object.blobId, wanted);
  const pieces = cutSlices(slices, wanted);
  const [firstPiece, ...rest] = pieces;
  if (firstPiece === undefined) return undefined;
  const first = await blobs.get(firstPiece.blobId, firstPiece.range);
  if (first === undefined) return undefined;
  if (rest.length === 0) return first;
  const { readable, writable } = new FixedLengthStream(wanted.length);
  // The pump ends with the stream: its failure breaks the answer off, which is how a client learns of it.
  concatenate(blobs, first, rest, writable).catch(() => undefined);
  return readable;
}

/** Bytes of one blob. */
export interface Piece {
  readonly blobId: string;
  readonly range: ByteRange;
}

/** The pieces of the slices that lie in a range, in order. */
export function cutSlices(slices: readonly Slice[], { offset, length }: ByteRange): Piece[] {
  const end = offset + length;
  return slices.flatMap((slice) => {
    const from = Math.max(slice.start, offset);
    const to = Math.min(slice.start + slice.length, end);
    if (from >= to) return [];
    return [{ blobId: slice.blobId, range: { offset: slice.offset + from - slice.start, length: to - from } }];
  });
}

/** Sends the pieces one after the other; the next one is asked for while the one before it is sent. */
async function concatenate(
  blobs: BlobStore,
  first: ReadableStream<Uint8Array>,
  rest: readonly Piece[],
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  let current = first;
  for (const { blobId, range } of rest) {
    const next = blobs.get(blobId, range);
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
