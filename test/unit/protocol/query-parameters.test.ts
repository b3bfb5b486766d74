import { describe, expect, it } from "vitest";

import { parseQuery } from "../../../src/protocol/core/query.ts";
import { QueryParameters } from "../../../src/protocol/iam/query-parameters.ts";

function parametersOf(form: string): QueryParameters {
  return new QueryParameters(parseQuery(form).parameters);
}

describe("a call's parameters", () => {
  it("are found by their exact names, including prototype names", () => {
    const parameters = parametersOf("a=1&A=2&__proto__=3&constructor=&x=%C3%A9+%2B");
    expect(["a", "A", "__proto__", "constructor", "x", "toString"].map((name) => parameters.get(name))).toEqual([
      "1",
      "2",
      "3",
      "",
      "é +",
      undefined,
    ]);
  });

  it("must be unique", () => {
    expect(() => parametersOf("a=1&b=2&a=1")).toThrow(expect.objectContaining({ code: "MalformedQueryString" }));
  });

  it("are texts with a length and a pattern, reported by AWS's name", () => {
    const parameters = parametersOf("UserName=abc&Empty=");
    const rule = { max: 3, pattern: /^[a-c]+$/ };
    expect(parameters.text("UserName", rule)).toBe("abc");
    expect(parameters.optionalText("Missing", rule)).toBeUndefined();
    for (const [name, bound, said] of [
      ["Missing", rule, "'missing' failed to satisfy constraint: Member must not be null"],
      [
        "UserName",
        { max: 2 },
        "'userName' failed to satisfy constraint: Member must have length less than or equal to 2",
      ],
      ["Empty", rule, "'empty' failed to satisfy constraint: Member must have length greater than or equal to 1"],
      ["UserName", { max: 3, pattern: /^(?:x|y)$/ }, "regular expression pattern: x|y"],
    ] as const) {
      expect(() => parameters.text(name, bound)).toThrow(said);
    }
    expect(parameters.text("Empty", { min: 0, max: 1 })).toBe("");
  });

  it("are whole numbers within bounds", () => {
    const number = (text: string) => parametersOf(`N=${text}`).optionalNumber("N", -5, 10);
    expect([number("10"), number("-5"), number("007")]).toEqual([10, -5, 7]);
    expect(parametersOf("").optionalNumber("N", 0, 1)).toBeUndefined();
    for (const text of ["11", "-6", "", "1.0", "1e1", "0x1", "%201", "9".repeat(20), "NaN"]) {
      expect(() => number(text), text).toThrow(expect.objectContaining({ code: "ValidationError" }));
    }
  });

  it("are lists, ordered by number and not by arrival", () => {
    const parameters = parametersOf(
      "T.member.10.Key=c&T.member.2.Key=b&T.member.2.Value=v&T.member.1.Key=a&T.member.x.Key=z&Tx.member.1.Key=z&T=&T.member.1.Key.More=m",
    );
    const members = parameters.members("T");
    expect(members.map((member) => [member.get("Key"), member.get("Value"), member.get("Key.More")])).toEqual([
      ["a", undefined, "m"],
      ["b", "v", undefined],
      ["c", undefined, undefined],
    ]);
    expect(
      parametersOf("K.member.1=a&K.member.2=b")
        .members("K")
        .map((member) => member.get("")),
    ).toEqual(["a", "b"]);
    expect(parametersOf("T=").members("T")).toEqual([]);
  });

  it("that must not be ignored are rejected, single or as lists", () => {
    const refuse = (form: string) => () => parametersOf(form).refuse(["Tags", "Boundary"], "not here.");
    expect(refuse("Tag=x&Tagsx=y")).not.toThrow();
    expect(refuse("Tags.member.1.Key=x")).toThrow("Tags: not here.");
    expect(refuse("Boundary=")).toThrow("Boundary: not here.");
  });
});
