import { describe, expect, it } from "vitest";

import { fromBase64Url, toBase64, toBase64Url } from "../../../src/bytes/hex-base64.ts";
import { compareUtf8, utf8 } from "../../../src/bytes/text.ts";
import { percentDecodeText } from "../../../src/bytes/uri-encode.ts";
import {
  commonPrefixOf,
  encodeListed,
  lastListed,
  makeToken,
  pageAfter,
  PAGE_MAX_ENTRIES,
  readEncodingType,
  readPageSize,
  readScope,
  readToken,
} from "../../../src/protocol/listings/listing.ts";
import { parseQuery } from "../../../src/protocol/core/query.ts";
import type { ListedObject } from "../../../src/protocol/objects/stored-object.ts";
import { Seeded } from "../bytes/seeded.ts";
import { expectError, expectRefusal, rejectionOf } from "./support.ts";

describe("a page size", () => {
  it.each([
    ["", 1000],
    ["max-keys", 1000],
    ["max-keys=", 1000],
    ["max-keys=0", 0],
    ["max-keys=1", 1],
    ["max-keys=1000", 1000],
    ["max-keys=1001", 1001],
    ["max-keys=2147483647", 2_147_483_647],
    ["max-keys=007", 7],
    ["max-keys=5&max-keys=x", 5],
    ["max-uploads=5", 1000],
  ])("of ?%s is %i", (query, size) => expect(readPageSize(parseQuery(query), "max-keys")).toBe(size));

  it.each([
    "-1",
    "-0",
    "1.5",
    "1e9",
    "0x10",
    "2147483648",
    "9999999999",
    "99999999999999999999",
    "NaN",
    "Infinity",
    "ten",
    "%2B5",
    "+5",
    "5%20",
    "5%0A",
    "%D9%A5",
    "1,000",
  ])("is rejected when invalid: %s", (value) => {
    for (const name of ["max-keys", "max-parts"]) {
      expectRefusal(() => readPageSize(parseQuery(`${name}=${value}`), name), "InvalidArgument", 400, {
        message: `Provided ${name} not an integer or within integer range`,
      });
    }
  });

  it("over 1000 is returned, while the page has at most 1000 entries", () => {
    const scope = { prefix: "", delimiter: "" };
    expect(PAGE_MAX_ENTRIES).toBe(1000);
    expect(pageAfter("", scope, 2_147_483_647).limit).toBe(1000);
    expect(pageAfter("", scope, 1000).limit).toBe(1000);
    expect(pageAfter("", scope, 999).limit).toBe(999);
    expect(pageAfter("", scope, 0).limit).toBe(0);
  });
});

describe("an encoding type", () => {
  it.each([
    ["", undefined],
    ["encoding-type", undefined],
    ["encoding-type=", undefined],
    ["encoding-type=url", "url"],
  ])("of ?%s is %s", (query, type) => expect(readEncodingType(parseQuery(query))).toBe(type));

  it.each(["URL", "url,url", "base64", "xml", "url%20"])("is rejected when unknown: %s", (value) =>
    expectRefusal(() => readEncodingType(parseQuery(`encoding-type=${value}`)), "InvalidArgument", 400, {
      message: "Invalid Encoding Method specified in Request",
    }),
  );

  it.each([
    ["a b", "a%20b"],
    ["a+b", "a%2Bb"],
    ["a/b//c/", "a/b//c/"],
    ["a=b&c", "a%3Db%26c"],
    ["100%", "100%25"],
    ["%20", "%2520"],
    ["é", "%C3%A9"],
    ["\u{1f600}", "%F0%9F%98%80"],
    ["\u0001\r\n", "%01%0D%0A"],
    ["x<script>&\"'", "x%3Cscript%3E%26%22%27"],
    ["A-Z_a.z~9", "A-Z_a.z~9"],
    ["", ""],
  ])("url shows %j as %s, and none shows it as it is", (key, shown) => {
    expect(encodeListed(key, "url")).toBe(shown);
    expect(encodeListed(key, undefined)).toBe(key);
  });

  it("url encodes every key so that form decoding restores it", () => {
    const random = new Seeded(81);
    for (let turn = 0; turn < 200; turn += 1) {
      const key = random.text(12);
      expect(percentDecodeText(encodeListed(key, "url"), true)).toBe(key);
    }
  });
});

