import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compareUtf8 } from "../../src/bytes/text.ts";
import { rangesOfPrefixes } from "../../src/state/d1/key-ranges.ts";

describe("rangesOfPrefixes", () => {
  it("visits each key once, in order", () => {
    expect(rangesOfPrefixes(["b/", "a", "ab", "b/c", "a"], "")).toEqual([
      { from: "a", before: "b" },
      { from: "b/", before: "b0" },
    ]);
    expect(rangesOfPrefixes(["", "x"], "")).toEqual([{ from: "", before: undefined }]);
    expect(rangesOfPrefixes([], "")).toEqual([]);
  });

  it("continues from a key, in the middle of a range or after it", () => {
    expect(rangesOfPrefixes(["a", "c"], "ab")).toEqual([
      { from: "ab", before: "b" },
      { from: "c", before: "d" },
    ]);
    expect(rangesOfPrefixes(["a", "c"], "b")).toEqual([{ from: "c", before: "d" }]);
    expect(rangesOfPrefixes(["a", "c"], "d")).toEqual([]);
  });

  it("covers exactly the keys that begin with a prefix and are not before the start", () => {
    const text = fc.string({
      unit: fc.constantFrom("a", "b", "é", "\u{ffff}", "\u{10ffff}", "\u{d7ff}"),
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), text, text, (prefixes, start, key) => {
        const ranges = rangesOfPrefixes(prefixes, start);
        const reference = ranges.filter(
          ({ from, before }) => compareUtf8(key, from) >= 0 && (before === undefined || compareUtf8(key, before) < 0),
        );
        const isMeant = prefixes.some((prefix) => key.startsWith(prefix)) && compareUtf8(key, start) >= 0;
        expect(reference).toHaveLength(isMeant ? 1 : 0);
        const froms = ranges.map(({ from }) => from);
        expect(froms).toEqual(froms.toSorted(compareUtf8));
      }),
      { numRuns: 2000 },
    );
  });
});
