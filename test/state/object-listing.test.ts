import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { compareUtf8 } from "../../src/bytes/text.ts";
import { commonPrefixOf, lastListed, pageAfter, type ListingScope } from "../../src/protocol/listings/listing.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import { lookUpObjectPage } from "../../src/state/listings/object-listing.ts";

async function insertKeys(bucket: string, keys: readonly string[]): Promise<void> {
  await env.DB.prepare("INSERT INTO buckets (name, id, owner_id, region, created_at) VALUES (?1, ?1, 'o', 'r', 0)")
    .bind(bucket)
    .run();
  for (let start = 0; start < keys.length; start += 5000) {
    await env.DB.prepare(
      `INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, storage_class)
       SELECT ?1, value, value, 1, 1, 'e', 0, 'o', 'STANDARD' FROM json_each(?2)`,
    )
      .bind(bucket, JSON.stringify(keys.slice(start, start + 5000)))
      .run();
  }
}

/** Lists a bucket page by page and returns every entry, with prefixes marked. */
async function listAll(bucket: string, scope: ListingScope, pageSize: number, counts = new Counts()) {
  const database = new Database(env.DB, counts);
  const shown: string[] = [];
  let marker = "";
  for (;;) {
    const { entries, isTruncated } = await database.look(lookUpObjectPage(bucket, pageAfter(marker, scope, pageSize)));
    shown.push(
      ...entries.map((entry) => ("commonPrefix" in entry ? `prefix:${entry.commonPrefix}` : entry.object.key)),
    );
    const last = lastListed(entries);
    if (!isTruncated || last === undefined) return shown;
    marker = last;
  }
}

/** The expected listing, computed over all keys. */
function expected(keys: readonly string[], scope: ListingScope): string[] {
  const shown = new Set<string>();
  for (const key of keys.toSorted(compareUtf8)) {
    if (!key.startsWith(scope.prefix)) continue;
    const prefix = commonPrefixOf(key, scope);
    shown.add(prefix === undefined ? key : `prefix:${prefix}`);
  }
  return Array.from(shown);
}

const PIECES = [
  "a",
  "b",
  "/",
  "//",
  "é",
  "\u{e000}",
  "\u{1f600}",
  "%",
  "_",
  "'",
  "A",
  "\u{10ffff}",
  "\u0001",
  "\ud7ff",
  " ",
];

function randomKeys(count: number, seed: number): string[] {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const keys = new Set<string>();
  while (keys.size < count) {
    keys.add(Array.from({ length: 1 + next(6) }, () => PIECES[next(PIECES.length)] ?? "a").join(""));
  }
  return Array.from(keys);
}

describe("a page of objects", () => {
  const keys = randomKeys(400, 7);
  beforeAll(() => insertKeys("listing-random", keys));

  const prefixes = ["", "a", "a/", "/", "é", "%", "_", "\u{10ffff}", "nothing"];
  const delimiters = ["", "/", "//", "a", "a/", "é", "\u{10ffff}", "\u{1f600}"];
  for (const prefix of prefixes) {
    for (const delimiter of delimiters) {
      it(`returns each key and prefix once, in byte order: prefix ${JSON.stringify(prefix)}, delimiter ${JSON.stringify(delimiter)}`, async () => {
        const scope = { prefix, delimiter };
        const wanted = expected(keys, scope);
        for (const pageSize of [1, 3, 1000]) {
          if (pageSize === 1 && wanted.length > 60) continue;
          expect(await listAll("listing-random", scope, pageSize)).toEqual(wanted);
        }
      });
    }
  }

  it("continues after a marker that is no key, and skips the common prefix that contains the marker", async () => {
    const database = new Database(env.DB, new Counts());
    await insertKeys("listing-markers", ["a", "b/1", "b/2", "c"]);
    const scope = { prefix: "", delimiter: "/" };
    const after = async (marker: string) =>
      (await database.look(lookUpObjectPage("listing-markers", pageAfter(marker, scope, 10)))).entries.map((entry) =>
        "commonPrefix" in entry ? entry.commonPrefix : entry.object.key,
      );
    expect(await after("aa")).toEqual(["b/", "c"]);
    expect(await after("b/1")).toEqual(["c"]);
    expect(await after("b/")).toEqual(["c"]);
    expect(await after("b")).toEqual(["b/", "c"]);
  });
});

describe("the cost of a page", () => {
  beforeAll(async () => {
    const keys: string[] = [];
    for (let prefix = 0; prefix < 10; prefix += 1) {
      for (let key = 0; key < 10_000; key += 1) keys.push(`p${prefix}/${String(key).padStart(6, "0")}`);
    }
    await insertKeys("listing-large", keys);
  });

  it("is tens of rows for 10 prefixes of 100,000 keys", async () => {
    const counts = new Counts();
    const shown = await listAll("listing-large", { prefix: "", delimiter: "/" }, 1000, counts);
    expect(shown).toHaveLength(10);
    const { d1RoundTrips, d1RowsRead, d1RowsWritten } = counts.snapshot();
    expect({ d1RoundTrips, d1RowsWritten }).toEqual({ d1RoundTrips: 1, d1RowsWritten: 0 });
    expect(d1RowsRead).toBeLessThan(100);
  });

  it("is one row per key without a delimiter, anywhere in the bucket", async () => {
    for (const [prefix, count] of [
      ["", 1000],
      ["p5/00500", 10],
      ["p9/", 1000],
    ] as const) {
      const counts = new Counts();
      const database = new Database(env.DB, counts);
      const page = pageAfter("", { prefix, delimiter: "" }, 1000);
      const { entries } = await database.look(lookUpObjectPage("listing-large", page));
      expect(entries).toHaveLength(count);
      expect(counts.snapshot().d1RoundTrips).toBe(1);
      expect(counts.snapshot().d1RowsRead).toBeLessThan(count * 1.1 + 20);
    }
  });

  it("is two or three rows per key with a delimiter", async () => {
    const counts = new Counts();
    const database = new Database(env.DB, counts);
    await database.look(lookUpObjectPage("listing-large", pageAfter("", { prefix: "p3/", delimiter: "/" }, 1000)));
    expect(counts.snapshot().d1RowsRead).toBeLessThan(5 * 1000 + 50);
  });
});
