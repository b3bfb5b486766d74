import { describe, expect, it } from "vitest";

import { uriEncode } from "../../../src/bytes/uri-encode.ts";
import { parseQuery } from "../../../src/protocol/core/query.ts";
import { Seeded } from "../bytes/seeded.ts";
import { expectQuick } from "../../support/quick.ts";
import { expectRefusal } from "./support.ts";

describe("a query", () => {
  it("decodes + and %20 as a space, and %2B as a plus, in names and in values", () => {
    const query = parseQuery("a+b=c+d&e%20f=g%20h&i%2Bj=k%2Bl");
    expect(query.get("a b")).toBe("c d");
    expect(query.get("e f")).toBe("g h");
    expect(query.get("i+j")).toBe("k+l");
  });

  it.each(["uploads", "uploads=", "a=1&uploads", "uploads&a=1", "&uploads&", "uploads=&a"])(
    "has an empty parameter in %s",
    (raw) => {
      const query = parseQuery(raw);
      expect(query.has("uploads")).toBe(true);
      expect(query.get("uploads")).toBe("");
    },
  );

  it("finds its parameters by exact, case-sensitive names", () => {
    const query = parseQuery("versionId=1&PREFIX=x");
    expect(query.get("versionid")).toBeUndefined();
    expect(query.has("prefix")).toBe(false);
    expect(query.get("version")).toBeUndefined();
    expect(query.get("toString")).toBeUndefined();
    expect(query.has("__proto__")).toBe(false);
  });

  it("returns the first of repeated parameters, and all of them on request, in their order", () => {
    const query = parseQuery("a=1&b=2&a=3&a=");
    expect(query.get("a")).toBe("1");
    expect(query.all("a")).toEqual(["1", "3", ""]);
    expect(query.all("c")).toEqual([]);
    expect(query.parameters.map(({ name }) => name)).toEqual(["a", "b", "a", "a"]);
  });

  it.each([
    ["", []],
    ["&", []],
    ["&&&", []],
    ["=", [["", ""]]],
    ["=x", [["", "x"]]],
    ["a=b=c", [["a", "b=c"]]],
    ["a==", [["a", "="]]],
    ["a?b=c?d", [["a?b", "c?d"]]],
    ["prefix=a/b//c", [["prefix", "a/b//c"]]],
    ["a;b=c", [["a;b", "c"]]],
    ["a=%26%3D", [["a", "&="]]],
    ["%61=%62", [["a", "b"]]],
    ["__proto__=x", [["__proto__", "x"]]],
    ["a=%00%0D%0A", [["a", "\0\r\n"]]],
  ])("of %j holds %j", (raw, parameters) => {
    expect(parseQuery(raw).parameters.map(({ name, value }) => [name, value])).toEqual(parameters);
  });

  it("keeps the bytes of names and values for the signature", () => {
    const [parameter] = parseQuery("%C3%A9+=%F0%9F%98%80%2B").parameters;
    expect(parameter).toEqual({ name: "é ", value: "\u{1f600}+" });
  });

  it.each(["a=%", "a=%4", "a=%zz", "%=a", "a=1&b=%g0", "a=%u0041"])(
    "is rejected for the malformed escape in %s",
    (raw) => expectRefusal(() => parseQuery(raw), "InvalidURI", 400),
  );

  it.each(["a=%ff", "%ff=a", "a=%C0%AF", "a=%ED%A0%80", "prefix=caf%E9", "a&b=%80"])(
    "is rejected because it is not UTF-8: %s",
    (raw) => expectRefusal(() => parseQuery(raw), "InvalidURI", 400),
  );

  it("round-trips any names and values", () => {
    const random = new Seeded(61);
    for (let turn = 0; turn < 200; turn += 1) {
      const pairs = Array.from({ length: 1 + random.below(4) }, () => [random.text(5), random.text(8)] as const);
      const raw = pairs.map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`).join("&");
      expect(parseQuery(raw).parameters.map(({ name, value }) => [name, value])).toEqual(pairs);
    }
  });

  it("of 100 KB is parsed quickly", () => {
    for (const raw of ["&".repeat(100_000), "=".repeat(100_000), "%20".repeat(33_000), "a=1&".repeat(25_000)]) {
      expectQuick(() => parseQuery(raw), 200);
    }
  });
});