describe("a scope", () => {
  it.each([
    ["", { prefix: "", delimiter: "" }],
    ["prefix&delimiter", { prefix: "", delimiter: "" }],
    ["prefix=a%2Fb&delimiter=%2F", { prefix: "a/b", delimiter: "/" }],
    ["prefix=a+b&delimiter=/data/", { prefix: "a b", delimiter: "/data/" }],
    ["prefix=%25_'", { prefix: "%_'", delimiter: "" }],
  ])("of ?%s is %j", (query, scope) => expect(readScope(parseQuery(query))).toEqual(scope));
});

describe("a common prefix", () => {
  it.each([
    ["a/b", "", "/", "a/"],
    ["a/b/c", "", "/", "a/"],
    ["a/b/c", "a/", "/", "a/b/"],
    ["a/b", "a/", "/", undefined],
    ["a/", "a/", "/", undefined],
    ["a//b", "a/", "/", "a//"],
    ["/a", "", "/", "/"],
    ["a", "", "/", undefined],
    ["a/b", "", "", undefined],
    ["b/c", "a", "/", undefined],
    ["a/b", "a", "/", "a/"],
    ["x/data/y/z", "", "/data/", "x/data/"],
    ["x/dat", "", "/data/", undefined],
    ["aXbXc", "aX", "X", "aXbX"],
    ["\u{1f600}/\u{1f601}/x", "\u{1f600}/", "/", "\u{1f600}/\u{1f601}/"],
    ["aaa", "a", "aa", "aaa"],
    ["aaa", "aa", "aa", undefined],
  ])("of %j under %j with %j is %j", (key, prefix, delimiter, common) =>
    expect(commonPrefixOf(key, { prefix, delimiter })).toBe(common),
  );
});

describe("a page after a marker", () => {
  it.each([
    ["", "", "", ""],
    ["", "a/", "", "a/"],
    ["a", "", "", "a\0"],
    ["a", "b", "", "b"],
    ["c", "b", "", "c\0"],
    ["b", "b", "", "b\0"],
    ["a/", "", "/", "a0"],
    ["a/b", "", "/", "a0"],
    ["a", "", "/", "a\0"],
    ["x/a/b", "x/", "/", "x/a0"],
    ["x/", "x/", "/", "x/\0"],
    ["a/b", "x/", "/", "x/"],
    ["a\ud7ff", "", "\ud7ff", "a\ue000"],
    ["\u{10ffff}", "", "", "\u{10ffff}\0"],
    ["\ue000", "\u{1f600}", "", "\u{1f600}"],
    ["\u{1f600}", "\ue000", "", "\u{1f600}\0"],
  ])("%j with prefix %j and delimiter %j begins at %j", (marker, prefix, delimiter, from) => {
    const page = pageAfter(marker, { prefix, delimiter }, 10);
    expect(page).toEqual({ prefix, delimiter, from, limit: 10 });
  });

  it("that nothing can follow is empty", () => {
    expect(pageAfter("\u{10ffff}x", { prefix: "", delimiter: "\u{10ffff}" }, 10).limit).toBe(0);
  });

  it("begins with the least key after the marker and outside a returned prefix", () => {
    const random = new Seeded(82);
    const pieces = ["a", "b", "/", "\ud7ff", "\ue000", "\u{1f600}", "\u{10ffff}", "\0"];
    const text = () => Array.from({ length: random.below(5) }, () => random.pick(pieces)).join("");
    for (let turn = 0; turn < 3000; turn += 1) {
      const [marker, key] = [text(), text()];
      const scope = {
        prefix: random.pick(["", "a", "a/", "\ue000", "\u{10ffff}"]),
        delimiter: random.pick(["", "/", "b/"]),
      };
      if (marker === "" || !key.startsWith(scope.prefix)) continue;
      const { from, limit } = pageAfter(marker, scope, 1);
      const shown = commonPrefixOf(marker, scope);
      const isAfter = compareUtf8(key, marker) > 0 && !(shown !== undefined && key.startsWith(shown));
      expect(limit === 1 && compareUtf8(key, from) >= 0).toBe(isAfter);
    }
  });
});

