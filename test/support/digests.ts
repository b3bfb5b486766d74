// Digests as clients send them, computed by node while the Worker uses the runtime's streams.
import { createHash } from "node:crypto";
import { crc32 as zlibCrc32 } from "node:zlib";

import { expect } from "vitest";

import { installWasmModules } from "../../src/bytes/wasm-modules.ts";
import { Xxhash, type XxhashAlgorithm } from "../../src/bytes/xxhash.ts";

// Node has no xxHash. The unit tests compare the Worker's with published values.
installWasmModules();

export const ALGORITHMS = [
  "CRC32",
  "CRC32C",
  "CRC64NVME",
  "MD5",
  "SHA1",
  "SHA256",
  "SHA512",
  "XXHASH128",
  "XXHASH3",
  "XXHASH64",
] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

/** A checksum in base64, as `x-amz-checksum-*` contains it. */
export function checksum(algorithm: Algorithm, bytes: Uint8Array): string {
  switch (algorithm) {
    case "CRC32":
      return base64(bigEndian(BigInt(zlibCrc32(bytes)), 4));
    case "CRC32C":
      return base64(bigEndian(crc(bytes, 32n, 0x82f63b78n), 4));
    case "CRC64NVME":
      return base64(bigEndian(crc(bytes, 64n, 0x9a6c9329ac4bc9b5n), 8));
    case "XXHASH128":
      return base64(xxhash("xxh128", bytes));
    case "XXHASH3":
      return base64(xxhash("xxh3", bytes));
    case "XXHASH64":
      return base64(xxhash("xxh64", bytes));
    case "MD5":
    case "SHA1":
    case "SHA256":
    case "SHA512":
      return createHash(algorithm.toLowerCase()).update(bytes).digest("base64");
  }
}

function xxhash(algorithm: XxhashAlgorithm, bytes: Uint8Array): Uint8Array {
  const hash = new Xxhash(algorithm);
  hash.update(bytes);
  return hash.finish();
}

/** The header of a checksum. */
export function checksumHeader(algorithm: Algorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

export function md5Base64(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("base64");
}

export function md5Hex(bytes: Uint8Array | string): string {
  return createHash("md5").update(bytes).digest("hex");
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Asserts that a body equals these bytes, by length and digest: comparing megabytes byte by byte takes seconds. */
export async function expectBytes(response: Response, expected: Uint8Array | string): Promise<void> {
  const bytes = typeof expected === "string" ? utf8(expected) : expected;
  const actual = await response.bytes();
  expect({ length: actual.length, md5: md5Hex(actual) }).toEqual({ length: bytes.length, md5: md5Hex(bytes) });
}

/** Bytes without a repeating pattern that could hide a bug. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

/** A reflected CRC with an initial and final value of all ones, by table. */
function crc(bytes: Uint8Array, width: bigint, polynomial: bigint): bigint {
  const ones = (1n << width) - 1n;
  const table = Array.from({ length: 256 }, (_, byte) => {
    let value = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) value = (value & 1n) === 1n ? (value >> 1n) ^ polynomial : value >> 1n;
    return value;
  });
  let value = ones;
  for (const byte of bytes) value = (table[Number((value ^ BigInt(byte)) & 0xffn)] ?? 0n) ^ (value >> 8n);
  return value ^ ones;
}

function bigEndian(value: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Number((value >> BigInt((length - 1 - index) * 8)) & 0xffn));
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** Asserts that bytes are equal. A failure shows lengths and digests, since the bytes may be megabytes. */
export function expectSame(actual: Uint8Array, expected: Uint8Array): void {
  const shown = (bytes: Uint8Array): string => `${bytes.length} bytes ${md5Hex(bytes)}`;
  expect(shown(actual)).toBe(shown(expected));
}
