import { describe, expect, it } from "vitest";

import { GrowingBuffer } from "../../../src/bytes/growing-buffer.ts";
import { Seeded } from "./seeded.ts";

describe("GrowingBuffer", () => {
  it("collects appended pieces of any size", () => {
    const seeded = new Seeded(7);
    const bytes = seeded.bytes(50_000);
    const buffer = new GrowingBuffer(60_000);
    for (let at = 0; at < bytes.length;) {
      const size = 1 + seeded.below(5000);
      buffer.append(bytes.subarray(at, at + size));
      at += size;
    }
    expect(buffer.bytes).toEqual(bytes);
    expect(buffer.room).toBe(10_000);
  });

  it.each([
    [10, 0, 0],
    [10, 1, 10],
    [1_000_000, 1, 1024],
    [1_000_000, 2000, 2000],
    [1_000_000, 100_000, 200_000],
  ])("with a limit of %i allocates for %i bytes at most %i bytes of memory", (limit, length, most) => {
    const buffer = new GrowingBuffer(limit);
    if (length > 0) buffer.append(new Uint8Array(length));
    expect(buffer.capacity).toBeLessThanOrEqual(most);
  });

  it("copies a byte no more than twice, however small the pieces", () => {
    const buffer = new GrowingBuffer(1_000_000);
    let copied = 0;
    let capacity = 0;
    for (let length = 0; length < 300_000; length += 1) {
      buffer.append(Uint8Array.of(length));
      if (buffer.capacity !== capacity) copied += length;
      ({ capacity } = buffer);
    }
    expect(copied).toBeLessThan(2 * 300_000);
  });

  it("rejects more than its limit, and accepts the same amount again after it is cleared", () => {
    const buffer = new GrowingBuffer(3);
    buffer.append(Uint8Array.of(1, 2, 3));
    expect(() => buffer.append(Uint8Array.of(4))).toThrow(RangeError);
    buffer.clear();
    buffer.append(Uint8Array.of(5));
    expect(buffer.bytes).toEqual(Uint8Array.of(5));
  });
});
