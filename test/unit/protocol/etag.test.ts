import { describe, expect, it } from "vitest";

import { bareEtag, etagListMatches, quoteEtag } from "../../../src/protocol/core/etag.ts";
import { expectQuick } from "../../support/quick.ts";

describe("an ETag", () => {
  it("is quoted in headers", () => expect(quoteEtag("abc-2")).toBe('"abc-2"'));

  it.each([
    ['"abc"', "abc"],
    ["abc", "abc"],
    ['W/"abc"', "abc"],
    ["W/abc", "abc"],
    ['  "abc"\t', "abc"],
    ['"abc-10000"', "abc-10000"],
    ["*", "*"],
    ["", ""],
    ['""', ""],
    ['"', '"'],
    ['"abc', '"abc'],
    ['abc"', 'abc"'],
    ['w/"abc"', 'w/"abc"'],
    ['""abc""', '"abc"'],
  ])("written %j is %j", (text, bare) => expect(bareEtag(text)).toBe(bare));

  it("is read from its quoted form", () => expect(bareEtag(quoteEtag("abc"))).toBe("abc"));
});

describe("a list of ETags", () => {
  it.each([
    ["abc", true],
    ['"abc"', true],
    ['W/"abc"', true],
    ['"x", "abc"', true],
    ['"abc","x"', true],
    ['"x",W/"abc" , "y"', true],
    ["*", true],
    [" * ", true],
    ['"x"', false],
    ['"abcd"', false],
    ['"ABC"', false],
    ['"*"', false],
    ['"x", *', false],
    ["", false],
    [",,", false],
    ['"x,abc,y"', false],
    ['"x, abc', false],
    ['abc", "x"', false],
    ['"x" abc', false],
  ])("%j names abc: %s", (list, isNamed) => expect(etagListMatches(list, "abc")).toBe(isNamed));

  it("never contains an empty ETag", () => {
    for (const list of ["*", "", '""', "undefined"]) expect(etagListMatches(list, undefined)).toBe(false);
  });

  it("of 100 KB is searched quickly", () => {
    for (const list of ['"'.repeat(100_000), ",".repeat(100_000), " ".repeat(100_000), `"${"x".repeat(100_000)}`]) {
      expectQuick(() => expect(etagListMatches(list, "abc")).toBe(false));
    }
  });
});
