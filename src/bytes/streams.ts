// Moves bodies through JavaScript near memory speed, in large pieces. Buffers grow with the bytes that arrive, so that
// an upload that sends little takes little memory.
import { RunningDigest, type DigestAlgorithm } from "./digest.ts";
import { GrowingBuffer } from "./growing-buffer.ts";
import { LONG_PIECE_BYTES, LongPieces } from "./long-pieces.ts";

/**
 * The size of the pieces in which bodies are read and written. The runtime's default of 4 KiB halves throughput; larger
 * pieces for all uploads would hold more memory than an isolate has.
 */
export const PIECE_BYTES = 64 * 1024;

/** The size of a stream's first piece. After each full piece, the next is four times as large. */
const FIRST_PIECE_BYTES = 4 * 1024;
const GROWTH = 4;

// A slow stream gains nothing from large pieces, and hundreds of slow uploads would hold one each.
const SLOW_PIECE_BYTES = 16 * 1024;
const SLOW_MS = 50;

const LONG_PIECES = new LongPieces();

/**
 * Reads a byte stream in pieces of up to {@link PIECE_BYTES}, or of {@link LONG_PIECE_BYTES} if few others do. A piece is
 * valid until the next read.
 */
export class PieceReader {
  readonly #byob: ReadableStreamBYOBReader | undefined;
  readonly #plain: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #buffer: Uint8Array;
  /** Announced bytes that have not arrived. */
  #left: number;
  /** How many pieces in succession arrived fast. */
  #fast = 0;
  readonly #longPieces: LongPieces;
  #hasLongPieces = false;

  /**
   * @param length the stream's announced length in bytes, which limits the buffers
   * @param longPieces the readers among which long pieces are shared out
   */
  constructor(stream: ReadableStream<Uint8Array>, length = Number.POSITIVE_INFINITY, longPieces = LONG_PIECES) {
    this.#longPieces = longPieces;
    this.#left = length;
    this.#buffer = this.#newBuffer(FIRST_PIECE_BYTES);
    try {
      this.#byob = stream.getReader({ mode: "byob" });
    } catch {
      // A stream made by JavaScript need not be a byte stream.
      this.#plain = stream.getReader();
    }
  }

  /** The size of the next piece's buffer. */
  get bufferBytes(): number {
    return this.#byob === undefined ? 0 : this.#buffer.length;
  }

