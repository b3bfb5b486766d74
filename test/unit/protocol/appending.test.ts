// Which parts an append merges: how often bytes are stored again, and how many parts an object gets.
import { describe, expect, it } from "vitest";

import { firstMergedPart, MERGED_MAX_BYTES } from "../../../src/protocol/objects/appending.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Appends pieces to an object, and returns its parts with the bytes that were stored. */
function appended(pieces: Iterable<number>): { readonly parts: readonly number[]; readonly stored: number } {
  let parts: number[] = [];
  let stored = 0;
  for (const piece of pieces) {
    const first = firstMergedPart(parts, piece);
    const merged = parts.slice(first).reduce((sum, size) => sum + size, piece);
    parts = [...parts.slice(0, first), merged];
    stored += merged;
  }
  return { parts, stored };
}

function repeated(size: number, count: number): number[] {
  return Array.from({ length: count }, () => size);
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

describe("the parts of an object that was appended to", () => {
  it.each([
    ["lines of 1 KiB", repeated(KIB, 30_000)],
    ["pieces of 100 KiB", repeated(100 * KIB, 2000)],
    ["pieces of 1 MiB", repeated(MIB, 500)],
    ["pieces of 5 MiB", repeated(5 * MIB, 200)],
    ["pieces that shrink", Array.from({ length: 3000 }, (_, index) => 300_000 - index * 99)],
    ["pieces that grow", Array.from({ length: 3000 }, (_, index) => 100 + index * 99)],
    ["pieces of any size", Array.from({ length: 5000 }, (_, index) => 1 + ((index * 7_919_777) % 200_000))],
  ])("are few, and their bytes are stored again a logarithmic number of times: %s", (_, pieces) => {
    const total = sum(pieces);
    const { parts, stored } = appended(pieces);
    expect(sum(parts)).toBe(total);
    // Two neighbours are longer than the limit together, except in a tail that halves.
    expect(parts.length).toBeLessThanOrEqual(2 * Math.ceil(total / MERGED_MAX_BYTES) + 8);
    const always = Math.min(128 * KIB * pieces.length, total * 128);
    expect(stored).toBeLessThanOrEqual(total * 8 + always);
  });

  it("that are longer than the limit are never stored again", () => {
    expect(firstMergedPart([MERGED_MAX_BYTES], 1)).toBe(1);
    expect(firstMergedPart([MERGED_MAX_BYTES, 10], 1)).toBe(1);
    expect(firstMergedPart([10], MERGED_MAX_BYTES)).toBe(1);
    expect(firstMergedPart([10], MERGED_MAX_BYTES - 10)).toBe(0);
  });

  it("that are empty are replaced by any append", () => {
    expect(firstMergedPart([0], 1)).toBe(0);
    expect(firstMergedPart([0], 100 * MIB)).toBe(0);
  });

  it("are at most 10,000", () => {
    expect(() => firstMergedPart(repeated(MERGED_MAX_BYTES, 10_000), 1)).toThrow(
      expect.objectContaining({ code: "TooManyParts" }),
    );
    expect(firstMergedPart(repeated(MERGED_MAX_BYTES, 9999), 1)).toBe(9999);
  });
});
