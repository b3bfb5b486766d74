// Decompresses DEFLATE data (RFC 1951) in bounded memory. The runtime's DecompressionStream buffers all output of the input
// that it has taken, so 64 KiB of hostile input would take 64 MiB of memory.

const WINDOW_BYTES = 32 * 1024;
const OUTPUT_BYTES = 64 * 1024;
const MATCH_MAX_BYTES = 258;
/** The most bytes of a block's header: 3 + 14 + 19 × 3 bits, and 320 code lengths of up to 14 bits each. */
const HEADER_MAX_BYTES = 600;
/** The most bytes of a symbol with its extra bits, rounded up. */
const SYMBOL_MAX_BYTES = 8;
const END_OF_BLOCK = 256;

const LENGTH_BASES = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_EXTRA_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASES = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12_289, 16_385, 24_577,
];
const DISTANCE_EXTRA_BITS = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Data that is not DEFLATE, or ends too early or too late. */
export class InflateError extends Error {}

/** A code as a table by the next bits: the symbol times 16, plus the number of its bits. */
interface Code {
  readonly table: Uint16Array;
  readonly bits: number;
}

/** @throws InflateError for more codes than their lengths allow */
function codeOf(lengths: readonly number[]): Code {
  const bits = Math.max(1, ...lengths);
  const table = new Uint16Array(1 << bits);
  let code = 0;
  for (let length = 1; length <= bits; length += 1) {
    for (const [symbol, own] of lengths.entries()) {
      if (own !== length) continue;
      if (code >= 1 << length) throw new InflateError("a code has too many symbols");
      let reversed = 0;
      for (let bit = 0; bit < length; bit += 1) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
      for (let at = reversed; at < table.length; at += 1 << length) table[at] = (symbol << 4) | length;
      code += 1;
    }
    code <<= 1;
  }
  return { table, bits };
}

const FIXED_LENGTHS = Array.from({ length: 288 }, (_, symbol) =>
  symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
);
const FIXED_LITERALS = codeOf(FIXED_LENGTHS);
const FIXED_DISTANCES = codeOf(Array.from({ length: 30 }, () => 5));

type State =
  | { readonly kind: "header" | "done" }
  | { readonly kind: "stored"; left: number }
  | { readonly kind: "coded"; readonly literals: Code; readonly distances: Code };

/** Decompresses input that arrives in pieces. */
export class Inflater {
  #input: Uint8Array = new Uint8Array();
  #at = 0;
  #isEnded = false;
  #bits = 0;
  #bitCount = 0;
  #isLastBlock = false;
  #state: State = { kind: "header" };
  /** The window, and after it the output that was not yet returned. */
  readonly #output = new Uint8Array(WINDOW_BYTES + OUTPUT_BYTES);
  #returned = 0;
  #end = 0;

  /** Adds input, which is copied. Call it only after {@link next} returned "input". */
  push(piece: Uint8Array): void {
    const rest = this.#input.subarray(this.#at);
    this.#input = new Uint8Array(rest.length + piece.length);
    this.#input.set(rest);
    this.#input.set(piece, rest.length);
    this.#at = 0;
  }

  /** States that no more input follows. */
  end(): void {
    this.#isEnded = true;
  }

