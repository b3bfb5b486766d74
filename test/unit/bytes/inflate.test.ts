import { constants, deflateRawSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { InflateError, Inflater } from "../../../src/bytes/archives/inflate.ts";
import { noise } from "../../support/digests.ts";

/** Decompresses input in steps, and returns the output and the longest piece of it. */
function inflate(packed: Uint8Array, step = 65_536): { readonly output: Buffer; readonly longest: number } {
  const inflater = new Inflater();
  const pieces: Buffer[] = [];
  let at = 0;
  for (let next = inflater.next(); next !== "done"; next = inflater.next()) {
    if (next !== "input") pieces.push(Buffer.from(next));
    else if (at >= packed.length) inflater.end();
    else {
      inflater.push(packed.subarray(at, at + step));
      at += step;
    }
  }
  return { output: Buffer.concat(pieces), longest: Math.max(0, ...pieces.map(({ length }) => length)) };
}

const LINES = Buffer.from(
  Array.from({ length: 5000 }, (_, line) => `line ${(line * 7919) % 100} of a text\n`).join(""),
);
const MIXED = Buffer.concat([LINES, noise(100_000, 1), Buffer.alloc(200_000), LINES.subarray(0, 500)]);
const PACKED = deflateRawSync(MIXED);

describe("Inflater", () => {
  it.each([0, 1, 6, 9])("reverses zlib's level %i, for any strategy and pieces", (level) => {
    for (const strategy of [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY]) {
      for (const data of [Buffer.alloc(0), Buffer.from("a"), LINES, MIXED]) {
        const packed = deflateRawSync(data, { level, strategy });
        for (const step of [11, 4096, packed.length]) expect(inflate(packed, step).output.equals(data)).toBe(true);
      }
    }
  });

  it("returns bounded pieces, however much the input expands", () => {
    const { output, longest } = inflate(deflateRawSync(Buffer.alloc(20_000_000)));
    expect(output.length).toBe(20_000_000);
    expect(longest).toBeLessThanOrEqual(96 * 1024);
  });

  it.each([0, 1, 2, 50, 5000, PACKED.length - 1])("rejects data that ends after %i bytes", (length) => {
    expect(() => inflate(PACKED.subarray(0, length))).toThrow(InflateError);
  });

  it.each([
    ["bytes after the end", Buffer.concat([PACKED, Buffer.from("junk")])],
    ["an unknown block type", Buffer.from([0b111])],
    ["a stored block with two lengths", Buffer.from([1, 1, 0, 1, 0, 0])],
    ["a distance before the output", Buffer.from([0b00000011, 0b00000010, 0, 0])],
  ])("rejects %s", (_case, packed) => {
    expect(() => inflate(packed)).toThrow(InflateError);
  });

  it("ends with output or an InflateError for damaged data", () => {
    const packed = deflateRawSync(LINES);
    for (let at = 0; at < packed.length; at += 3) {
      const damaged = Buffer.from(packed);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      try {
        inflate(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(InflateError);
      }
    }
  });
});
