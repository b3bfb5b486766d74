// Combines the CRCs of consecutive runs of bytes, like zlib's crc32_combine, for any reflected CRC whose initial value
// and final XOR are all ones. Polynomials over GF(2) have the highest power in the lowest bit.
import type { DigestAlgorithm } from "./digest.ts";

/** A CRC that can be combined. */
export type CombinableCrc = Extract<DigestAlgorithm, "crc32" | "crc32c" | "crc64nvme">;

const CRCS = {
  crc32: { bits: 32n, polynomial: 0xedb88320n },
  crc32c: { bits: 32n, polynomial: 0x82f63b78n },
  crc64nvme: { bits: 64n, polynomial: 0x9a6c9329ac4bc9b5n },
} as const satisfies Record<CombinableCrc, { bits: bigint; polynomial: bigint }>;

/** Combines the CRCs of consecutive runs of bytes, in order, into the CRC of all of them. Lengths are in bytes. */
export function combineCrcs(
  algorithm: CombinableCrc,
  runs: Iterable<{ readonly crc: Uint8Array; readonly length: number }>,
): Uint8Array {
  const { bits } = CRCS[algorithm];
  // Most parts have the same length, so its shift is computed once.
  const shifts = new Map<number, bigint>();
  let combined = 0n;
  for (const { crc, length } of runs) {
    let shift = shifts.get(length);
    if (shift === undefined) {
      shift = powerOfX(algorithm, length);
      shifts.set(length, shift);
    }
    combined = multiply(algorithm, shift, combined) ^ toBigInt(crc);
  }
  return toBytes(combined, Number(bits) / 8);
}

/** x to the power of `bytes` × 8, modulo the polynomial. */
function powerOfX(algorithm: CombinableCrc, bytes: number): bigint {
  const { bits } = CRCS[algorithm];
  let square = 1n << (bits - 2n);
  let power = 1n << (bits - 1n);
  for (let exponent = BigInt(bytes) * 8n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) power = multiply(algorithm, square, power);
    square = multiply(algorithm, square, square);
  }
  return power;
}

function multiply(algorithm: CombinableCrc, left: bigint, right: bigint): bigint {
  const { bits, polynomial } = CRCS[algorithm];
  let product = 0n;
  let shifted = right;
  for (let bit = 1n << (bits - 1n); bit > 0n; bit >>= 1n) {
    if ((left & bit) !== 0n) product ^= shifted;
    shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n;
  }
  return product;
}

function toBigInt(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

function toBytes(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = length - 1, rest = value; index >= 0; index -= 1, rest >>= 8n) bytes[index] = Number(rest & 0xffn);
  return bytes;
}
