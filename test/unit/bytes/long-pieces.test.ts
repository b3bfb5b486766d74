import { describe, expect, it } from "vitest";

import { LongPieces } from "../../../src/bytes/long-pieces.ts";

describe("LongPieces", () => {
  it("admits as many readers as it may, and another one for each that is released", () => {
    const pieces = new LongPieces(2);
    const [first, second, third] = [{}, {}, {}];
    expect([first, second, third].map((reader) => pieces.admit(reader))).toEqual([true, true, false]);
    pieces.release(first);
    expect(pieces.admit(third)).toBe(true);
    expect(pieces.admit(first)).toBe(false);
  });

  it("ignores the release of a reader that it does not admit, and a second release", () => {
    const pieces = new LongPieces(1);
    const [admitted, other] = [{}, {}];
    pieces.admit(admitted);
    pieces.release(other);
    expect(pieces.admit(other)).toBe(false);
    pieces.release(admitted);
    pieces.release(admitted);
    expect(pieces.admit(other)).toBe(true);
    expect(pieces.admit(admitted)).toBe(false);
  });
});
