import { describe, expect, it } from "vitest";

import {
  formatAmzDate,
  formatHttpDate,
  formatIsoDate,
  parseAmzDate,
  parseHttpDate,
  parseIsoDate,
} from "../../../src/bytes/dates.ts";
import { expectQuick } from "../../support/quick.ts";
import { Seeded } from "./seeded.ts";

const MOMENT = Date.UTC(2026, 0, 2, 3, 4, 5);

function moments(): number[] {
  const random = new Seeded(9);
  const some = Array.from({ length: 300 }, () => random.below(4_102_444_800) * 1000);
  return [0, MOMENT, Date.UTC(2024, 1, 29), Date.UTC(2000, 1, 29, 23, 59, 59), Date.UTC(9999, 11, 31), ...some];
}

describe("an HTTP date", () => {
  it("is written in RFC 9110's preferred format, rounded down to seconds", () => {
    expect(formatHttpDate(MOMENT)).toBe("Fri, 02 Jan 2026 03:04:05 GMT");
    expect(formatHttpDate(MOMENT + 999)).toBe("Fri, 02 Jan 2026 03:04:05 GMT");
  });

  it("round-trips every moment", () => {
    for (const moment of moments()) expect(parseHttpDate(formatHttpDate(moment))).toBe(moment);
  });

  it.each([
    "Fri, 02 Jan 2026 03:04:05 UTC",
    "Fri, 02 Jan 2026 03:04:05 +0000",
    "Fri, 02 Jan 2026 03:04:05 -0000",
    "Fri, 2 Jan 2026 03:04:05 GMT",
    " Fri, 02 Jan 2026 03:04:05 GMT ",
    "Friday, 02-Jan-26 03:04:05 GMT",
    "Friday, 2-Jan-26 03:04:05 -0000",
    "Fri Jan  2 03:04:05 2026",
    "Fri Jan 2 03:04:05 2026",
    "Fri Jan 02 03:04:05 2026",
  ])("is read from %j", (text) => expect(parseHttpDate(text)).toBe(MOMENT));

  it.each([
    ["26", 2026],
    ["76", 2076],
    ["77", 1977],
    ["99", 1999],
    ["00", 2000],
  ])("of RFC 850 with the year %s is of %i, where 2026 is now", (year, full) => {
    expect(parseHttpDate(`Sunday, 06-Nov-${year} 08:49:37 GMT`, MOMENT)).toBe(Date.UTC(full, 10, 6, 8, 49, 37));
  });

  it.each([
    "",
    "Fri, 31 Feb 2026 03:04:05 GMT",
    "Fri, 29 Feb 2026 03:04:05 GMT",
    "Fri, 00 Jan 2026 03:04:05 GMT",
    "Fri, 32 Jan 2026 03:04:05 GMT",
    "Fri, 02 Foo 2026 03:04:05 GMT",
    "Fri, 02 jan 2026 03:04:05 GMT",
    "Fri, 02 Jan 2026 24:00:00 GMT",
    "Fri, 02 Jan 2026 03:60:05 GMT",
    "Fri, 02 Jan 2026 03:04:60 GMT",
    "Fri, 02 Jan 0026 03:04:05 GMT",
    "Fri, 02 Jan 26 03:04:05 GMT",
    "Fri, 002 Jan 2026 03:04:05 GMT",
    "Friday, 02-Jan-2026 03:04:05 GMT",
    "Friday, 31-Feb-26 03:04:05 GMT",
    "Fri, 02-Jan-26 03:04:05 GMT",
    "Fri Jan  2 03:04:05 2026 GMT",
    "Fri Jan   2 03:04:05 2026",
    "Fri Feb 30 03:04:05 2026",
    "Xyz, 02 Jan 2026 03:04:05 GMT",
    "02 Jan 2026 03:04:05 GMT",
    "Fri, 02 Jan 2026 03:04:05 PST",
    "Fri, 02 Jan 2026 03:04:05 +0100",
    "Fri, 02 Jan 2026 03:04:05",
    "Fri, 02 Jan 2026 03:04:05 GMT, Fri, 02 Jan 2026 03:04:05 GMT",
    "2026-01-02T03:04:05Z",
    "1767323045",
    "tomorrow",
  ])("is refused: %j", (text) => expect(parseHttpDate(text)).toBeUndefined());
});

