// XXH64, XXH3 and XXH128 without a seed, over bytes that arrive in pieces. A WebAssembly module (xxhash.wat) reads the
// bytes; the runtime compiles no module itself, so an entry point imports the module and installs it.
import {
  avalanche64,
  LAST_STRIPE_SECRET,
  PRIME64_1,
  PRIME64_2,
  PRIME64_3,
  PRIME64_4,
  PRIME64_5,
  rotate,
  wrap,
  Xxh3,
  XXH3_LONG_BYTES,
  XXH3_START,
} from "./xxh3.ts";

export type XxhashAlgorithm = "xxh64" | "xxh3" | "xxh128";

/** Whether an algorithm is one of xxHash. */
export function isXxhash(algorithm: string): algorithm is XxhashAlgorithm {
  return algorithm === "xxh64" || algorithm === "xxh3" || algorithm === "xxh128";
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly secret: WebAssembly.Global;
  readonly piece: WebAssembly.Global;
  readonly pieceBytes: WebAssembly.Global;
  readonly xxh64Stripes: (count: number) => void;
  readonly xxh3Stripes: (at: number, count: number, secret: number) => void;
  readonly xxh3Blocks: (count: number) => void;
}

interface Installed {
  readonly calls: Exports;
  readonly accumulators: BigUint64Array;
  /** The piece, behind {@link STRIPE_BYTES} that come before it. */
  readonly bytes: Uint8Array;
  readonly pieceAt: number;
  readonly secretAt: number;
  readonly xxh3: Xxh3;
}

const BLOCK_BYTES = 1024;
const STRIPE_BYTES = 64;
const XXH64_STRIPE_BYTES = 32;
const XXH64_START = [wrap(PRIME64_1 + PRIME64_2), PRIME64_2, 0n, wrap(-PRIME64_1)];

let installed: Installed | undefined;

/** Makes the module available to {@link Xxhash}. */
export function installXxhash(module: WebAssembly.Module): void {
  const { exports } = new WebAssembly.Instance(module);
  // The module's text declares these exports.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const calls = exports as unknown as Exports;
  const { buffer } = calls.memory;
  const [pieceAt, secretAt] = [Number(calls.piece.value), Number(calls.secret.value)];
  installed = {
    calls,
    accumulators: new BigUint64Array(buffer, 0, XXH3_START.length),
    bytes: new Uint8Array(buffer, pieceAt - STRIPE_BYTES, STRIPE_BYTES + Number(calls.pieceBytes.value)),
    pieceAt,
    secretAt,
    xxh3: new Xxh3(new Uint8Array(buffer, secretAt, 192)),
  };
}

/** A hash over bytes that arrive in pieces. All hashes share one memory, and each call leaves nothing in it. */
export class Xxhash {
  readonly #algorithm: XxhashAlgorithm;
  readonly #module: Installed;
  readonly #accumulators: BigUint64Array;
  /** The stripe before the bytes that are not read yet, and those bytes: at most a block. */
  readonly #tail = new Uint8Array(STRIPE_BYTES + BLOCK_BYTES);
  #unread = 0;
  #length = 0;

  /** @throws Error if no module is installed */
  constructor(algorithm: XxhashAlgorithm) {
    if (installed === undefined) throw new Error("the entry point installs no xxHash module");
    this.#module = installed;
    this.#algorithm = algorithm;
    this.#accumulators = BigUint64Array.from(algorithm === "xxh64" ? XXH64_START : XXH3_START);
  }

