// XXH3 without a seed: short bodies, and the hash from the accumulators of a long one. The time does not follow the
// body's length, so it is computed in 64-bit integers (https://github.com/Cyan4973/xxHash, xxhash_spec.md).

/** The shortest body that has accumulators. */
export const XXH3_LONG_BYTES = 241;
/** Where the secret mixes with the last stripe of a long body. */
export const LAST_STRIPE_SECRET = 121;

const PRIME32_1 = 0x9e3779b1n;
const PRIME32_2 = 0x85ebca77n;
const PRIME32_3 = 0xc2b2ae3dn;
export const PRIME64_1 = 0x9e3779b185ebca87n;
export const PRIME64_2 = 0xc2b2ae3d27d4eb4fn;
export const PRIME64_3 = 0x165667b19e3779f9n;
export const PRIME64_4 = 0x85ebca77c2b2ae63n;
export const PRIME64_5 = 0x27d4eb2f165667c5n;
const PRIME_MX1 = 0x165667919e3779f9n;
const PRIME_MX2 = 0x9fb21c651e98df25n;

/** The accumulators before the first stripe. */
export const XXH3_START = [
  PRIME32_3,
  PRIME64_1,
  PRIME64_2,
  PRIME64_3,
  PRIME64_4,
  PRIME32_2,
  PRIME64_5,
  PRIME32_1,
] as const;

const MASK = (1n << 64n) - 1n;

/** A 128-bit hash as its two halves. */
interface Halves {
  readonly low: bigint;
  readonly high: bigint;
}

