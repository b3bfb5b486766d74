// Moving a body through JavaScript near memory speed: large pieces in, large pieces out, two buffers and no more.
import { RunningDigest, type DigestAlgorithm } from "./digest.ts";

/** The size of the pieces in which bodies are read and written; the runtime's default of 4 KiB halves throughput. */
export const PIECE_BYTES = 256 * 1024;

/** Reads a byte stream in pieces of up to {@link PIECE_BYTES}. A piece is valid until the next read. */
export class PieceReader {
  readonly #byob: ReadableStreamBYOBReader | undefined;
  readonly #plain: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #buffer = new Uint8Array(PIECE_BYTES);

  constructor(stream: ReadableStream<Uint8Array>) {
    try {
      this.#byob = stream.getReader({ mode: "byob" });
    } catch {
      // A stream made by JavaScript need not be a byte stream.
      this.#plain = stream.getReader();
    }
  }

  /** The next piece, or undefined at the end. Rejects where the sender went away. */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#byob === undefined) return (await this.#plain?.read())?.value;
    const result = await this.#byob.readAtLeast(PIECE_BYTES, this.#buffer);
    if (result.value === undefined) return undefined;
    // The view was detached by the read; the same memory comes back under the result.
    this.#buffer = new Uint8Array(result.value.buffer);
    return result.value.length > 0 ? result.value : undefined;
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
 * Copies bytes into a stream of known length, digesting them on the way, and holds the last of them back until
 * {@link finish}: whoever reads the other end cannot have seen the whole before the caller has agreed to its digests.
 */
export class DelayedWriter {
  readonly #writer: ByteSink;
  readonly #digests: readonly RunningDigest[];
  #held = new Uint8Array(PIECE_BYTES);
  #spare: Uint8Array<ArrayBuffer> | undefined = new Uint8Array(PIECE_BYTES);
  #length = 0;
  #writing: Promise<void> = Promise.resolve();
  #total = 0;

  constructor(sink: ByteSink, algorithms: readonly DigestAlgorithm[]) {
    this.#writer = sink;
    // Its state is told through the writes; unheard, a closed promise that rejects would count as unhandled.
    this.#writer.closed.catch(() => undefined);
    this.#digests = algorithms.map((algorithm) => new RunningDigest(algorithm));
  }

  /** How many bytes were taken so far. */
  get total(): number {
    return this.#total;
  }

  /** Takes the next bytes, which the caller may reuse at once. */
  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#length === this.#held.length) await this.#flush();
      const part = rest.subarray(0, this.#held.length - this.#length);
      this.#held.set(part, this.#length);
      this.#length += part.length;
      rest = rest.subarray(part.length);
    }
    this.#total += bytes.length;
  }

  /** The digests over everything taken, in the order of the algorithms; the held bytes are still held. */
  async digests(): Promise<Uint8Array[]> {
    await this.#writing;
    const last = this.#held.subarray(0, this.#length);
    const results: Uint8Array[] = [];
    for (const digest of this.#digests) {
      await digest.update(last);
      results.push(await digest.finish());
    }
    return results;
  }

  /** Lets the held bytes go and ends the stream. */
  async finish(): Promise<void> {
    await this.#writing;
    if (this.#length > 0) await this.#writer.write(this.#held.subarray(0, this.#length));
    await this.#writer.close();
  }

  /** Breaks the stream off: its reader sees an error, never an end. */
  abort(reason: Error): void {
    this.#writing.catch(() => undefined);
    this.#writer.abort(reason).catch(() => undefined);
    for (const digest of this.#digests) digest.abandon();
  }

  async #flush(): Promise<void> {
    await this.#writing;
    const full = this.#held;
    this.#held = this.#spare ?? new Uint8Array(PIECE_BYTES);
    this.#spare = full;
    this.#length = 0;
    // The write goes on while the caller reads its next piece; the next flush waits for it, so two buffers suffice.
    this.#writing = this.#forward(full);
    this.#writing.catch(() => undefined);
  }

  async #forward(piece: Uint8Array): Promise<void> {
    // The reader at the other end works while the digests do.
    const written = this.#writer.write(piece);
    written.catch(() => undefined);
    for (const digest of this.#digests) await digest.update(piece);
    await written;
  }
}
