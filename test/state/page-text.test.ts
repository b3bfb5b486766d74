import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { Counts } from "../../src/state/d1/counts.ts";
import { Database, statement } from "../../src/state/d1/database.ts";
import { optionalText, pageText } from "../../src/state/listings/page-text.ts";

const COLUMNS = ["size", "type"];
const QUERY = `SELECT value ->> 0 AS key, value ->> 1 AS is_common_prefix, value ->> 2 AS size, value ->> 3 AS type
  FROM json_each(?1) ORDER BY id`;

type Entry = readonly [name: string, isCommonPrefix: 0 | 1, size: number | null, type: string | null];

/** Reads entries from D1 as one text. */
async function readBack(entries: readonly Entry[]): Promise<string[][]> {
  const page = pageText({ ...statement(QUERY, JSON.stringify(entries)), columns: COLUMNS });
  const [result] = await new Database(env.DB, new Counts()).batch([page.statement]);
  return page.read(result);
}

describe("a page as text", () => {
  it("has the columns, the kind and the name of each entry in order", async () => {
    const entries: Entry[] = [
      ["a", 0, 5, "FULL_OBJECT"],
      ["b/", 1, 7, null],
      ["y", 0, null, null],
      ["z", 0, 0, null],
    ];
    expect(await readBack(entries)).toEqual([
      ["5", "FULL_OBJECT", "0", "a"],
      ["1", "b/"],
      ["", "", "0", "y"],
      ["0", "", "0", "z"],
    ]);
  });

  it("without entries is empty", async () => expect(await readBack([])).toEqual([]));

  it("returns keys with every ASCII character, line breaks and NUL among them, unchanged", async () => {
    const keys = Array.from({ length: 128 }, (_, code) => {
      const character = String.fromCharCode(code);
      return [character, `${character}a`, `a${character}`, `a${character}${character}b`];
    }).flat();
    const text = await readBack(keys.map((key) => [key, 0, 1, "t"]));
    expect(text.map((fields) => fields.at(-1))).toEqual(keys);
  });

  it("returns keys that imitate a separator unchanged", async () => {
    const keys = [
      "\n",
      "\n\n",
      "\n0\n",
      "1\n\n0\nx",
      "\u007f0000000000000000\u007f",
      "\u007f",
      "\u007f\u007f0\u007f",
      "1a",
      "\u007fvvvvvvvvvvvvvvvv\u007f1\u007f\u007f0\u007fz",
      "\u{1f600}\n",
    ];
    const text = await readBack(keys.map((key) => [key, 0, 1, null]));
    expect(text).toEqual(keys.map((key) => ["1", "", "0", key]));
  });

  it("uses a separator that differs between pages", () => {
    const [first, second] = [1, 2].map(() => pageText({ ...statement("SELECT 1"), columns: [] }).statement);
    expect(first?.sql).toBe(second?.sql);
    expect(first?.parameters).not.toEqual(second?.parameters);
  });

  it("of 1001 keys with 1024 bytes and long fields fits into one value of D1", async () => {
    const entries = Array.from({ length: 1001 }, (_, index): Entry => {
      const key = `${String(index).padStart(4, "0")}${"\u0001".repeat(1020)}`;
      return [key, 0, Number.MAX_SAFE_INTEGER, "t".repeat(300)];
    });
    const text = await readBack(entries);
    expect(text.map((fields) => fields.at(-1))).toEqual(entries.map(([key]) => key));
    expect(new TextEncoder().encode(text.map((fields) => fields.join("\n")).join("-".repeat(18))).length).toBeLessThan(
      2e6,
    );
  });
});

describe("an optional column", () => {
  it("is undefined when it is empty", () => {
    expect(optionalText("")).toBeUndefined();
    expect(optionalText("CRC32")).toBe("CRC32");
  });
});