  /** The next piece; undefined at the end. Rejects if the client disconnects. */
  async read(): Promise<Uint8Array | undefined> {
    try {
      if (this.#byob === undefined) return (await this.#plain?.read())?.value;
      return await this.#readPiece(this.#byob);
    } catch (error) {
      this.#giveUpLongPieces();
      throw detached(error);
    }
  }

  async #readPiece(reader: ReadableStreamBYOBReader): Promise<Uint8Array | undefined> {
    const { length } = this.#buffer;
    const beganAt = Date.now();
    const result = await reader.readAtLeast(length, this.#buffer);
    if (result.done) this.#giveUpLongPieces();
    if (result.value === undefined) return undefined;
    this.#left -= result.value.length;
    this.#fast = Date.now() - beganAt < SLOW_MS ? this.#fast + 1 : 0;
    const next = result.value.length === length && this.#left > 0 ? this.#nextLength(length) : length;
    // The read detaches the view and returns the same memory in its result.
    this.#buffer = next === length ? new Uint8Array(result.value.buffer) : this.#newBuffer(next);
    return result.value.length > 0 ? result.value : undefined;
  }

  /** The length of the piece after one of `length` bytes. */
  #nextLength(length: number): number {
    if (length < SLOW_PIECE_BYTES) return length * GROWTH;
    if (this.#fast === 0) {
      this.#giveUpLongPieces();
      return SLOW_PIECE_BYTES;
    }
    // Slow streams come in bursts, so that one fast piece proves nothing.
    if (this.#fast === 1 || this.#hasLongPieces) return length;
    if (length < PIECE_BYTES) return length * GROWTH;
    this.#hasLongPieces = this.#left > PIECE_BYTES && this.#longPieces.admit(this);
    return this.#hasLongPieces ? LONG_PIECE_BYTES : PIECE_BYTES;
  }

  #giveUpLongPieces(): void {
    if (this.#hasLongPieces) this.#longPieces.release(this);
    this.#hasLongPieces = false;
  }

  #newBuffer(length: number): Uint8Array {
    return new Uint8Array(Math.max(1, Math.min(length, this.#left)));
  }

  /** Cancels the rest of the stream. */
  cancel(): void {
    this.#giveUpLongPieces();
    const reader = this.#byob ?? this.#plain;
    reader?.cancel().catch(() => undefined);
  }
}

/** Makes a stream of bytes in memory, whose length is known to the runtime. */
export function streamOfBytes(...chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  // Unlike the runtime's own stream of one chunk, the stream below cannot be piped into a FixedLengthStream.
  const whole = chunks.length === 1 ? new Response(chunks[0]).body : null;
  if (whole !== null) return whole;
  const { readable, writable } = new FixedLengthStream(chunks.reduce((total, { length }) => total + length, 0));
  const write = async (): Promise<void> => {
    const writer = writable.getWriter();
    for (const chunk of chunks) await writer.write(chunk);
    await writer.close();
  };
  // The reader learns of a failure.
  write().catch(() => undefined);
  return readable;
}

/** A destination for bytes: a stream's writer, or an encrypting writer before it. */
export type ByteSink = Pick<WritableStreamDefaultWriter<Uint8Array>, "write" | "close" | "abort" | "closed">;

/**
 * An error that retains only its text. The unformatted stack of an error refers to every object whose methods awaited
 * it, and the runtime keeps a failed stream's error with everything that it refers to.
 */
function detached(error: unknown): unknown {
  // Reading the stack formats it, which releases the frames.
  if (error instanceof Error) void error.stack?.length;
  return error;
}

/** Smaller pieces are gathered before they are written. */
const DIRECT_MIN_BYTES = 16 * 1024;

/** The maximum number of bytes withheld at the end of a long body. */
const WITHHELD_MAX_BYTES = 4 * 1024;

/**
 * Writes bytes into a stream of known length, digests them, and withholds the last of them until {@link finish}. The
 * reader cannot get a complete body before the caller accepts its digests.
 */
export class DelayedWriter {
  readonly #writer: ByteSink;
  readonly #digests: readonly RunningDigest[];
  readonly #length: number;
  readonly #buffer: GrowingBuffer;
  #total = 0;

  /** @param length the total number of bytes */
  constructor(sink: ByteSink, algorithms: readonly DigestAlgorithm[], length: number) {
    this.#writer = sink;
    // The writes report failures; without a handler, the rejected promise would count as unhandled.
    this.#writer.closed.catch(() => undefined);
    this.#digests = algorithms.map((algorithm) => new RunningDigest(algorithm));
    this.#length = length;
    this.#buffer = new GrowingBuffer(Math.min(PIECE_BYTES, length));
  }

  /** How many bytes were taken. */
  get total(): number {
    return this.#total;
  }

  /** Adds the next bytes, which the caller may reuse once the promise resolves. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#total += bytes.length;
    let rest = bytes;
    if (bytes.length >= DIRECT_MIN_BYTES) {
      await this.#flush();
      // Only the end of the body is withheld, and a long piece need not be copied.
      const isEnd = this.#total >= this.#length;
      rest = isEnd ? bytes.subarray(bytes.length - WITHHELD_MAX_BYTES) : bytes.subarray(bytes.length);
      await this.#forward(bytes.subarray(0, bytes.length - rest.length));
    }
    while (rest.length > 0) {
      if (this.#buffer.room === 0) await this.#flush();
      const part = rest.subarray(0, this.#buffer.room);
      this.#buffer.append(part);
      rest = rest.subarray(part.length);
    }
  }

  /** The digests of all bytes, in the order of the algorithms. The last bytes stay withheld. */
  async digests(): Promise<Uint8Array[]> {
    const results: Uint8Array[] = [];
    for (const digest of this.#digests) {
      await digest.update(this.#buffer.bytes);
      results.push(await digest.finish());
    }
    return results;
  }

  /** Writes the withheld bytes and ends the stream. */
  async finish(): Promise<void> {
    if (this.#buffer.bytes.length > 0) await this.#writer.write(this.#buffer.bytes);
    await this.#writer.close();
  }

  /** Aborts the stream: its reader gets an error, never an end. */
  abort(reason: Error): void {
    this.#writer.abort(reason).catch(() => undefined);
    for (const digest of this.#digests) digest.abandon();
  }

  async #flush(): Promise<void> {
    if (this.#buffer.bytes.length === 0) return;
    await this.#forward(this.#buffer.bytes);
    this.#buffer.clear();
  }

  async #forward(piece: Uint8Array): Promise<void> {
    // The stream's reader works while the digests are computed.
    const written = this.#writer.write(piece);
    written.catch(() => undefined);
    try {
      for (const digest of this.#digests) await digest.update(piece);
      await written;
    } catch (error) {
      throw detached(error);
    }
  }
}
