import { describe, expect, it } from "vitest";

import { contentRange, resolveRange } from "../../../src/protocol/core/range.ts";
import { expectQuick } from "../../support/quick.ts";
import { errorOf, expectError } from "./support.ts";

const LARGE = 5 * 1024 ** 4;

describe("a range", () => {
  it.each([
    ["bytes=0-0", 100, 0, 1],
    ["bytes=0-99", 100, 0, 100],
    ["bytes=10-19", 100, 10, 10],
    ["bytes=99-99", 100, 99, 1],
    ["bytes=99-", 100, 99, 1],
    ["bytes=0-", 100, 0, 100],
    ["bytes=50-", 100, 50, 50],
    ["bytes=-1", 100, 99, 1],
    ["bytes=-100", 100, 0, 100],
    ["bytes=-101", 100, 0, 100],
    ["bytes=-99999999999999999999", 100, 0, 100],
    ["bytes=90-100", 100, 90, 10],
    ["bytes=90-1000000", 100, 90, 10],
    ["bytes=0-99999999999999999999", 100, 0, 100],
    ["bytes=007-009", 100, 7, 3],
    ["Bytes=0-9", 100, 0, 10],
    [" bytes=0-9 ", 100, 0, 10],
    ["bytes=0-0", 1, 0, 1],
    ["bytes=-1", 1, 0, 1],
    [`bytes=${LARGE - 1}-`, LARGE, LARGE - 1, 1],
    [`bytes=4294967296-4294967297`, LARGE, 4_294_967_296, 2],
  ])("%j of %i bytes", (header, size, offset, length) => {
    expect(resolveRange(header, size)).toEqual({ offset, length });
  });

  it.each([
    "bytes=1-0",
    "bytes=99-10",
    "bytes=0-1,5-6",
    "bytes=0-1, 5-6",
    "bytes=0-1,",
    "bytes=,0-1",
    "bytes=",
    "bytes=-",
    "bytes",
    "",
    "0-1",
    "items=0-1",
    "byte=0-1",
    "bytes:0-1",
    "bytes=a-b",
    "bytes=0-b",
    "bytes=0x0-0x9",
    "bytes=0-1.5",
    "bytes=1e1-2e1",
    "bytes=+0-1",
    "bytes=--1",
    "bytes=-1-",
    "bytes=-1-5",
    "bytes=0--1",
    "bytes=0 - 1",
    "bytes=０-１",
    "bytes=0-1;q=1",
  ])("is as if it were not there where it is malformed or none that is served: %j", (header) => {
    expect(resolveRange(header, 100)).toBeUndefined();
    expect(resolveRange(header, 0)).toBeUndefined();
  });

  it("is ignored when absent", () => expect(resolveRange(undefined, 100)).toBeUndefined());

  it.each([
    ["bytes=100-", 100],
    ["bytes=100-200", 100],
    ["bytes=101-", 100],
    ["bytes=-0", 100],
    ["bytes=99999999999999999999-", 100],
    ["bytes=99999999999999999999-99999999999999999999", 100],
    ["bytes=0-0", 0],
    ["bytes=0-", 0],
    ["bytes=-1", 0],
    ["bytes=-0", 0],
  ])("%j of %i bytes holds none of them: 416", (header, size) => {
    const error = errorOf(() => resolveRange(header, size));
    expectError(error, "InvalidRange", 416, { fields: { RangeRequested: header, ActualObjectSize: size } });
    expect(error.headers).toEqual({ "Content-Range": `bytes */${size}` });
  });

  it("agrees with a naive parser on every small range", () => {
    const size = 4;
    for (let first = 0; first < 7; first += 1) {
      for (let last = 0; last < 7; last += 1) {
        const wanted = [0, 1, 2, 3].filter((index) => index >= first && index <= last);
        const header = `bytes=${first}-${last}`;
        if (last < first) expect(resolveRange(header, size)).toBeUndefined();
        else if (wanted.length === 0) expect(errorOf(() => resolveRange(header, size)).status).toBe(416);
        else expect(resolveRange(header, size)).toEqual({ offset: wanted[0], length: wanted.length });
      }
    }
  });

  it.each([
    ["digits", "1".repeat(100_000)],
    ["zeros", `bytes=${"0".repeat(100_000)}x`],
    ["digits on both sides", `bytes=${"1".repeat(50_000)}-${"1".repeat(50_000)}x`],
    ["spaces", " ".repeat(100_000)],
    ["spaces before the unit", `${" ".repeat(100_000)}x`],
    ["spaces after the unit", `bytes${" ".repeat(100_000)}x`],
    ["spaces at the end", `bytes=0-1${" ".repeat(100_000)}x`],
    ["ranges", `bytes=${"0-1,".repeat(25_000)}`],
    ["hyphens", `bytes=${"-".repeat(100_000)}`],
    ["units", "bytes=".repeat(16_000)],
  ])("of 100 KB of %s is refused quickly", (_what, header) => {
    expectQuick(() => expect(resolveRange(header, 100)).toBeUndefined());
  });
});

describe("Content-Range", () => {
  it.each([
    [0, 1, 1, "bytes 0-0/1"],
    [0, 10, 100, "bytes 0-9/100"],
    [99, 1, 100, "bytes 99-99/100"],
    [LARGE - 1, 1, LARGE, "bytes 5497558138879-5497558138879/5497558138880"],
  ])("of offset %i and length %i in %i bytes", (offset, length, size, text) => {
    expect(contentRange({ offset, length }, size)).toBe(text);
  });
});