/** Bytes that are read as little-endian integers. */
class Bytes {
  readonly #view: DataView;

  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  byte(at: number): bigint {
    return BigInt(this.#view.getUint8(at));
  }

  u32(at: number): bigint {
    return BigInt(this.#view.getUint32(at, true));
  }

  u64(at: number): bigint {
    return this.#view.getBigUint64(at, true);
  }

  /** The exclusive or of two integers that follow each other. */
  pair(at: number): bigint {
    return this.u64(at) ^ this.u64(at + 8);
  }
}

export function wrap(value: bigint): bigint {
  return value & MASK;
}

/** XXH64's last step. */
export function avalanche64(value: bigint): bigint {
  const first = wrap((value ^ (value >> 33n)) * PRIME64_2);
  const second = wrap((first ^ (first >> 29n)) * PRIME64_3);
  return second ^ (second >> 32n);
}

function avalanche(value: bigint): bigint {
  const mixed = wrap((value ^ (value >> 37n)) * PRIME_MX1);
  return mixed ^ (mixed >> 32n);
}

function fold(left: bigint, right: bigint): bigint {
  const product = left * right;
  return (product & MASK) ^ (product >> 64n);
}

function swap(value: bigint, bytes: number): bigint {
  let swapped = 0n;
  for (let index = 0, rest = value; index < bytes; index += 1, rest >>= 8n) swapped = (swapped << 8n) | (rest & 0xffn);
  return swapped;
}

/** A hash function with a secret. */
export class Xxh3 {
  readonly #secret: Bytes;

  constructor(secret: Uint8Array) {
    this.#secret = new Bytes(secret);
  }

  /** The 64-bit hash of a body of less than {@link XXH3_LONG_BYTES}. */
  short64(body: Uint8Array): bigint {
    const secret = this.#secret;
    const bytes = new Bytes(body);
    const { length } = body;
    if (length === 0) return avalanche64(secret.pair(56));
    if (length <= 3) return avalanche64(threeBytes(bytes, length) ^ secret.u32(0) ^ secret.u32(4));
    if (length <= 8) {
      const value = (bytes.u32(length - 4) + (bytes.u32(0) << 32n)) ^ secret.pair(8);
      const first = wrap((value ^ rotate(value, 49n) ^ rotate(value, 24n)) * PRIME_MX2);
      const second = wrap((first ^ ((first >> 35n) + BigInt(length))) * PRIME_MX2);
      return second ^ (second >> 28n);
    }
    if (length <= 16) {
      const low = bytes.u64(0) ^ secret.pair(24);
      const high = bytes.u64(length - 8) ^ secret.pair(40);
      return avalanche(wrap(BigInt(length) + swap(low, 8) + high + fold(low, high)));
    }
    let sum = BigInt(length) * PRIME64_1;
    if (length <= 128) {
      for (let step = (length - 1) >> 5; step >= 0; step -= 1) {
        sum += this.#mix(bytes, 16 * step, 32 * step) + this.#mix(bytes, length - 16 * (step + 1), 32 * step + 16);
      }
      return avalanche(wrap(sum));
    }
    for (let step = 0; step < 8; step += 1) sum += this.#mix(bytes, 16 * step, 16 * step);
    sum = avalanche(wrap(sum)) + this.#mix(bytes, length - 16, 119);
    for (let step = 8; step < length >> 4; step += 1) sum += this.#mix(bytes, 16 * step, 16 * (step - 8) + 3);
    return avalanche(wrap(sum));
  }

  /** The 128-bit hash of a body of less than {@link XXH3_LONG_BYTES}. */
  short128(body: Uint8Array): Halves {
    const secret = this.#secret;
    const bytes = new Bytes(body);
    const { length } = body;
    if (length === 0) return { low: avalanche64(secret.pair(64)), high: avalanche64(secret.pair(80)) };
    if (length <= 3) {
      const low = threeBytes(bytes, length);
      const swapped = swap(low, 4);
      const high = ((swapped << 13n) | (swapped >> 19n)) & 0xffffffffn;
      return {
        low: avalanche64(low ^ secret.u32(0) ^ secret.u32(4)),
        high: avalanche64(high ^ secret.u32(8) ^ secret.u32(12)),
      };
    }
    if (length <= 8) return this.#upTo8(bytes, length);
    if (length <= 16) return this.#upTo16(bytes, length);
    const start = { low: wrap(BigInt(length) * PRIME64_1), high: 0n };
    let sum: Halves = start;
    if (length <= 128) {
      for (let step = (length - 1) >> 5; step >= 0; step -= 1) {
        sum = this.#mixTwo(sum, bytes, 16 * step, length - 16 * (step + 1), 32 * step);
      }
      return finish128(sum, length);
    }
    for (let at = 0; at < 128; at += 32) sum = this.#mixTwo(sum, bytes, at, at + 16, at);
    sum = { low: avalanche(sum.low), high: avalanche(sum.high) };
    for (let at = 128; at + 32 <= length; at += 32) sum = this.#mixTwo(sum, bytes, at, at + 16, at - 125);
    return finish128(this.#mixTwo(sum, bytes, length - 16, length - 32, 103), length);
  }

  /** The 64-bit hash of a long body. */
  long64(accumulators: BigUint64Array, length: bigint): bigint {
    return this.#merge(accumulators, 11, wrap(length * PRIME64_1));
  }

  /** The 128-bit hash of a long body. */
  long128(accumulators: BigUint64Array, length: bigint): Halves {
    return {
      low: this.long64(accumulators, length),
      high: this.#merge(accumulators, 117, wrap(~(length * PRIME64_2))),
    };
  }

  #merge(accumulators: BigUint64Array, secretAt: number, start: bigint): bigint {
    let sum = start;
    for (let index = 0; index < 8; index += 2) {
      const [left = 0n, right = 0n] = accumulators.subarray(index, index + 2);
      const at = secretAt + 8 * index;
      sum += fold(left ^ this.#secret.u64(at), right ^ this.#secret.u64(at + 8));
    }
    return avalanche(wrap(sum));
  }

  #mix(bytes: Bytes, at: number, secretAt: number): bigint {
    return fold(bytes.u64(at) ^ this.#secret.u64(secretAt), bytes.u64(at + 8) ^ this.#secret.u64(secretAt + 8));
  }

  #mixTwo({ low, high }: Halves, bytes: Bytes, first: number, second: number, secretAt: number): Halves {
    return {
      low: wrap(low + this.#mix(bytes, first, secretAt)) ^ wrap(bytes.u64(second) + bytes.u64(second + 8)),
      high: wrap(high + this.#mix(bytes, second, secretAt + 16)) ^ wrap(bytes.u64(first) + bytes.u64(first + 8)),
    };
  }

  #upTo8(bytes: Bytes, length: number): Halves {
    const value = (bytes.u32(0) + (bytes.u32(length - 4) << 32n)) ^ this.#secret.pair(16);
    const product = value * wrap(PRIME64_1 + (BigInt(length) << 2n));
    const high = wrap((product >> 64n) + (wrap(product) << 1n));
    const first = wrap(product) ^ (high >> 3n);
    const second = wrap((first ^ (first >> 35n)) * PRIME_MX2);
    return { low: second ^ (second >> 28n), high: avalanche(high) };
  }

  #upTo16(bytes: Bytes, length: number): Halves {
    const last = bytes.u64(length - 8);
    const product = (bytes.u64(0) ^ last ^ this.#secret.pair(32)) * PRIME64_1;
    const keyed = last ^ this.#secret.pair(48);
    const high = wrap((product >> 64n) + keyed + (keyed & 0xffffffffn) * (PRIME32_2 - 1n));
    const low = wrap(wrap(product) + (BigInt(length - 1) << 54n)) ^ swap(high, 8);
    const mixed = low * PRIME64_2;
    return { low: avalanche(wrap(mixed)), high: avalanche(wrap((mixed >> 64n) + high * PRIME64_2)) };
  }
}

function threeBytes(bytes: Bytes, length: number): bigint {
  const first = bytes.byte(0) << 16n;
  return first | (bytes.byte(length >> 1) << 24n) | bytes.byte(length - 1) | (BigInt(length) << 8n);
}

function finish128({ low, high }: Halves, length: number): Halves {
  const mixed = low * PRIME64_1 + high * PRIME64_4 + BigInt(length) * PRIME64_2;
  return { low: avalanche(wrap(low + high)), high: wrap(-avalanche(wrap(mixed))) };
}

export function rotate(value: bigint, bits: bigint): bigint {
  return wrap(value << bits) | (value >> (64n - bits));
}
