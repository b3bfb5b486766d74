// Listings of snapshots against a naive model, and their cost after many later writes.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { WALK_MAX_KEYS } from "../../src/state/snapshots/snapshot-keys.ts";
import { send } from "../support/client.ts";
import { putAll } from "../support/fresh-bucket.ts";
import { bucketId } from "../support/stored-state.ts";
import { childrenOf, readXml, textOf } from "../support/read-xml.ts";
import { listAll, listPages, takeSnapshot } from "../support/snapshots.ts";
import { bodyOf, deleteKey, putVersion, removeVersion, versionedBucket, versionsOf } from "../support/versioning.ts";

/** The content of each key. */
type Contents = Map<string, string>;

const KEYS = ["a", "b/1", "b/2", "b/2/x", "b/", "b0", "c/d/e", "c/d/f", "c/g", "ä/1", "ä/2", "z", "zz/", "\u{10ffff}"];

/** Numbers from a fixed seed. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The expected entries: keys and common prefixes, each in byte order. */
function expectedEntries(contents: Contents, prefix: string, delimiter: string): string[] {
  const keys: string[] = [];
  const prefixes = new Set<string>();
  for (const key of Array.from(contents.keys()).toSorted()) {
    if (!key.startsWith(prefix)) continue;
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    if (at < 0) keys.push(key);
    else prefixes.add(key.slice(0, at + delimiter.length));
  }
  return [...keys, ...prefixes].toSorted();
}

/** The entries of all pages of the first version of ListObjects. */
async function listByMarkers(address: string, query: string): Promise<string[]> {
  const entries: string[] = [];
  let marker = "";
  for (;;) {
    const response = await send("GET", `/${address}?${query}&marker=${encodeURIComponent(marker)}`);
    const root = readXml(await response.text());
    const contents = childrenOf(root, "Contents").map((entry) => textOf(entry, "Key") ?? "");
    entries.push(...contents, ...childrenOf(root, "CommonPrefixes").map((entry) => textOf(entry, "Prefix") ?? ""));
    if (textOf(root, "IsTruncated") !== "true") return entries;
    marker = textOf(root, "NextMarker") ?? contents.at(-1) ?? "";
    expect(marker).not.toBe("");
  }
}

describe("listings of snapshots", () => {
  it.each([1, 2, 3])(
    "return the bucket's content at that time, after any history (%i)",
    async (seed) => {
      const random = seeded(seed);
      const bucket = await versionedBucket();
      const now: Contents = new Map();
      const snapshots = new Map<string, Contents>();
      for (let step = 0; step < 70; step += 1) {
        const key = KEYS[random(KEYS.length)] ?? "";
        const choice = random(10);
        if (choice < 5) {
          await putVersion(bucket, key, String(step));
          now.set(key, String(step));
        } else if (choice < 8) {
          await deleteKey(bucket, key);
          now.delete(key);
        } else if (choice < 9) {
          // The newest version can be purged when no snapshot shows it: the one before becomes current again.
          const [newest, before] = (await versionsOf(bucket)).filter((version) => version.key === key);
          if (newest === undefined) continue;
          const response = await send("DELETE", `/${bucket}/${encodeURIComponent(key)}?versionId=${newest.versionId}`);
          if (response.status !== 204) continue;
          if (before?.kind === "Version") now.set(key, await bodyOf(bucket, key));
          else now.delete(key);
        } else {
          snapshots.set(await takeSnapshot(bucket, `s${step}`), new Map(now));
        }
      }
      expect(snapshots.size).toBeGreaterThan(2);
      for (const [address, contents] of [...snapshots, [bucket, now] as const]) {
        for (const [prefix, delimiter] of [
          ["", ""],
          ["", "/"],
          ["b/", "/"],
          ["c/", "d"],
          ["ä", "/"],
          ["", "\u{10ffff}"],
          ["nothing", ""],
        ] as const) {
          const expected = expectedEntries(contents, prefix, delimiter);
          const query = `prefix=${encodeURIComponent(prefix)}&delimiter=${encodeURIComponent(delimiter)}`;
          for (const maxKeys of [1, 3, 1000]) {
            const pages = await listPages(address, `&${query}&max-keys=${maxKeys}`);
            expect(pages.flatMap(({ entries }) => entries.toSorted())).toEqual(expected);
            for (const page of pages) expect(page.cost.roundTrips).toBe(1);
          }
          expect((await listByMarkers(address, `${query}&max-keys=2`)).toSorted()).toEqual(expected);
        }
        for (const key of KEYS) expect(await bodyOf(address, key)).toBe(contents.get(key) ?? "404 NoSuchKey");
      }
    },
    120_000,
  );

  it("begin after a key, and are empty for max-keys 0", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { a: "", b: "", c: "" });
    const address = await takeSnapshot(bucket, "s");
    await deleteKey(bucket, "b");
    await putAll(bucket, { bb: "" });
    expect(await listAll(address, "&start-after=a")).toEqual(["b", "c"]);
    expect(await listAll(address, "&max-keys=0")).toEqual([]);
    const root = readXml(await (await send("GET", `/${address}?list-type=2`)).text());
    expect(textOf(root, "Name")).toBe(address);
  });

  it("have tokens of their own", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { a: "", b: "" });
    const address = await takeSnapshot(bucket, "s");
    const root = readXml(await (await send("GET", `/${bucket}?list-type=2&max-keys=1`)).text());
    const token = textOf(root, "NextContinuationToken") ?? "";
    const response = await send("GET", `/${address}?list-type=2&continuation-token=${token}`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("<Code>InvalidArgument</Code>");
  });
});

