// Moving a body through JavaScript near memory speed, in large pieces. Buffers grow with what has arrived, so that an
// upload that has sent little, or is going to, takes little memory.
import { RunningDigest, type DigestAlgorithm } from "./digest.ts";
import { GrowingBuffer } from "./growing-buffer.ts";

/**
 * The size of the pieces in which bodies are read and written; the runtime's default of 4 KiB halves throughput.
 * Measured: pieces of 256 KiB are not faster.
 */
export const PIECE_BYTES = 64 * 1024;

/** The first piece of a stream; each that was full is followed by one of four times its size. */
const FIRST_PIECE_BYTES = 4 * 1024;
const GROWTH = 4;

/** Reads a byte stream in pieces of up to {@link PIECE_BYTES}. A piece is valid until the next read. */
export class PieceReader {
  readonly #byob: ReadableStreamBYOBReader | undefined;
  readonly #plain: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #buffer: Uint8Array;
  /** Bytes of the announced length that have not arrived. */
  #left: number;

  /** @param length of the stream in bytes, where it was announced; no buffer is larger */
  constructor(stream: ReadableStream<Uint8Array>, length = Number.POSITIVE_INFINITY) {
    this.#left = length;
    this.#buffer = this.#newBuffer(FIRST_PIECE_BYTES);
    try {
      this.#byob = stream.getReader({ mode: "byob" });
    } catch {
      // A stream made by JavaScript need not be a byte stream.
      this.#plain = stream.getReader();
    }
  }

  /** The size of the buffer that the next piece is read into. */
  get bufferBytes(): number {
    return this.#byob === undefined ? 0 : this.#buffer.length;
  }

  /** The next piece, or undefined at the end. Rejects where the sender went away. */
  async read(): Promise<Uint8Array | undefined> {
    try {
      if (this.#byob === undefined) return (await this.#plain?.read())?.value;
      return await this.#readPiece(this.#byob);
    } catch (error) {
      throw detached(error);
    }
  }

  async #readPiece(reader: ReadableStreamBYOBReader): Promise<Uint8Array | undefined> {
    const { length } = this.#buffer;
    const result = await reader.readAtLeast(length, this.#buffer);
    if (result.value === undefined) return undefined;
    this.#left -= result.value.length;
    // The view was detached by the read; the same memory comes back under the result.
    const isGrowing = result.value.length === length && length < PIECE_BYTES && this.#left > 0;
    this.#buffer = isGrowing ? this.#newBuffer(length * GROWTH) : new Uint8Array(result.value.buffer);
    return result.value.length > 0 ? result.value : undefined;
  }

  #newBuffer(length: number): Uint8Array {
    return new Uint8Array(Math.max(1, Math.min(length, PIECE_BYTES, this.#left)));
  }

  /** Tells the sender that the rest is not wanted. */
  cancel(): void {
    const reader = this.#byob ?? this.#plain;
    reader?.cancel().catch(() => undefined);
  }
}

/** Where bytes can be written: a stream's writer, or what seals them before it. */
export type ByteSink = Pick<WritableStreamDefaultWriter<Uint8Array>, "write" | "close" | "abort" | "closed">;

/**
 * An error that holds nothing but its text. The unformatted stack of an error refers to every object in whose methods it
 * was awaited; the stream that failed keeps the error, and the runtime keeps the stream with whatever refers back to it.
 */
function detached(error: unknown): unknown {
  // Reading the stack formats it, which lets the frames go.
  if (error instanceof Error) void error.stack?.length;
  return error;
}

/** Smaller pieces are gathered before they are written on. */
const DIRECT_MIN_BYTES = 16 * 1024;

/** The most bytes of a long body's end that are held back. */
const HELD_MAX_BYTES = 4 * 1024;

/**
 * Writes bytes into a stream of known length, digesting them on the way, and holds the last of them back until
 * {@link finish}: whoever reads the other end cannot have seen the whole before the caller has agreed to its digests.
 */
export class DelayedWriter {
  readonly #writer: ByteSink;
  readonly #digests: readonly RunningDigest[];
  readonly #length: number;
  readonly #held: GrowingBuffer;
  #total = 0;

  /** @param length of all bytes together */
  constructor(sink: ByteSink, algorithms: readonly DigestAlgorithm[], length: number) {
    this.#writer = sink;
    // Its state is told through the writes; unheard, a closed promise that rejects would count as unhandled.
    this.#writer.closed.catch(() => undefined);
    this.#digests = algorithms.map((algorithm) => new RunningDigest(algorithm));
    this.#length = length;
    this.#held = new GrowingBuffer(Math.min(PIECE_BYTES, length));
  }

  /** How many bytes were taken so far. */
  get total(): number {
    return this.#total;
  }

  /** Takes the next bytes, which the caller may reuse once the promise has resolved. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#total += bytes.length;
    let rest = bytes;
    if (bytes.length >= DIRECT_MIN_BYTES) {
      await this.#flush();
      // Only the end of the whole need be held, and a long piece need not be copied.
      const isEnd = this.#total >= this.#length;
      rest = isEnd ? bytes.subarray(bytes.length - HELD_MAX_BYTES) : bytes.subarray(bytes.length);
      await this.#forward(bytes.subarray(0, bytes.length - rest.length));
    }
    while (rest.length > 0) {
      if (this.#held.room === 0) await this.#flush();
      const part = rest.subarray(0, this.#held.room);
      this.#held.append(part);
      rest = rest.subarray(part.length);
    }
  }

  /** The digests over everything taken, in the order of the algorithms; the held bytes are still held. */
  async digests(): Promise<Uint8Array[]> {
    const results: Uint8Array[] = [];
    for (const digest of this.#digests) {
      await digest.update(this.#held.bytes);
      results.push(await digest.finish());
    }
    return results;
  }

  /** Lets the held bytes go and ends the stream. */
  async finish(): Promise<void> {
    if (this.#held.bytes.length > 0) await this.#writer.write(this.#held.bytes);
    await this.#writer.close();
  }

  /** Breaks the stream off: its reader sees an error, never an end. */
  abort(reason: Error): void {
    this.#writer.abort(reason).catch(() => undefined);
    for (const digest of this.#digests) digest.abandon();
  }

  async #flush(): Promise<void> {
    if (this.#held.bytes.length === 0) return;
    await this.#forward(this.#held.bytes);
    this.#held.clear();
  }

  async #forward(piece: Uint8Array): Promise<void> {
    // The reader at the other end works while the digests do.
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
