// Streams the bytes of an object from the edge cache where it has them, else from the blob store, and fills the cache.
// The caller has looked up and authorised the object: which bytes are served never depends on the cache.
import { PIECE_BYTES } from "../../bytes/streams.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { BlobReader } from "../blobs/blob-store.ts";
import { CacheFill } from "../blobs/cache-fill.ts";
import { isWholePiece, segmentsOf, type Segment } from "../blobs/cache-pieces.ts";
import { pieceName, type CachePiece, type EdgeCache, type PieceBytes } from "../blobs/edge-cache.ts";
import type { BlobBytes } from "../blobs/sealed-blobs.ts";
import type { Slice } from "../metadata/manifests.ts";
import { FillingBytes } from "./filling-bytes.ts";
import { Flights } from "./flights.ts";
import { sendChain, type Link } from "./link.ts";
import { readsOf } from "./object-bytes.ts";

/** A cache that has not answered by then counts as not having the piece. */
const CACHE_WAIT_MS = 250;

/** Small pieces that readers of this isolate have just read, by cache and piece: at most 2 MiB. */
const SMALL_PIECES = new Flights<Uint8Array | undefined>(1000, 32);

function flightOf(cache: EdgeCache, piece: CachePiece): string {
  return `${cache.name}/${pieceName(piece)}`;
}

/** The connections of a cached read. */
export interface CachedSource {
  readonly blobs: BlobReader;
  readonly cache: EdgeCache;
  /** Whether pieces that the cache does not have are stored in it. */
  readonly mayFill: boolean;
  /** Whether a piece is read whole to be stored although the request needs a part of it. */
  readonly mayReadAhead: boolean;
  /** Lets fills continue after the response. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** An object opened through the cache. */
export interface CachedRead {
  readonly body: ReadableStream<Uint8Array>;
  /** Whether the first bytes come from the cache. */
  readonly isHit: boolean;
  /** Deletes all pieces of the read from the cache near this reader. */
  readonly evict: () => Promise<void>;
}

/**
 * Opens a range of an object without SSE-C.
 * @param slices the manifest's slices that overlap the range; ignored for an object in one blob
 * @returns `"bypass"` if the read has too many pieces for the cache; undefined if the first blob is missing, so that the
 *   caller can look up the object again
 */
export async function openCachedObject(
  source: CachedSource,
  object: Pick<StoredObject, "blobId" | "size">,
  slices: readonly Slice[],
  range: ByteRange | undefined,
): Promise<CachedRead | "bypass" | undefined> {
  const wanted = range ?? { offset: 0, length: object.size };
  const segments = segmentsOf(readsOf(object, slices, wanted), source.cache.pieceBytes);
  if (segments === undefined) return "bypass";
  const first = await new CachedSegments(source, segments).openAll();
  if (first === undefined) return undefined;
  const evict = async (): Promise<void> => {
    for (const { piece } of segments) SMALL_PIECES.discard(flightOf(source.cache, piece));
    await Promise.all(segments.map(async ({ piece }) => source.cache.evict(piece)));
  };
  return { body: bodyOf(first, wanted.length), isHit: first.isHit, evict };
}

/** The bytes of one or more segments. */
interface OpenedSegments extends Link {
  readonly isHit: boolean;
  /** The bytes as a stream, if they need not pass through JavaScript. */
  readonly stream: ReadableStream<Uint8Array> | undefined;
}

function bodyOf(first: OpenedSegments, length: number): ReadableStream<Uint8Array> {
  if (first.next === undefined && first.stream !== undefined) return first.stream;
  const { readable, writable } = new FixedLengthStream(length);
  // A failure aborts the response stream, which is how the client learns of it.
  sendChain(first, writable).catch(() => undefined);
  return readable;
}

class CachedSegments {
  readonly #source: CachedSource;
  readonly #segments: readonly Segment[];
  #blobs: BlobReader;

  constructor(source: CachedSource, segments: readonly Segment[]) {
    this.#source = source;
    this.#segments = segments;
    this.#blobs = source.blobs;
  }

