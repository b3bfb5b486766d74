// Collects bytes in memory that doubles as they arrive, up to a limit.

const FIRST_BYTES = 1024;

/** A buffer that grows up to a limit. */
export class GrowingBuffer {
  readonly #limit: number;
  #memory: Uint8Array;
  #length = 0;

  /** @param limit the maximum number of bytes */
  constructor(limit: number) {
    this.#limit = limit;
    this.#memory = new Uint8Array(0);
  }

  /** The collected bytes; valid until the next call. */
  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.#length);
  }

  /** How many more bytes fit. */
  get room(): number {
    return this.#limit - this.#length;
  }

  /** The bytes of memory that are allocated. */
  get capacity(): number {
    return this.#memory.length;
  }

  /** Appends a copy of these bytes. @throws RangeError past the limit */
  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#limit) throw new RangeError("more bytes than fit");
    if (length > this.#memory.length) this.#grow(length);
    this.#memory.set(bytes, this.#length);
    this.#length = length;
  }

  /** Discards the collected bytes and keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  #grow(needed: number): void {
    const doubled = Math.max(FIRST_BYTES, this.#memory.length * 2, needed);
    const memory = new Uint8Array(Math.min(this.#limit, doubled));
    memory.set(this.bytes);
    this.#memory = memory;
  }
}
