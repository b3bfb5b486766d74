import { describe, expect, it } from "vitest";

import { checkDestinationDates, readRename } from "../../../src/protocol/objects/renaming.ts";
import { errorOf, putWith } from "./support.ts";

function read(source: string, key = "destination", headers: Readonly<Record<string, string>> = {}) {
  return readRename(putWith({ "x-amz-rename-source": source, ...headers }), "bucket", key);
}

describe("a rename's source", () => {
  it.each([
    ["a", ["a"]],
    ["/a", ["a"]],
    ["//a", ["/a"]],
    ["a/b", ["a/b"]],
    ["bucket/a", ["bucket/a", "a"]],
    ["/bucket/a", ["bucket/a", "a"]],
    ["other/a", ["other/a"]],
    ["a%20b", ["a b", "a%20b"]],
    ["bucket/a%20b", ["bucket/a b", "a b", "bucket/a%20b", "a%20b"]],
    ["bucket%2Fa", ["bucket/a", "a", "bucket%2Fa"]],
    ["a+b", ["a+b"]],
    ["100%", ["100%"]],
    ["a%ff", ["a%ff"]],
    ["src  a+é.txt", ["src  a+é.txt"]],
  ])("%j may mean %j", (source, candidates) => {
    expect(read(source).candidates).toEqual(candidates);
    expect(read(source).rawSource).toBe(source);
  });

  it.each([
    ["", "InvalidArgument"],
    ["/", "InvalidArgument"],
    ["a/", "InvalidRequest"],
    ["a%2F", "InvalidRequest"],
    ["bucket/", "InvalidRequest"],
    ["k".repeat(1025), "KeyTooLongError"],
  ])("%j is rejected with %s", (source, code) => {
    expect(errorOf(() => read(source)).code).toBe(code);
  });
});

describe("a rename", () => {
  it("is rejected onto a key that ends in a slash", () => {
    expect(errorOf(() => read("a", "b/")).code).toBe("InvalidRequest");
  });

  it("has a token of 1 to 64 printable ASCII characters without blanks", () => {
    expect(read("a").token).toBeUndefined();
    for (const token of ["!", "~".repeat(64)])
      expect(read("a", "b", { "x-amz-client-token": token }).token).toBe(token);
    for (const token of ["", "a b", "~".repeat(65), "é"]) {
      expect(errorOf(() => read("a", "b", { "x-amz-client-token": token })).code).toBe("InvalidArgument");
    }
  });

  it("can require an ETag and a missing destination, but not an excluded ETag", () => {
    expect(read("a", "b", { "if-match": "x", "if-none-match": "*" }).conditions).toEqual({
      ifMatch: "x",
      ifNoneMatch: "*",
    });
    expect(errorOf(() => read("a", "b", { "if-none-match": "x" })).code).toBe("InvalidRequest");
  });

  const DATE = "Thu, 01 Jan 2026 12:00:00 GMT";

  it("is selected by every header that is its parameter, and by no other", () => {
    const { parameters } = read("a", "b", {
      "if-match": "x",
      "if-unmodified-since": DATE,
      "x-amz-rename-source-if-match": "y",
      "x-amz-client-token": "t",
      "user-agent": "z",
    });
    expect(parameters).toEqual([
      ["if-match", "x"],
      ["if-unmodified-since", DATE],
      ["x-amz-rename-source-if-match", "y"],
    ]);
  });
});

describe("the dates of a destination", () => {
  const destination = { versionId: "v", etag: "e", size: 1, modifiedAt: Date.UTC(2026, 0, 1, 12, 0, 0, 900) };
  const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1, 12, 0, seconds)).toUTCString();
  const check = (name: string, date: string, subject: typeof destination | undefined) => {
    checkDestinationDates(read("a", "b", { [name]: date }), subject);
  };

  it("hold or fail at a precision of a second", () => {
    expect(() => check("if-unmodified-since", at(0), destination)).not.toThrow();
    expect(() => check("if-modified-since", at(-1), destination)).not.toThrow();
    expect(errorOf(() => check("if-modified-since", "no date", destination)).code).toBe("InvalidArgument");
    for (const [name, date] of [
      ["if-unmodified-since", at(-1)],
      ["if-modified-since", at(0)],
    ] as const) {
      expect(errorOf(() => check(name, date, destination)).code).toBe("PreconditionFailed");
    }
  });

  it("treat a free key as not modified", () => {
    expect(() => check("if-unmodified-since", at(-1), undefined)).not.toThrow();
    expect(errorOf(() => check("if-modified-since", at(-1), undefined)).fields).toEqual({
      Condition: "If-Modified-Since",
    });
  });
});
