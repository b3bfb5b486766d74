import { describe, expect, it } from "vitest";

import {
  compareUtf8,
  decodeUtf8,
  successorOf,
  successorOfPrefix,
  utf8,
  utf8InScratch,
  utf8Length,
} from "../../../src/bytes/text.ts";
import { Seeded } from "./seeded.ts";

function texts(seed: number, count: number, longest: number): string[] {
  const random = new Seeded(seed);
  return Array.from({ length: count }, () => random.text(longest));
}

describe("UTF-8", () => {
  it("round-trips, byte order mark and NUL included", () => {
    for (const text of ["", "\ufeff", "\ufeffa", "a\0b", "é", "e\u0301", "\u{1f600}", ...texts(1, 200, 10)]) {
      expect(decodeUtf8(utf8(text))).toBe(text);
      expect(utf8Length(text)).toBe(utf8(text).length);
    }
  });

  it("in a buffer that is used again has the same bytes, at any length", () => {
    const lengths = [0, 1, 1364, 1365, 1366, 4096, 5000].flatMap((length) => ["a".repeat(length), "€".repeat(length)]);
    for (const text of [...lengths, "\ud800", ...texts(3, 200, 30)]) {
      expect(Array.from(utf8InScratch(text))).toEqual(Array.from(utf8(text)));
    }
  });

  it("is measured in bytes", () => {
    expect(utf8Length("\u{1f600}".repeat(257))).toBe(1028);
    expect(utf8Length("é")).toBe(2);
    expect(utf8Length("e\u0301")).toBe(3);
  });

  it.each([
    ["a lone continuation byte", [0x80]],
    ["a sequence cut short", [0x61, 0xc3]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["a longer overlong slash", [0xe0, 0x80, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a code point past the last", [0xf4, 0x90, 0x80, 0x80]],
    ["a byte that never occurs", [0xff]],
  ])("is refused with %s", (_what, bytes) => expect(decodeUtf8(Uint8Array.from(bytes))).toBeUndefined());
});

describe("the order of texts", () => {
  it("is that of their bytes, which differs from JavaScript's", () => {
    const astral = "\u{1f600}";
    expect(compareUtf8("\ue000", astral)).toBeLessThan(0);
    expect(compareUtf8(astral, "\ue000")).toBeGreaterThan(0);
    expect("\ue000" < astral).toBe(false);
    expect(compareUtf8("\uffff", "\u{10000}")).toBeLessThan(0);
  });

  it.each([
    ["", "a"],
    ["a", "a\0"],
    ["a", "aa"],
    ["A", "a"],
    ["a!", "a/"],
    ["z", "é"],
    ["a", "b"],
    ["a\u{10ffff}", "b"],
  ])("puts %j before %j", (left, right) => {
    expect(compareUtf8(left, right)).toBeLessThan(0);
    expect(compareUtf8(right, left)).toBeGreaterThan(0);
    expect(compareUtf8(left, left)).toBe(0);
  });

  it("agrees with a comparison of the hexadecimal bytes", () => {
    const hex = (text: string) => Array.from(utf8(text), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const sample = texts(2, 60, 5);
    for (const left of sample) {
      for (const right of sample) {
        const byHex = hex(left) < hex(right) ? -1 : Number(hex(left) > hex(right));
        expect(Math.sign(compareUtf8(left, right))).toBe(byHex);
      }
    }
  });
});

describe("the successor of a prefix", () => {
  it.each([
    ["a", "b"],
    ["ab/", "ab0"],
    ["a\u{10ffff}", "b"],
    ["\ud7ff", "\ue000"],
    ["x\ud7ff", "x\ue000"],
    ["\uffff", "\u{10000}"],
    ["\u007f", "\u0080"],
    ["\0", "\u0001"],
    ["b\u{10ffff}\u{10ffff}", "c"],
    ["\u{1f600}", "\u{1f601}"],
  ])("of %j is %j", (prefix, successor) => expect(successorOfPrefix(prefix)).toBe(successor));

  it.each(["", "\u{10ffff}", "\u{10ffff}\u{10ffff}"])("of %j does not exist", (prefix) =>
    expect(successorOfPrefix(prefix)).toBeUndefined(),
  );

  it("separates the texts with the prefix from those after them", () => {
    const sample = texts(3, 120, 4);
    for (const prefix of sample) {
      const successor = successorOfPrefix(prefix);
      for (const text of [...sample, ...sample.map((text) => prefix + text), prefix]) {
        const isInRange =
          compareUtf8(text, prefix) >= 0 && (successor === undefined || compareUtf8(text, successor) < 0);
        expect(isInRange).toBe(text.startsWith(prefix));
      }
    }
  });

  it("is itself UTF-8 text", () => {
    for (const prefix of texts(4, 300, 4)) {
      const successor = successorOfPrefix(prefix);
      if (successor !== undefined) expect(decodeUtf8(utf8(successor))).toBe(successor);
    }
  });
});

describe("the successor of a text", () => {
  it("is greater than it, with nothing in between", () => {
    const sample = texts(6, 150, 4);
    for (const text of sample) {
      const successor = successorOf(text);
      expect(compareUtf8(text, successor)).toBeLessThan(0);
      for (const other of sample) {
        expect(compareUtf8(other, successor) < 0).toBe(compareUtf8(other, text) <= 0);
      }
    }
  });
});