  /** Opens all segments. A cold object counts the calls that follow at once, like a read without a cache. */
  async openAll(): Promise<OpenedSegments | undefined> {
    const first = await this.open(0);
    if (first?.isHit !== false || !this.#source.cache.isFilledByReaders) return first;
    let calls = 0;
    for (let end = this.#endOfRun(0); end < this.#segments.length; end = this.#endOfRun(end)) calls += 1;
    if (calls > 0) this.#blobs = this.#blobs.counted(calls);
    return first;
  }

  /** Opens the segments from an index on: one from the cache, or all of the blob's from the blob store. */
  async open(index: number): Promise<OpenedSegments | undefined> {
    const segment = this.#segments[index];
    if (segment === undefined) return undefined;
    const cached = await this.#openCached(segment);
    if (cached !== undefined) return this.#opened(cached.body, cached.isHit, index + 1);
    const run = this.#segments.slice(index, this.#endOfRun(index));
    // A piece that is opened in advance must stay a stream, which can be cancelled if the reader leaves.
    return index === 0 && run.length === 1 && this.#isReadWhole(segment)
      ? this.#openSmall(segment, index + 1)
      : this.#openRun(run, index + run.length);
  }

  /** Whether a piece is small enough to be read at once, and may be read and stored whole. */
  #isReadWhole(segment: Segment): boolean {
    const { mayFill, mayReadAhead } = this.#source;
    return mayFill && (mayReadAhead || isWholePiece(segment)) && pieceLength(segment) <= PIECE_BYTES;
  }

  async #openCached({ piece, range }: Segment): Promise<PieceBytes | undefined> {
    const { cache, mayFill } = this.#source;
    const opening = openPiece(cache, piece, range, mayFill);
    const { promise: late, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(() => resolve("late"), CACHE_WAIT_MS);
    const opened = await Promise.race([opening, late]);
    clearTimeout(timer);
    if (opened === "late") {
      opening.then(async (unread) => unread?.body.cancel()).catch(() => undefined);
      return undefined;
    }
    // The cache read the piece from the blob store by itself.
    if (opened?.isHit === false) this.#blobs.counted(1);
    return opened;
  }

  /** The index after the last segment of the same blob's range. */
  #endOfRun(index: number): number {
    let end = index + 1;
    while (end < this.#segments.length && this.#segments[end]?.read === this.#segments[index]?.read) end += 1;
    return end;
  }

  /** Reads a small piece whole: one call serves the concurrent readers of the isolate and fills the cache. */
  async #openSmall({ piece, range }: Segment, next: number): Promise<OpenedSegments | undefined> {
    const { cache, waitUntil } = this.#source;
    const name = flightOf(cache, piece);
    const followed = (await SMALL_PIECES.follow(name))?.of;
    const whole = followed ?? (await SMALL_PIECES.lead(name, waitUntil, async () => this.#readWhole(piece)));
    if (whole === undefined) return undefined;
    const bytes = whole.subarray(range.offset - piece.from, range.offset - piece.from + range.length);
    return { bytes: bytesInMemory(bytes), isHit: false, stream: undefined, next: this.#nextOf(next) };
  }

  async #readWhole(piece: CachePiece): Promise<Uint8Array | undefined> {
    const { cache, waitUntil } = this.#source;
    const found = await this.#blobs.get(piece.blobId, { offset: piece.from, length: piece.to - piece.from });
    if (found === undefined) return undefined;
    const whole = await new Response(found).bytes();
    const fill = CacheFill.begin(cache, piece);
    fill?.write(whole);
    fill?.end(waitUntil);
    return whole;
  }

  async #openRun(run: readonly Segment[], next: number): Promise<OpenedSegments | undefined> {
    const { cache, mayFill, mayReadAhead, waitUntil } = this.#source;
    const [first, last] = [run[0], run.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const { offset } = first.range;
    const stream = await this.#blobs.get(first.piece.blobId, {
      offset,
      length: last.range.offset + last.range.length - offset,
    });
    if (stream === undefined) return undefined;
    if (!mayFill || !cache.isFilledByReaders) return this.#opened(stream, false, next);
    if (mayReadAhead) for (const segment of run) if (!isWholePiece(segment)) this.#readAhead(segment);
    if (!run.some(isWholePiece)) return this.#opened(stream, false, next);
    const bytes = new FillingBytes(stream, run, cache, waitUntil);
    return { bytes, isHit: false, stream: undefined, next: this.#nextOf(next) };
  }

  /** Fills a piece of which the reader needs a part, with a call that the response does not count or wait for. */
  #readAhead({ piece }: Segment): void {
    const { cache, waitUntil } = this.#source;
    const fill = CacheFill.begin(cache, piece);
    if (fill === undefined) return;
    const read = async (): Promise<void> => {
      const range = { offset: piece.from, length: piece.to - piece.from };
      const stream = await this.#blobs.counted(0).get(piece.blobId, range);
      if (stream !== undefined) fill.write(await new Response(stream).bytes());
      fill.end(waitUntil);
    };
    waitUntil(read().catch(() => fill.drop()));
  }

  #opened(stream: ReadableStream<Uint8Array>, isHit: boolean, next: number): OpenedSegments {
    const bytes: BlobBytes = {
      sendTo: async (writable) => stream.pipeTo(writable, { preventClose: true }),
      cancel: async () => stream.cancel(),
    };
    return { bytes, isHit, stream, next: this.#nextOf(next) };
  }

  #nextOf(index: number): Link["next"] {
    return index < this.#segments.length ? async () => this.open(index) : undefined;
  }
}

/** A cache that throws counts as not having the piece. */
async function openPiece(
  cache: EdgeCache,
  piece: CachePiece,
  range: ByteRange,
  mayFill: boolean,
): Promise<PieceBytes | undefined> {
  try {
    return await cache.open(piece, range, mayFill);
  } catch {
    return undefined;
  }
}

function bytesInMemory(bytes: Uint8Array): BlobBytes {
  return {
    async sendTo(writable) {
      const writer = writable.getWriter();
      try {
        await writer.write(bytes);
      } finally {
        writer.releaseLock();
      }
    },
    cancel: () => Promise.resolve(),
  };
}

function pieceLength({ piece }: Segment): number {
  return piece.to - piece.from;
}
