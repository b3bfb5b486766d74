import { describe, expect, it } from "vitest";

import { randomDigits, timeOrderedId } from "../../../src/bytes/random-id.ts";

describe("random digits", () => {
  it.each([0, 1, 16, 64])("are %i digits of base32hex", (count) => {
    expect(randomDigits(count)).toMatch(new RegExp(`^[0-9a-v]{${count}}$`));
  });

  it("do not repeat", () => {
    const seen = new Set(Array.from({ length: 5000 }, () => randomDigits(16)));
    expect(seen.size).toBe(5000);
  });

  it("use every digit about equally often", () => {
    const counts = new Map<string, number>();
    for (const digit of randomDigits(64_000)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
    expect(counts.size).toBe(32);
    // 2000 are expected of each, with a deviation of 44; eight such deviations do not occur.
    for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(352);
  });
});

describe("a time-ordered id", () => {
  it("has one length at any time, and 130 random bits", () => {
    for (const time of [0, 1, Date.UTC(2026, 0, 1), Date.UTC(9999, 11, 31)]) {
      expect(timeOrderedId(time)).toMatch(/^[0-9a-v]{36}$/);
    }
    const ids = new Set(Array.from({ length: 1000 }, () => timeOrderedId(5).slice(10)));
    expect(ids.size).toBe(1000);
  });

  it("sorts by its time", () => {
    const times = [0, 1, 31, 32, 1023, 1024, 1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000, 2 ** 49];
    const ids = times.map((time) => timeOrderedId(time));
    expect(ids.toSorted()).toEqual(ids);
  });
});
