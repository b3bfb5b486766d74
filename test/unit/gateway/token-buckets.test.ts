import { describe, expect, it } from "vitest";

import { addressGroup } from "../../../src/gateway/rate-limits.ts";
import { TokenBuckets } from "../../../src/gateway/token-buckets.ts";

const START = 1_000_000;

describe("a token bucket", () => {
  it("admits the rate of one second at once, and then as many as time passes", () => {
    const buckets = new TokenBuckets(10);
    for (let index = 0; index < 3; index += 1) {
      expect(buckets.waitFor("a", 3, 1, START)).toBe(0);
      buckets.take("a", 3, 1, START);
    }
    expect(buckets.waitFor("a", 3, 1, START)).toBeCloseTo(1000 / 3);
    expect(buckets.waitFor("a", 3, 1, START + 200)).toBeCloseTo(1000 / 3 - 200);
    expect(buckets.waitFor("a", 3, 1, START + 334)).toBe(0);
    expect(buckets.waitFor("b", 3, 1, START)).toBe(0);
  });

  it("has a debt after more was taken than it had, until the debt is paid", () => {
    const buckets = new TokenBuckets(10);
    buckets.take("a", 100, 1100, START);
    expect(buckets.waitFor("a", 100, 1, START)).toBeCloseTo(10_010);
    expect(buckets.waitFor("a", 100, 1, START + 10_000)).toBeCloseTo(10);
    expect(buckets.waitFor("a", 100, 1, START + 10_010)).toBe(0);
  });

  it("never has more than one second's rate, however long it was unused and however the clock jumps", () => {
    const buckets = new TokenBuckets(10);
    buckets.take("a", 2, 2, START);
    buckets.take("a", 2, 1, START + 1e12);
    expect(buckets.waitFor("a", 2, 1, START + 1e12)).toBe(0);
    buckets.take("a", 2, 1, START + 1e12);
    // The clock goes back to the true time: nothing is filled, and the wait is not that of the jump.
    expect(buckets.waitFor("a", 2, 1, START)).toBeCloseTo(500);
    expect(buckets.waitFor("a", 2, 1, START + 500)).toBe(0);
  });

  it("applies a changed rate at once", () => {
    const buckets = new TokenBuckets(10);
    buckets.take("a", 1000, 1, START);
    expect(buckets.waitFor("a", 2, 1, START)).toBe(0);
    buckets.take("a", 2, 2, START);
    expect(buckets.waitFor("a", 2, 1, START)).toBeCloseTo(500);
    expect(buckets.waitFor("a", 100, 1, START)).toBeCloseTo(10);
  });
});

describe("the table of token buckets", () => {
  it("is bounded, and drops the one that was unused longest", () => {
    const buckets = new TokenBuckets(3);
    for (const name of ["a", "b", "c"]) buckets.take(name, 1, 1, START);
    // A refused request uses its bucket too, so it cannot win a full one by others' names.
    expect(buckets.waitFor("a", 1, 1, START)).toBe(1000);
    buckets.take("d", 1, 1, START);
    expect(buckets.size).toBe(3);
    expect(["a", "b", "c", "d"].map((name) => buckets.waitFor(name, 1, 1, START))).toEqual([1000, 0, 1000, 1000]);
    for (let index = 0; index < 1000; index += 1) buckets.take(`other ${index}`, 1, 1, START);
    expect(buckets.size).toBe(3);
  });

  it("does not keep full ones", () => {
    const buckets = new TokenBuckets(3);
    buckets.take("a", 5, 1, START);
    buckets.take("a", 5, -1, START);
    expect(buckets.size).toBe(0);
  });
});

describe("the group of a client address", () => {
  it.each([
    ["203.0.113.7", "203.0.113.8", false],
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true],
    ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
    ["::ffff:203.0.113.7", "203.0.113.7", true],
    ["", "no address", true],
  ])("of %s and %s is the same: %s", (one, other, isSame) => {
    expect(addressGroup(one) === addressGroup(other)).toBe(isSame);
  });
});