  /**
   * The next output, valid until the next call; "input" if more input is needed, or "done".
   * @throws InflateError
   */
  next(): Uint8Array | "input" | "done" {
    this.#slide();
    while (this.#output.length - this.#end >= MATCH_MAX_BYTES) {
      if (this.#state.kind === "done") break;
      if (!this.#step(this.#state)) {
        if (this.#end > this.#returned) break;
        return "input";
      }
    }
    if (this.#end > this.#returned) {
      const output = this.#output.subarray(this.#returned, this.#end);
      this.#returned = this.#end;
      return output;
    }
    if (this.#at < this.#input.length) throw new InflateError("bytes follow the end of the data");
    return this.#isEnded ? "done" : "input";
  }

  /** Moves the window to the start of the memory. */
  #slide(): void {
    const surplus = this.#end - WINDOW_BYTES;
    if (surplus <= 0) return;
    this.#output.copyWithin(0, surplus, this.#end);
    this.#end = WINDOW_BYTES;
    this.#returned = WINDOW_BYTES;
  }

  /** Decodes a header, some stored bytes or symbols; returns false if more input is needed. */
  #step(state: State): boolean {
    if (state.kind === "stored") return this.#copyStored(state);
    if (state.kind === "coded") return this.#decodeSymbols(state.literals, state.distances);
    if (this.#lacks(HEADER_MAX_BYTES)) return false;
    this.#readHeader();
    return true;
  }

  #lacks(bytes: number): boolean {
    return !this.#isEnded && this.#input.length - this.#at < bytes;
  }

  #readHeader(): void {
    this.#isLastBlock = this.#take(1) === 1;
    const type = this.#take(2);
    if (type === 0) {
      this.#take(this.#bitCount & 7);
      const length = this.#take(16);
      if (length !== (~this.#take(16) & 0xffff)) throw new InflateError("a stored block has two lengths");
      this.#state = { kind: "stored", left: length };
    } else if (type === 1) {
      this.#state = { kind: "coded", literals: FIXED_LITERALS, distances: FIXED_DISTANCES };
    } else if (type === 2) this.#readCodes();
    else throw new InflateError("a block has an unknown type");
  }

  #readCodes(): void {
    const [literals, distances, count] = [this.#take(5) + 257, this.#take(5) + 1, this.#take(4) + 4];
    const order = Array.from({ length: 19 }, () => 0);
    for (const symbol of CODE_LENGTH_ORDER.slice(0, count)) order[symbol] = this.#take(3);
    const code = codeOf(order);
    const lengths: number[] = [];
    while (lengths.length < literals + distances) {
      const symbol = this.#decode(code);
      if (symbol < 16) lengths.push(symbol);
      else {
        const repeated = symbol === 16 ? lengths.at(-1) : 0;
        if (repeated === undefined) throw new InflateError("the first code length is repeated");
        const times = symbol === 16 ? 3 + this.#take(2) : symbol === 17 ? 3 + this.#take(3) : 11 + this.#take(7);
        for (let time = 0; time < times; time += 1) lengths.push(repeated);
      }
    }
    if (lengths.length > literals + distances) throw new InflateError("there are too many code lengths");
    this.#state = {
      kind: "coded",
      literals: codeOf(lengths.slice(0, literals)),
      distances: codeOf(lengths.slice(literals)),
    };
  }

  #copyStored(state: { left: number }): boolean {
    const length = Math.min(state.left, this.#input.length - this.#at, this.#output.length - this.#end);
    this.#output.set(this.#input.subarray(this.#at, this.#at + length), this.#end);
    this.#at += length;
    this.#end += length;
    state.left -= length;
    if (state.left === 0) this.#endBlock();
    else if (this.#at === this.#input.length) {
      if (this.#isEnded) throw new InflateError("the data ends too early");
      return false;
    }
    return true;
  }

  #decodeSymbols(literals: Code, distances: Code): boolean {
    const limit = this.#output.length - MATCH_MAX_BYTES;
    while (this.#end <= limit) {
      if (this.#lacks(SYMBOL_MAX_BYTES)) return false;
      const symbol = this.#decode(literals);
      if (symbol < END_OF_BLOCK) {
        this.#output[this.#end] = symbol;
        this.#end += 1;
      } else if (symbol === END_OF_BLOCK) {
        this.#endBlock();
        return true;
      } else this.#copyMatch(symbol - END_OF_BLOCK - 1, distances);
    }
    return true;
  }

  #copyMatch(lengthCode: number, distances: Code): void {
    const base = LENGTH_BASES[lengthCode];
    if (base === undefined) throw new InflateError("a length is unknown");
    const length = base + this.#take(LENGTH_EXTRA_BITS[lengthCode] ?? 0);
    const distanceCode = this.#decode(distances);
    const distanceBase = DISTANCE_BASES[distanceCode];
    if (distanceBase === undefined) throw new InflateError("a distance is unknown");
    const from = this.#end - distanceBase - this.#take(DISTANCE_EXTRA_BITS[distanceCode] ?? 0);
    if (from < 0) throw new InflateError("a distance is greater than the output");
    // The match may overlap its own copy, so it is copied byte by byte.
    for (let at = from; at < from + length; at += 1) {
      this.#output[this.#end] = this.#output[at] ?? 0;
      this.#end += 1;
    }
  }

  #endBlock(): void {
    this.#state = { kind: this.#isLastBlock ? "done" : "header" };
  }

  /** Loads up to 16 bits, as far as there is input. */
  #fill(count: number): void {
    while (this.#bitCount < count && this.#at < this.#input.length) {
      this.#bits |= (this.#input[this.#at] ?? 0) << this.#bitCount;
      this.#bitCount += 8;
      this.#at += 1;
    }
  }

  #take(count: number): number {
    this.#fill(count);
    if (this.#bitCount < count) throw new InflateError("the data ends too early");
    const value = this.#bits & ((1 << count) - 1);
    this.#bits >>>= count;
    this.#bitCount -= count;
    return value;
  }

  #decode({ table, bits }: Code): number {
    this.#fill(bits);
    const entry = table[this.#bits & (table.length - 1)] ?? 0;
    const length = entry & 15;
    if (length === 0 || length > this.#bitCount) throw new InflateError("the data contains no such code");
    this.#bits >>>= length;
    this.#bitCount -= length;
    return entry >> 4;
  }
}
