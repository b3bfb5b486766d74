// The interface of the edge cache: pieces of immutable blobs near the readers. An entry is named by the blob's id and the
// bytes that it covers, never by a key or a version. An entry therefore cannot be stale, only absent.
import type { ByteRange } from "../../protocol/core/range.ts";

/** The cached unit: the bytes from `from` to before `to` of a blob. */
export interface CachePiece {
  readonly blobId: string;
  readonly from: number;
  readonly to: number;
}

/** Opened bytes of a piece, of exactly the requested length. */
export interface PieceBytes {
  readonly body: ReadableStream<Uint8Array>;
  /** False if the cache has just read them from the blob store. */
  readonly isHit: boolean;
}

/** A cache of pieces. Every rejection means that the cache failed, never that the bytes do not exist. */
export interface EdgeCache {
  /** Whether readers store what they missed. False for a cache that reads from the blob store by itself. */
  readonly isFilledByReaders: boolean;
  /** The size of a full piece. */
  readonly pieceBytes: number;
  /** Distinguishes this cache from others in the isolate. */
  readonly name: string;
  /**
   * Opens a range of a piece.
   * @param range in the blob's offsets, inside the piece
   * @param mayFill whether a cache that fills itself may store the piece
   * @returns undefined if the cache does not have the piece, or has a piece of another length
   */
  open(piece: CachePiece, range: ByteRange, mayFill: boolean): Promise<PieceBytes | undefined>;
  /** Stores a complete piece, given in chunks. */
  store(piece: CachePiece, chunks: readonly Uint8Array[]): Promise<void>;
  /** Deletes a piece near this reader. */
  evict(piece: CachePiece): Promise<void>;
}

/** The name of an entry. */
export function pieceName({ blobId, from, to }: CachePiece): string {
  return `${blobId}/${from}-${to}`;
}
