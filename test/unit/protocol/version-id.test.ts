import { describe, expect, it } from "vitest";

import { compareUtf8 } from "../../../src/bytes/text.ts";
import { parseQuery } from "../../../src/protocol/core/query.ts";
import { isVersionId, nextVersionId, readVersionId } from "../../../src/protocol/core/version-id.ts";
import { Seeded } from "../bytes/seeded.ts";
import { expectRefusal } from "./support.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

/** The ids of writes at these times, each after the one before. */
function chain(times: readonly number[]): string[] {
  const ids: string[] = [];
  for (const time of times) ids.push(nextVersionId(time, ids.at(-1)));
  return ids;
}

describe("version ids", () => {
  it("are 32 digits of base32hex at any time", () => {
    for (const time of [0, 1, NOW, Date.UTC(9999, 11, 31)]) {
      expect(nextVersionId(time, undefined)).toMatch(/^[0-9a-v]{32}$/);
      expect(isVersionId(nextVersionId(time, undefined))).toBe(true);
    }
  });

  it("sort newest first by their bytes", () => {
    const ids = chain([0, 1, 31, 32, 1023, 1024, NOW, NOW + 1, NOW + 1000, NOW + 31_536_000_000]);
    expect(ids.toSorted(compareUtf8)).toEqual(ids.toReversed());
  });

  it("sort by time even when the writers did not see each other", () => {
    const random = new Seeded(71);
    const times = Array.from({ length: 200 }, (_, index) => NOW + index * 1000 + random.below(1000));
    const ids = times.map((time) => nextVersionId(time, undefined));
    expect(ids.toSorted(compareUtf8)).toEqual(ids.toReversed());
  });

  it("keep the order of 10,000 writes in one millisecond", () => {
    const ids = chain(Array.from({ length: 10_000 }, () => NOW));
    expect(ids.toSorted(compareUtf8)).toEqual(ids.toReversed());
    expect(new Set(ids).size).toBe(10_000);
  });

  it("keep the order of writes when the clock goes back and forward again", () => {
    const random = new Seeded(72);
    const ids = chain(Array.from({ length: 2000 }, () => NOW + random.below(10_000_000) - 5_000_000));
    expect(ids.toSorted(compareUtf8)).toEqual(ids.toReversed());
    const [first = "", second = ""] = chain([NOW, 0]);
    expect(compareUtf8(second, first)).toBeLessThan(0);
  });

  it("return to the clock as soon as it is ahead", () => {
    const late = nextVersionId(NOW + 60_000, undefined);
    const [, caughtUp = ""] = chain([NOW + 60_000, NOW + 60_001]);
    const fresh = nextVersionId(NOW + 60_001, undefined);
    expect(caughtUp.slice(0, 13)).toBe(fresh.slice(0, 13));
    expect(caughtUp.slice(0, 13)).not.toBe(late.slice(0, 13));
  });

  it("differ for two writes of one moment after the same predecessor", () => {
    const previous = nextVersionId(NOW, undefined);
    const ids = Array.from({ length: 1000 }, () => nextVersionId(NOW, previous));
    expect(new Set(ids).size).toBe(1000);
    for (const id of ids) expect(compareUtf8(id, previous)).toBeLessThan(0);
  });
});

describe("the form of a version id", () => {
  it.each([
    "",
    "null",
    "0".repeat(31),
    "0".repeat(33),
    "w".repeat(32),
    "V".repeat(32),
    `${"0".repeat(31)}-`,
    `${"0".repeat(32)}\n`,
    ` ${"0".repeat(31)}`,
    "é".repeat(32),
    "L4kqtJlcpXroDTDmpUMLUo".padEnd(32, "x"),
  ])("is not %j", (text) => expect(isVersionId(text)).toBe(false));

  it("is 32 digits", () => expect(isVersionId("0123456789abcdefghijklmnopqrstuv")).toBe(true));
});

describe("the parameter versionId", () => {
  it("is an id, null, or missing", () => {
    const id = nextVersionId(NOW, undefined);
    expect(readVersionId(parseQuery(`versionId=${id}`))).toBe(id);
    expect(readVersionId(parseQuery("versionId=null"))).toBe("null");
    expect(readVersionId(parseQuery("versionid=x&version=y"))).toBeUndefined();
  });

  it.each(["versionId", "versionId="])("is rejected when empty: ?%s", (query) =>
    expectRefusal(() => readVersionId(parseQuery(query)), "InvalidArgument", 400, {
      fields: { ArgumentName: "versionId", ArgumentValue: "" },
      message: "Version id cannot be the empty string",
    }),
  );

  it.each(["x", "NULL", "undefined", "0".repeat(31), "' OR 1=1 --", "a".repeat(2000)])(
    "is rejected when malformed: %s",
    (text) =>
      expectRefusal(() => readVersionId(parseQuery(`versionId=${encodeURIComponent(text)}`)), "InvalidArgument", 400, {
        fields: { ArgumentName: "versionId", ArgumentValue: text },
        message: "Invalid version id specified",
      }),
  );
});
