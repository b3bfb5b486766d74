import { describe, expect, it } from "vitest";

import { readJson } from "../../../../src/auth/policy/json.ts";

describe("readJson", () => {
  it("reads objects as maps, and everything else like JSON.parse", () => {
    const text = ' {"a" : [1, -2.5e3, true,false , null, "x\\"\\u00e9\\\\", [], {}],"__proto__":{"b":"{"}, "": "," } ';
    expect(readJson(text)).toEqual(
      new Map<string, unknown>([
        ["a", [1, -2500, true, false, null, 'x"é\\', [], new Map()]],
        ["__proto__", new Map([["b", "{"]])],
        ["", ","],
      ]),
    );
    expect(readJson('"x"')).toBe("x");
    expect(readJson("12")).toBe(12);
  });

  it.each([
    ["a key twice", '{"a":1,"a":1}'],
    ["a key twice, once escaped", '{"a":1,"\\u0061":1}'],
    ["a key twice, further in", '[{"a":{"b":1,"c":2,"b":1}}]'],
    ["__proto__ twice", '{"__proto__":1,"__proto__":1}'],
    ["half a character", '{"a":"\\ud83d"}'],
    ["half a character in a key", '{"\\ude00":1}'],
    ["deep nesting", `${"[".repeat(17)}${"]".repeat(17)}`],
    ["very deep nesting", "[".repeat(20_000)],
    ["nothing", ""],
    ["a comma too many", '{"a":1,}'],
    ["a comment", '{"a":1 /* x */}'],
    ["two values", "{} {}"],
    ["single quotes", "{'a':1}"],
    ["a key that is no text", "{1:1}"],
    ["a line in a text", '"\n"'],
    ["a byte order mark", "\ufeff{}"],
    ["a number that is none", "[01]"],
  ])("refuses %s", (_name, text) => {
    expect(readJson(text)).toBeUndefined();
  });
});
