import { describe, expect, it } from "vitest";

import {
  checkSourceConditions,
  readCopyRange,
  readCopySource,
  readDirective,
} from "../../../src/protocol/objects/copying.ts";
import { errorOf, expectRefusal, putWith } from "./support.ts";

const VERSION = "0".repeat(32);
const NOON = Date.UTC(2026, 0, 2, 12, 0, 0);
const SECOND = 1000;

describe("a copy's source", () => {
  it.each([
    ["bucket/key", "bucket", "key", undefined],
    ["/bucket/key", "bucket", "key", undefined],
    ["bucket/a/b//c/", "bucket", "a/b//c/", undefined],
    ["bucket//key", "bucket", "/key", undefined],
    ["bucket/a%20b%2Bc+d", "bucket", "a b+c d", undefined],
    ["bucket%2Fa%2Fb", "bucket", "a/b", undefined],
    ["bucket/100%", "bucket", "100%", undefined],
    ["bucket/%ff", "bucket", "%ff", undefined],
    ["bucket/é", "bucket", "é", undefined],
    ["bucket/%C3%A9", "bucket", "é", undefined],
    ["bucket/a?b", "bucket", "a?b", undefined],
    [`bucket/key?versionId=${VERSION}`, "bucket", "key", VERSION],
    ["bucket/key?versionId=null", "bucket", "key", "null"],
    ["bucket/a?versionId=1?versionId=null", "bucket", "a?versionId=1", "null"],
    ["bucket/a%3FversionId=x", "bucket", "a?versionId=x", undefined],
  ])("%j is %s, %j, %s", (header, bucketName, key, versionId) => {
    expect(readCopySource(putWith({ "x-amz-copy-source": header }))).toMatchObject({ bucketName, key, versionId });
  });

  it.each([
    ["bucket/a+b", "a b", "a+b"],
    ["/bucket/a+b%2Bc%20d?versionId=null", "a b+c d", "a+b+c d"],
    ["bucket%2Fa+%C3%BC", "a ü", "a+ü"],
    ["bucket/a%2Bb", "a+b", undefined],
    ["bucket/a%20b", "a b", undefined],
    ["bucket/100%+1", "100%+1", undefined],
  ])("%j means %j, or %j when only that exists", (header, key, literalKey) => {
    expect(readCopySource(putWith({ "x-amz-copy-source": header }))).toMatchObject({ key, literalKey });
  });

  it.each(["", "/", "bucket", "/bucket", "bucket/", "//key", "bucket/key?versionId=", "bucket/key?versionId=x"])(
    "%j is invalid",
    (header) => {
      const error = errorOf(() => readCopySource(putWith({ "x-amz-copy-source": header })));
      expect([error.code, error.fields]).toEqual([
        "InvalidArgument",
        { ArgumentName: "x-amz-copy-source", ArgumentValue: header },
      ]);
    },
  );

  it("rejects a key of more than 1024 bytes", () => {
    const error = errorOf(() => readCopySource(putWith({ "x-amz-copy-source": `bucket/${"k".repeat(1025)}` })));
    expect(error.code).toBe("KeyTooLongError");
  });
});

