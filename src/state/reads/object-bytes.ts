// Streams the bytes of an object from its one blob or from the slices of its manifest.
import type { CustomerKey } from "../../protocol/objects/customer-encryption.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { BlobReader } from "../blobs/blob-store.ts";
import type { Slice } from "../metadata/manifests.ts";
import { openSealedBlob, type BlobBytes } from "../blobs/sealed-blobs.ts";
import type { BlobRead } from "../blobs/cache-pieces.ts";
import { sendChain, type Link } from "./link.ts";

/**
 * Opens a range of an object.
 * @param slices the manifest's slices that overlap the range; ignored for an object in one blob
 * @param key the customer's key, if the object is encrypted
 * @returns undefined if the first blob is missing, so that the caller can look up the object again
 */
export async function openObject(
  blobs: BlobReader,
  object: Pick<StoredObject, "blobId" | "size" | "encryption">,
  slices: readonly Slice[],
  range: ByteRange | undefined,
  key: CustomerKey | undefined,
): Promise<ReadableStream<Uint8Array> | undefined> {
  // A whole object is read as a range too, so that a truncated blob is detected before the first byte is sent.
  const wanted = range ?? { offset: 0, length: object.size };
  const [firstPiece, ...rest] = readsOf(object, slices, wanted);
  if (firstPiece === undefined) return undefined;
  // A single plaintext piece can be streamed without passing through JavaScript.
  if (rest.length === 0 && key === undefined) return blobs.get(firstPiece.blobId, firstPiece.range);
  const first = await opener(blobs, key, object.encryption)(firstPiece);
  if (first === undefined) return undefined;
  // One call each: of a sealed object they are whole blobs, or the beginning of one.
  const open = opener(blobs.counted(rest.length), key, object.encryption);
  const { readable, writable } = new FixedLengthStream(wanted.length);
  // A failure aborts the response stream, which is how the client learns of it.
  sendChain(linkOf(first, open, rest), writable).catch(() => undefined);
  return readable;
}

/** Returns the ranges of blobs that make up a range of an object, in order. */
export function readsOf(
  { blobId, size }: Pick<StoredObject, "blobId" | "size">,
  slices: readonly Slice[],
  range: ByteRange,
): BlobRead[] {
  return blobId === undefined ? cutSlices(slices, range) : [{ blobId, range, sliceStart: 0, sliceEnd: size }];
}

type PieceOpener = (piece: BlobRead) => Promise<BlobBytes | undefined>;

function opener(blobs: BlobReader, key: CustomerKey | undefined, encryption: string | undefined): PieceOpener {
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
export function cutSlices(slices: readonly Slice[], { offset, length }: ByteRange): BlobRead[] {
  const end = offset + length;
  return slices.flatMap((slice) => {
    const from = Math.max(slice.start, offset);
    const to = Math.min(slice.start + slice.length, end);
    if (from >= to) return [];
    const range = { offset: slice.offset + from - slice.start, length: to - from };
    const { blobId, offset: sliceStart } = slice;
    return [{ blobId, range, sliceStart, sliceEnd: sliceStart + slice.length }];
  });
}

function linkOf(bytes: BlobBytes, open: PieceOpener, [next, ...rest]: readonly BlobRead[]): Link {
  if (next === undefined) return { bytes, next: undefined };
  return {
    bytes,
    next: async () => {
      const opened = await open(next);
      return opened === undefined ? undefined : linkOf(opened, open, rest);
    },
  };
}
