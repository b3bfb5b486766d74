import { array, assert, integer, nat, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";

import { resolveRanges } from "../../../src/protocol/objects/multi-range.ts";

describe("several ranges", () => {
  it.each([
    [
      "bytes=0-1,4-5",
      [
        [0, 2],
        [4, 2],
      ],
    ],
    [
      "bytes=4-5,0-1",
      [
        [0, 2],
        [4, 2],
      ],
    ],
    ["bytes=0-1,2-3", [[0, 4]]],
    [
      "bytes=0-5,1-2,-1",
      [
        [0, 6],
        [9, 1],
      ],
    ],
    ["bytes=0-0,20-", [[0, 1]]],
    ["bytes=-100,3-3", [[0, 10]]],
  ])("%s are merged in order", (header, expected) => {
    expect(resolveRanges(header, 10)?.map(({ offset, length }) => [offset, length])).toEqual(expected);
  });

  it.each([
    undefined,
    "bytes=0-1",
    "bytes=1-0,2-3",
    "bytes=-,1-2",
    "bytes=x-1,2-3",
    "items=0-1,2-3",
    `bytes=${"0-0,".repeat(33)}`,
  ])("%s are not several ranges", (header) => {
    expect(resolveRanges(header, 10)).toBeUndefined();
  });

  it("that contain no byte are refused", () => {
    expect(() => resolveRanges("bytes=10-,20-30", 10)).toThrow(expect.objectContaining({ code: "InvalidRange" }));
    expect(() => resolveRanges("bytes=0-1,2-3", 0)).toThrow(expect.objectContaining({ code: "InvalidRange" }));
  });

  it("select exactly the bytes of each range, and never more than the object", () => {
    const spec = tuple(nat(40), nat(40)).map(
      ([first, last]) => [Math.min(first, last), Math.max(first, last)] as const,
    );
    assert(
      property(array(spec, { minLength: 2, maxLength: 8 }), integer({ min: 41, max: 60 }), (specs, size) => {
        const ranges = resolveRanges(`bytes=${specs.map(([first, last]) => `${first}-${last}`).join(",")}`, size) ?? [];
        const wanted = new Set(
          specs.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, at) => first + at)),
        );
        const selected = ranges.flatMap(({ offset, length }) => Array.from({ length }, (_, at) => offset + at));
        expect(selected).toEqual(Array.from(wanted).toSorted((a, b) => a - b));
      }),
    );
  });
});