describe("conditions on a source", () => {
  const source = { etag: "abc", modifiedAt: NOON + 500 };
  const at = (offset: number): string => new Date(NOON + offset * SECOND).toUTCString();
  const check = (conditions: Readonly<Record<string, string>>, now = NOON + 10 * SECOND) => {
    const headers = Object.entries(conditions).map(([name, value]) => [`x-amz-copy-source-${name}`, value] as const);
    checkSourceConditions(putWith(Object.fromEntries<string>(headers)), source, now);
  };

  it.each([
    {},
    { "if-match": '"abc"' },
    { "if-match": "x, abc" },
    { "if-match": "*" },
    { "if-none-match": "x" },
    { "if-unmodified-since": at(0) },
    { "if-modified-since": at(-1) },
    { "if-modified-since": at(60) },
    { "if-match": "abc", "if-unmodified-since": at(-1) },
    { "if-none-match": "x", "if-modified-since": at(0) },
  ])("hold: %j", (conditions) => {
    expect(() => check(conditions)).not.toThrow();
  });

  it.each([
    { "if-modified-since": "no date" },
    { "if-unmodified-since": "no date" },
    { "if-match": '"abc"', "if-unmodified-since": "no date" },
    { "if-none-match": '"x' },
  ])("are rejected when malformed: %j", (conditions) => {
    expectRefusal(() => check(conditions), "InvalidArgument", 400);
  });

  it.each([
    [{ "if-match": "x" }, "If-Match"],
    [{ "if-none-match": "abc" }, "If-None-Match"],
    [{ "if-none-match": "*" }, "If-None-Match"],
    [{ "if-unmodified-since": at(-1) }, "If-Unmodified-Since"],
    [{ "if-modified-since": at(0) }, "If-Modified-Since"],
    [{ "if-match": "x", "if-none-match": "abc" }, "If-Match"],
    [{ "if-unmodified-since": at(-1), "if-none-match": "abc" }, "If-Unmodified-Since"],
  ])("fail: %j", (conditions, condition) => {
    const error = errorOf(() => check(conditions));
    expect([error.code, error.fields]).toEqual(["PreconditionFailed", { Condition: `x-amz-copy-source-${condition}` }]);
  });

  it("have names of their own in requests and in errors", () => {
    const request = putWith({ "x-amz-rename-source-if-modified-since": at(3600), "x-amz-copy-source-if-match": "x" });
    const error = errorOf(() =>
      checkSourceConditions(request, source, Number.POSITIVE_INFINITY, "x-amz-rename-source-", ""),
    );
    expect(error.fields).toEqual({ Condition: "If-Modified-Since" });
  });
});

describe("a directive", () => {
  it("is COPY by default and REPLACE in capitals only", () => {
    const name = "x-amz-metadata-directive";
    expect(readDirective(putWith({}), name)).toBe("COPY");
    expect(readDirective(putWith({ [name]: "COPY" }), name)).toBe("COPY");
    expect(readDirective(putWith({ [name]: "REPLACE" }), name)).toBe("REPLACE");
    for (const value of ["replace", "", "MERGE"]) {
      expect(errorOf(() => readDirective(putWith({ [name]: value }), name)).fields).toEqual({
        ArgumentName: name,
        ArgumentValue: value,
      });
    }
  });
});

describe("a range of a source", () => {
  const read = (value: string, size: number) => readCopyRange(putWith({ "x-amz-copy-source-range": value }), size);

  it("is from a first byte to a last one", () => {
    expect(readCopyRange(putWith({}), 10)).toBeUndefined();
    expect(read("bytes=0-9", 10)).toEqual({ offset: 0, length: 10 });
    expect(read("bytes=9-9", 10)).toEqual({ offset: 9, length: 1 });
    expect(read("bytes=5368709120-5368709121", 6_000_000_000)).toEqual({ offset: 5_368_709_120, length: 2 });
  });

  it.each([
    ["bytes=0-", "InvalidArgument"],
    ["bytes=-1", "InvalidArgument"],
    ["bytes=2-1", "InvalidArgument"],
    ["bytes=0-1,3-4", "InvalidArgument"],
    ["Bytes=0-1", "InvalidArgument"],
    ["0-1", "InvalidArgument"],
    ["", "InvalidArgument"],
    ["bytes=0-10", "InvalidArgument"],
    ["bytes=10-10", "InvalidRequest"],
    ["bytes=11-20", "InvalidRequest"],
  ])("%j of ten bytes is refused with %s", (value, code) => {
    expect(errorOf(() => read(value, 10)).code).toBe(code);
  });

  it("of an empty object is always past the end", () => {
    expect(errorOf(() => read("bytes=0-0", 0)).code).toBe("InvalidRequest");
  });
});