describe("the cost of listing a snapshot", () => {
  it("depends on the returned entries, however many versions each key has", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`k${index}`, ""])));
    const address = await takeSnapshot(bucket, "s");
    const before = (await listPages(address))[0]?.cost.rowsRead ?? 0;
    for (let version = 0; version < 8; version += 1) await putVersion(bucket, "k5", "");
    await removeVersion(bucket, "k5", await putVersion(bucket, "k5", ""));
    const after = (await listPages(address))[0]?.cost.rowsRead ?? 0;
    expect(before).toBeLessThan(30 * 10);
    expect(after - before).toBeLessThan(10);
  });

  it("is bounded when more keys were added since than a page reads, and no page is lost", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { "a-first": "", "m/shown": "", "m/shown-too": "", "z-last": "" });
    const address = await takeSnapshot(bucket, "s");
    const count = WALK_MAX_KEYS + 500;
    // PUTs would be slow: rows are copied from an existing one, with ids after the snapshot.
    await env.DB.prepare(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)
       INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, blob_id, storage_class)
       SELECT bucket_id, 'm/new-' || printf('%05d', n), '0' || substr(version_id, 2), 0, 0, etag, modified_at, owner_id,
         blob_id || n, storage_class
       FROM objects, numbers WHERE bucket_id = ?1 AND key = 'a-first'`,
    )
      .bind(await bucketId(bucket), count)
      .run();
    const expected = ["a-first", "m/shown", "m/shown-too", "z-last"];
    const pages = await listPages(address);
    expect(pages.length).toBe(2);
    expect(pages.flatMap(({ entries }) => entries)).toEqual(expected);
    for (const { cost } of pages) {
      expect(cost.roundTrips).toBe(1);
      expect(cost.rowsRead).toBeLessThan(12 * WALK_MAX_KEYS);
    }
    expect(await listByMarkers(address, "max-keys=1000")).toEqual(expected);
    // The page ends within a common prefix that has no visible key so far.
    const rolledUp = await listPages(address, "&delimiter=/");
    expect(rolledUp.flatMap(({ entries }) => entries).toSorted()).toEqual(["a-first", "m/", "z-last"]);
    expect((await listByMarkers(address, "delimiter=/")).toSorted()).toEqual(["a-first", "m/", "z-last"]);
    expect(await listAll(address, "&prefix=m/s")).toEqual(["m/shown", "m/shown-too"]);
    await env.DB.prepare("DELETE FROM objects WHERE bucket_id = ?1 AND key LIKE 'm/new%'")
      .bind(await bucketId(bucket))
      .run();
  });
});
