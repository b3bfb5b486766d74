import { describe, expect, it } from "vitest";

import { edgeLifetime } from "../../../src/protocol/objects/edge-lifetime.ts";

const NOW = Date.UTC(2026, 0, 1);
const FALLBACK = { freshMs: 5000, staleMs: 5000 };

function secondsOf(headers: Record<string, string>): [number, number] {
  const { freshMs, staleMs } = edgeLifetime(headers, FALLBACK, NOW);
  return [freshMs / 1000, staleMs / 1000];
}

describe("the lifetime of metadata", () => {
  it.each([
    ["public", [5, 5]],
    ["no-transform", [5, 5]],
    ["max-age=60", [60, 0]],
    ["max-age=60, s-maxage=10", [10, 0]],
    ["S-MaxAge=10, stale-while-revalidate=30", [10, 30]],
    ['max-age="60"', [60, 0]],
    ["max-age=60, stale-while-revalidate=30, must-revalidate", [60, 0]],
    ["max-age=60, stale-while-revalidate=30, immutable", [60, 0]],
    ["max-age=0, stale-while-revalidate=30", [0, 30]],
    ["max-age=99999999999", [365 * 24 * 3600, 0]],
    ["max-age=60, max-age=600", [60, 0]],
    ["max-age=-1", [0, 0]],
    ["max-age=1e9", [0, 0]],
    ["max-age", [0, 0]],
    ["no-store, max-age=60", [0, 0]],
    ["max-age=60, private", [0, 0]],
    ['private="set-cookie", max-age=60', [0, 0]],
    ["no-cache", [0, 0]],
  ])("by Cache-Control: %s", (value, expected) => {
    expect(secondsOf({ "cache-control": value })).toEqual(expected);
  });

  it("by Expires, where Cache-Control has no age", () => {
    const later = new Date(NOW + 90_000).toUTCString();
    expect(secondsOf({ expires: later })).toEqual([90, 0]);
    expect(secondsOf({ expires: later, "cache-control": "max-age=1" })).toEqual([1, 0]);
    expect(secondsOf({ expires: new Date(NOW).toUTCString() })).toEqual([0, 0]);
    expect(secondsOf({ expires: "0" })).toEqual([0, 0]);
    expect(secondsOf({})).toEqual([5, 5]);
  });
});