  /** Adds the next bytes, which the caller may reuse at once. */
  update(bytes: Uint8Array): void {
    this.#length += bytes.length;
    const { bytes: memory } = this.#module;
    let start = 0;
    // A block is read only when a byte follows it: the end of a body is read differently.
    while (this.#unread + bytes.length - start > BLOCK_BYTES) {
      const room = memory.length - STRIPE_BYTES - this.#unread;
      const taken = bytes.subarray(start, start + room);
      memory.set(this.#tail.subarray(0, STRIPE_BYTES + this.#unread));
      memory.set(taken, STRIPE_BYTES + this.#unread);
      const available = this.#unread + taken.length;
      const blocks = Math.floor((available - 1) / BLOCK_BYTES);
      this.#read(blocks);
      this.#unread = available - blocks * BLOCK_BYTES;
      this.#tail.set(memory.subarray(blocks * BLOCK_BYTES, STRIPE_BYTES + available));
      start += taken.length;
    }
    this.#tail.set(bytes.subarray(start), STRIPE_BYTES + this.#unread);
    this.#unread += bytes.length - start;
  }

  /** Returns the hash in its canonical form, big-endian. */
  finish(): Uint8Array {
    if (this.#algorithm === "xxh64") return bigEndian(this.#finish64());
    const { xxh3, accumulators } = this.#module;
    const short =
      this.#length < XXH3_LONG_BYTES ? this.#tail.subarray(STRIPE_BYTES, STRIPE_BYTES + this.#unread) : undefined;
    if (short === undefined) this.#readEnd();
    const length = BigInt(this.#length);
    if (this.#algorithm === "xxh3") {
      return bigEndian(short === undefined ? xxh3.long64(accumulators, length) : xxh3.short64(short));
    }
    const { low, high } = short === undefined ? xxh3.long128(accumulators, length) : xxh3.short128(short);
    return bigEndian(high, low);
  }

  #read(blocks: number): void {
    const { calls, accumulators } = this.#module;
    accumulators.set(this.#accumulators);
    if (this.#algorithm === "xxh64") calls.xxh64Stripes((blocks * BLOCK_BYTES) / XXH64_STRIPE_BYTES);
    else calls.xxh3Blocks(blocks);
    this.#accumulators.set(accumulators.subarray(0, this.#accumulators.length));
  }

  /** Reads the stripes after the last block; the last 64 bytes are a stripe of their own. */
  #readEnd(): void {
    const { calls, accumulators, bytes, pieceAt, secretAt } = this.#module;
    accumulators.set(this.#accumulators);
    bytes.set(this.#tail.subarray(0, STRIPE_BYTES + this.#unread));
    calls.xxh3Stripes(pieceAt, Math.floor((this.#unread - 1) / STRIPE_BYTES), secretAt);
    calls.xxh3Stripes(pieceAt + this.#unread - STRIPE_BYTES, 1, secretAt + LAST_STRIPE_SECRET);
  }

  #finish64(): bigint {
    const { calls, accumulators, bytes } = this.#module;
    accumulators.set(this.#accumulators);
    bytes.set(this.#tail.subarray(0, STRIPE_BYTES + this.#unread));
    const stripes = Math.floor(this.#unread / XXH64_STRIPE_BYTES);
    calls.xxh64Stripes(stripes);
    const rest = this.#tail.subarray(STRIPE_BYTES + stripes * XXH64_STRIPE_BYTES, STRIPE_BYTES + this.#unread);
    const hash = this.#length < XXH64_STRIPE_BYTES ? PRIME64_5 : merge64(accumulators);
    return avalanche64(addRest64(wrap(hash + BigInt(this.#length)), rest));
  }
}

function merge64([a = 0n, b = 0n, c = 0n, d = 0n]: BigUint64Array): bigint {
  let hash = wrap(rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n));
  for (const one of [a, b, c, d]) hash = wrap((hash ^ round64(one)) * PRIME64_1 + PRIME64_4);
  return hash;
}

function round64(value: bigint): bigint {
  return wrap(rotate(wrap(value * PRIME64_2), 31n) * PRIME64_1);
}

/** Adds the bytes after the last stripe of XXH64. */
function addRest64(start: bigint, rest: Uint8Array): bigint {
  const view = new DataView(rest.buffer, rest.byteOffset, rest.length);
  let hash = start;
  let at = 0;
  for (; at + 8 <= rest.length; at += 8) {
    hash = wrap(rotate(hash ^ round64(view.getBigUint64(at, true)), 27n) * PRIME64_1 + PRIME64_4);
  }
  if (at + 4 <= rest.length) {
    hash = wrap(rotate(hash ^ wrap(BigInt(view.getUint32(at, true)) * PRIME64_1), 23n) * PRIME64_2 + PRIME64_3);
    at += 4;
  }
  for (; at < rest.length; at += 1) {
    hash = wrap(rotate(hash ^ wrap(BigInt(view.getUint8(at)) * PRIME64_5), 11n) * PRIME64_1);
  }
  return hash;
}

function bigEndian(...words: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 8);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setBigUint64(index * 8, word));
  return bytes;
}