describe("an ISO date", () => {
  it("is written with milliseconds", () => {
    expect(formatIsoDate(MOMENT)).toBe("2026-01-02T03:04:05.000Z");
    expect(formatIsoDate(MOMENT + 7)).toBe("2026-01-02T03:04:05.007Z");
  });

  it("equals the runtime's format, after any other day", () => {
    const far = [-1, -86_400_000, -62_198_755_200_000, 253_402_300_800_000, 8_640_000_000_000_000];
    const random = new Seeded(10);
    const days = Array.from({ length: 500 }, () => 86_400_000 * random.below(40_000) + random.below(86_400_000));
    const ends = days.flatMap((time) => {
      const midnight = Math.floor(time / 86_400_000) * 86_400_000;
      return [midnight - 1, midnight, midnight + 1];
    });
    for (const time of [...moments(), ...far, ...days, ...ends]) {
      expect(formatIsoDate(time)).toBe(new Date(time).toISOString());
    }
    expect(() => formatIsoDate(Number.NaN)).toThrow(RangeError);
  });

  it("round-trips every moment, to the millisecond", () => {
    for (const moment of moments()) expect(parseIsoDate(formatIsoDate(moment))).toBe(moment);
    for (let millisecond = 0; millisecond < 1000; millisecond += 1) {
      expect(parseIsoDate(formatIsoDate(MOMENT + millisecond))).toBe(MOMENT + millisecond);
    }
  });

  it.each([
    ["2026-01-02T03:04:05Z", 0],
    ["2026-01-02T03:04:05.1Z", 100],
    ["2026-01-02T03:04:05.12Z", 120],
    ["2026-01-02T03:04:05.123999Z", 123],
    ["2026-01-02T03:04:05.000999999Z", 0],
  ])("is parsed from %s", (text, milliseconds) => expect(parseIsoDate(text)).toBe(MOMENT + milliseconds));

  it.each([
    "",
    "1",
    "2026",
    "2026-01-02",
    "2026-13-02T03:04:05Z",
    "2026-00-02T03:04:05Z",
    "2026-02-31T03:04:05Z",
    "2026-01-02T24:00:00Z",
    "2026-01-02T03:60:05Z",
    "2026-01-02T03:04:61Z",
    "0026-01-02T03:04:05Z",
    "2026-01-02T03:04:05",
    "2026-01-02T03:04:05+01:00",
    "2026-01-02 03:04:05Z",
    "2026-01-02T03:04:05.Z",
    "20260102T030405Z",
    " 2026-01-02T03:04:05Z",
    "+012026-01-02T03:04:05Z",
  ])("is refused: %j", (text) => expect(parseIsoDate(text)).toBeUndefined());
});

describe("an x-amz-date", () => {
  it("is written without punctuation and fraction", () => {
    expect(formatAmzDate(MOMENT)).toBe("20260102T030405Z");
    expect(formatAmzDate(MOMENT + 999)).toBe("20260102T030405Z");
  });

  it("round-trips every moment", () => {
    for (const moment of moments()) expect(parseAmzDate(formatAmzDate(moment))).toBe(moment);
  });

  it.each([
    "",
    "20261302T030405Z",
    "20260002T030405Z",
    "20260231T030405Z",
    "20260229T030405Z",
    "20260100T030405Z",
    "20260102T240000Z",
    "20260102T036005Z",
    "20260102T030460Z",
    "00260102T030405Z",
    "20260102T030405",
    "20260102t030405z",
    "20260102T030405Z ",
    " 20260102T030405Z",
    "20260102T030405Z\n",
    "2026-01-02T03:04:05Z",
    "020260102T030405Z",
    "２0260102T030405Z",
  ])("is refused: %j", (text) => expect(parseAmzDate(text)).toBeUndefined());
});

describe("the time to reject a date", () => {
  it.each([
    ["digits", "1".repeat(100_000)],
    ["spaces", " ".repeat(100_000)],
    ["a date and spaces", `Fri, 02 Jan 2026 03:04:05 GMT${" ".repeat(100_000)}x`],
    ["a long fraction", `2026-01-02T03:04:05.${"1".repeat(100_000)}`],
  ])("stays short for 100 KB of %s", (_what, text) => {
    expectQuick(() =>
      expect([parseHttpDate(text), parseIsoDate(text), parseAmzDate(text)]).toEqual([undefined, undefined, undefined]),
    );
  });
});