describe("the last entry of a page", () => {
  const object = (key: string): { object: ListedObject } => ({
    object: {
      key,
      size: 0,
      etag: "e",
      modifiedAt: 0,
      ownerId: "o",
      storageClass: "STANDARD",
      checksumAlgorithm: undefined,
      checksumType: undefined,
    },
  });

  it("is a key or a common prefix, or missing", () => {
    expect(lastListed([object("a"), object("b")])).toBe("b");
    expect(lastListed([object("a"), { commonPrefix: "b/" }])).toBe("b/");
    expect(lastListed([{ commonPrefix: "b/" }, object("c")])).toBe("c");
    expect(lastListed([])).toBeUndefined();
  });
});

describe("a continuation token", () => {
  const LISTING = ["bucket", "prefix", "/"];

  it("is URL-safe and contains the entry it was made of", async () => {
    const random = new Seeded(83);
    for (const last of ["a", "a/b", "\ufeffa", "\0", "\u{10ffff}", "é".repeat(512), ...texts(random)]) {
      const token = await makeToken(last, LISTING);
      expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(await readToken(token, LISTING)).toBe(last);
    }
  });

  it.each([
    ["another bucket", ["bucket2", "prefix", "/"]],
    ["another prefix", ["bucket", "prefix/", "/"]],
    ["no prefix", ["bucket", "", "/"]],
    ["another delimiter", ["bucket", "prefix", "//"]],
    ["no delimiter", ["bucket", "prefix", ""]],
    ["parts that only read alike together", ["bucketprefix", "", "/"]],
    ["parts that are shifted", ["bucket", "prefix/", ""]],
    ["fewer parts", ["bucket", "prefix"]],
    ["more parts", ["bucket", "prefix", "/", ""]],
    ["quotes that would end a part", ['bucket","prefix', "/"]],
  ])("is refused in a listing of %s", async (_what, listing) => {
    const token = await makeToken("prefix/a", LISTING);
    const error = await rejectionOf(readToken(token, listing));
    expectError(error, "InvalidArgument", 400, { message: "The continuation token provided is incorrect" });
  });

  it("is rejected with any of its characters missing, changed or added", async () => {
    const token = await makeToken("prefix/key", LISTING);
    const spoilt: string[] = [`${token}A`, `A${token}`, `${token}=`, `${token} `, token + token];
    for (let index = 0; index < token.length; index += 1) {
      const character = token[index] === "A" ? "B" : "A";
      spoilt.push(token.slice(0, index) + character + token.slice(index + 1), token.slice(0, index));
    }
    for (const text of spoilt) expectError(await rejectionOf(readToken(text, LISTING)), "InvalidArgument", 400);
  });

  it("is rejected with any of its bits flipped", async () => {
    const bytes = fromBase64Url(await makeToken("é/key", LISTING)) ?? new Uint8Array();
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expectError(await rejectionOf(readToken(toBase64Url(flipped), LISTING)), "InvalidArgument", 400);
    }
  });

  it.each([
    "",
    "a",
    "prefix/key",
    "null",
    "__proto__",
    "' OR 1=1 --",
    "A".repeat(16),
    "A".repeat(100_000),
    toBase64(utf8('{"last":"prefix/key","bucket":"bucket"}')),
    toBase64Url(utf8('{"last":"prefix/key"}')),
    toBase64Url(utf8("prefix/key")),
    toBase64Url(Uint8Array.of(0xff, 0xfe, 0xfd)),
    toBase64Url(new Uint8Array(12).fill(0xff)),
  ])("is refused where it was never one: %j", async (text) => {
    const error = await rejectionOf(readToken(text, LISTING));
    expectError(error, "InvalidArgument", 400);
    expect(error.fields["ArgumentName"]).toBe("continuation-token");
  });

  function texts(random: Seeded): string[] {
    return Array.from({ length: 50 }, () => random.text(20));
  }
});
