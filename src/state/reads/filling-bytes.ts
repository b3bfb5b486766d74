// Streams the bytes of a blob to a reader, and stores complete pieces of it in the edge cache.
import { PIECE_BYTES } from "../../bytes/streams.ts";
import { CacheFill } from "../blobs/cache-fill.ts";
import { isWholePiece, type Segment } from "../blobs/cache-pieces.ts";
import type { EdgeCache } from "../blobs/edge-cache.ts";
import type { BlobBytes } from "../blobs/sealed-blobs.ts";

export class FillingBytes implements BlobBytes {
  readonly #stream: ReadableStream<Uint8Array>;
  readonly #segments: readonly Segment[];
  readonly #cache: EdgeCache;
  readonly #waitUntil: (work: Promise<unknown>) => void;

  /** @param segments the consecutive segments whose bytes the stream has */
  constructor(
    stream: ReadableStream<Uint8Array>,
    segments: readonly Segment[],
    cache: EdgeCache,
    waitUntil: (work: Promise<unknown>) => void,
  ) {
    this.#stream = stream;
    this.#segments = segments;
    this.#cache = cache;
    this.#waitUntil = waitUntil;
  }

  async sendTo(writable: WritableStream<Uint8Array>): Promise<void> {
    const reader = new FreshReader(this.#stream);
    const writer = writable.getWriter();
    try {
      for (const segment of this.#segments) await this.#sendSegment(segment, reader, writer);
    } catch (error) {
      reader.cancel();
      throw error;
    } finally {
      writer.releaseLock();
    }
  }

  async #sendSegment(
    segment: Segment,
    reader: FreshReader,
    writer: WritableStreamDefaultWriter<Uint8Array>,
  ): Promise<void> {
    const fill = isWholePiece(segment) ? CacheFill.begin(this.#cache, segment.piece) : undefined;
    try {
      for (let left = segment.range.length; left > 0;) {
        const bytes = await reader.read(left);
        left -= bytes.length;
        fill?.write(bytes);
        // The cache's last bytes do not wait for the reader.
        if (left === 0) fill?.end(this.#waitUntil);
        await writer.write(bytes);
      }
    } catch (error) {
      fill?.drop();
      throw error;
    }
  }

  async cancel(): Promise<void> {
    await this.#stream.cancel();
  }
}

/** Reads a stream into a new buffer each time, because a fill may still hold the previous ones. */
class FreshReader {
  readonly #byob: ReadableStreamBYOBReader | undefined;
  readonly #plain: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #rest: Uint8Array = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array>) {
    try {
      this.#byob = stream.getReader({ mode: "byob" });
    } catch {
      // A stream made by JavaScript need not be a byte stream.
      this.#plain = stream.getReader();
    }
  }

  /** Reads at most `limit` bytes. @throws Error at the end of the stream */
  async read(limit: number): Promise<Uint8Array> {
    if (this.#byob !== undefined) {
      const length = Math.min(limit, PIECE_BYTES);
      // The reader gets what has arrived, however little.
      const { value } = await this.#byob.read(new Uint8Array(length));
      if (value === undefined || value.length === 0) throw new Error("a blob ended early");
      // A fill must not hold a large buffer for few bytes.
      return value.length < length / 2 ? value.slice() : value;
    }
    while (this.#rest.length === 0) {
      const { done, value } = (await this.#plain?.read()) ?? { done: true, value: undefined };
      if (done) throw new Error("a blob ended early");
      this.#rest = value;
    }
    const bytes = this.#rest.subarray(0, limit);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  cancel(): void {
    (this.#byob ?? this.#plain)?.cancel().catch(() => undefined);
  }
}
