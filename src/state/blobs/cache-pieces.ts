// Divides a read into the cached pieces that it touches. Pieces start at multiples of one size in the blob, so that
// different ranges of a blob share pieces.
import type { ByteRange } from "../../protocol/core/range.ts";
import type { CachePiece } from "./edge-cache.ts";

/**
 * The maximum number of pieces that one read looks up and stores. The platform permits 1000 calls of the Cache API in an
 * invocation.
 */
export const MAX_PIECES = 450;

/** A range of a blob, and the part of the blob that is known to exist. */
export interface BlobRead {
  readonly blobId: string;
  readonly range: ByteRange;
  readonly sliceStart: number;
  readonly sliceEnd: number;
}

/** The part of a read that lies in one piece. */
export interface Segment {
  readonly piece: CachePiece;
  /** In the blob's offsets. */
  readonly range: ByteRange;
  /** The index of the read that it belongs to. */
  readonly read: number;
}

/** Returns the segments of reads in order; undefined if they are more than {@link MAX_PIECES}. */
export function segmentsOf(reads: readonly BlobRead[], pieceBytes: number): Segment[] | undefined {
  const count = reads.reduce((total, { range }) => total + countOf(range, pieceBytes), 0);
  return count > MAX_PIECES ? undefined : reads.flatMap((read, index) => segmentsOfRead(read, index, pieceBytes));
}

function countOf({ offset, length }: ByteRange, pieceBytes: number): number {
  return Math.floor((offset + length - 1) / pieceBytes) - Math.floor(offset / pieceBytes) + 1;
}

function segmentsOfRead(
  { blobId, range, sliceStart, sliceEnd }: BlobRead,
  read: number,
  pieceBytes: number,
): Segment[] {
  const first = Math.floor(range.offset / pieceBytes);
  return Array.from({ length: countOf(range, pieceBytes) }, (_, index) => {
    const start = (first + index) * pieceBytes;
    // Only the slice's bytes are known to exist.
    const from = Math.max(start, sliceStart);
    const to = Math.min(start + pieceBytes, sliceEnd);
    const offset = Math.max(from, range.offset);
    const length = Math.min(to, range.offset + range.length) - offset;
    return { piece: { blobId, from, to }, range: { offset, length }, read };
  });
}

/** Whether a segment covers its whole piece. */
export function isWholePiece({ piece, range }: Segment): boolean {
  return range.offset === piece.from && range.length === piece.to - piece.from;
}
