// Packing and compaction of small blobs, whole and cut off at each step.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { compactPacks } from "../../src/jobs/compact-packs.ts";
import { packSmallBlobs } from "../../src/jobs/pack-small-blobs.ts";
import { scanOrphans } from "../../src/jobs/scan-orphans.ts";
import { scrub } from "../../src/jobs/scrub/scrub.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send, type RequestScope } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { connectionLost, d1With, r2With } from "../support/faults.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { INLINE, smallBlobsOf } from "../support/inline.ts";
import { runPass, type Pass } from "../support/jobs.ts";
import { bucketId, storedStateOf } from "../support/stored-state.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Other tests leave orphans in the shared store; a scan deletes none beyond its share. */
const SHARED = { ORPHAN_SHARE_PERCENT: "100" };
/** A time within the day at which no complete pass begins. */
const NOON = Math.ceil(Date.now() / DAY_MS) * DAY_MS + 12 * HOUR_MS;

async function putSmall(bucket: string, objects: Readonly<Record<string, string>>): Promise<void> {
  for (const [key, body] of Object.entries(objects)) {
    expect((await send("PUT", `/${bucket}/${key}`, { body }, INLINE)).status).toBe(200);
  }
}

async function expectReads(bucket: string, objects: Readonly<Record<string, string>>): Promise<void> {
  for (const [key, body] of Object.entries(objects)) {
    for (const headers of [{}, { "cache-control": "no-store" }]) {
      const response = await send("GET", `/${bucket}/${key}`, { headers });
      expect(await response.text(), key).toBe(body);
    }
  }
}

async function packsOf(bucket: string): Promise<Record<string, unknown>[]> {
  const id = await bucketId(bucket);
  const { results } = await env.DB.prepare("SELECT * FROM packs WHERE pack_id > ? AND pack_id < ? ORDER BY pack_id")
    .bind(`${id}/`, `${id}0`)
    .all();
  return results;
}

async function storeHas(bucket: string): Promise<string[]> {
  return (await env.BLOBS.list({ prefix: `${await bucketId(bucket)}/` })).objects.map(({ key }) => key);
}

const pack = async (scope: RequestScope = {}, now = NOON): Promise<Pass> => runPass(packSmallBlobs, now, scope);
const THREE = { a: "alpha", b: "", c: "gamma ".repeat(100) };

describe("packing", () => {
  beforeEach(async () => {
    await pack();
  });

  it("moves the bytes of a bucket into one blob, where they are read with one round trip and one blob", async () => {
    const bucket = await freshBucket();
    await putSmall(bucket, THREE);
    expect((await pack()).report).toMatchObject({ packs: 1, packed: 3, bytes: 605 });
    const rows = await smallBlobsOf(bucket);
    expect(rows.map(({ length, pack_offset }) => [length, pack_offset])).toEqual([
      [5, 0],
      [0, 5],
      [600, 5],
    ]);
    expect(rows.every((row) => row.bytes === null && row.recovery_metadata === null)).toBe(true);
    const stored = await storeHas(bucket);
    expect(await packsOf(bucket)).toMatchObject([
      { pack_id: stored[0], size: 605, live_bytes: 605, live_blobs: 3, packed_to: rows[2]?.blob_id },
    ]);
    expect(stored).toHaveLength(1);
    const response = await send("GET", `/${bucket}/c`, { headers: { "cache-control": "no-store" } });
    expect(costOf(response)).toMatchObject({ roundTrips: 1, blobCalls: 1 });
    await response.text();
    const range = await send("GET", `/${bucket}/c`, { headers: { range: "bytes=-3" } });
    expect(await range.text()).toBe("ma ");
    await expectReads(bucket, THREE);
    expect((await send("GET", `/${bucket}/c`)).headers.get("x-cache")).toBe("HIT");
    await expectSoundReferences(bucket);
  });

  it("leaves young blobs, and takes them at once where the database is larger than the settings allow", async () => {
    const bucket = await freshBucket();
    await putSmall(bucket, THREE);
    const soon = Date.now() + 5 * 60_000;
    expect((await pack({}, soon)).report["packs"]).toBeUndefined();
    expect((await pack({ INLINE_DATABASE_GIGABYTES: "0" }, soon)).report["packed"]).toBe(3);
    await expectReads(bucket, THREE);
  });

  it("asks the database for its size before the first look", async () => {
    const bucket = await freshBucket();
    await putSmall(bucket, THREE);
    const grown = d1With(async (_sql, run) =>
      (await run()).map((result) => Object.assign(result, { meta: { ...result.meta, size_after: 8e9 } })),
    );
    const soon = Date.now() + 5 * 60_000;
    expect((await pack({ DB: grown, INLINE_DATABASE_GIGABYTES: "9" }, soon)).report["packs"]).toBeUndefined();
    expect((await pack({ DB: grown }, soon)).report["packed"]).toBe(3);
  });

  it("obeys INLINE_PACK_MINUTES", async () => {
    const bucket = await freshBucket();
    await putSmall(bucket, THREE);
    expect((await pack({ INLINE_PACK_MINUTES: "1" }, Date.now() + 90_000)).report["packed"]).toBe(3);
    expect(await storeHas(bucket)).toHaveLength(1);
  });

  it("leaves what was deleted to the garbage collector", async () => {
    const bucket = await freshBucket();
    await putSmall(bucket, THREE);
    await send("DELETE", `/${bucket}/c`);
    expect((await pack()).report["packed"]).toBe(2);
    await runPass(collectGarbage, NOON + 2 * DAY_MS);
    expect(await smallBlobsOf(bucket)).toHaveLength(2);
    await expectSoundReferences(bucket);
  });

  it("continues where the last pass ended, and once a day finds what was committed late", async () => {
    const bucket = await freshBucket();
    await putSmall(bucket, { a: "first" });
    const [late] = await smallBlobsOf(bucket);
    await putSmall(bucket, { b: "second" });
    // The pass skips garbage, like a commit that it cannot see yet.
    await env.DB.prepare("INSERT INTO garbage (blob_id, dropped_at) VALUES (?, 0)").bind(late?.blob_id).run();
    expect((await pack()).report["packed"]).toBe(1);
    await env.DB.prepare("DELETE FROM garbage WHERE blob_id = ?").bind(late?.blob_id).run();
    expect((await pack()).report["packed"]).toBeUndefined();
    expect((await pack({}, NOON + 12 * HOUR_MS)).report["packed"]).toBe(1);
    await putSmall(bucket, { c: "third" });
    expect((await pack()).report["packed"]).toBe(1);
    await expectReads(bucket, { a: "first", b: "second", c: "third" });
    await expectSoundReferences(bucket);
  });

  it("packs every bucket apart, and passes those without anything to pack", async () => {
    const buckets = [await freshBucket(), await freshBucket(), await freshBucket()];
    for (const bucket of buckets) await putSmall(bucket, THREE);
    expect((await pack()).report).toMatchObject({ packs: 3, packed: 9 });
    await putSmall(buckets[1] ?? "", { d: "delta" });
    const again = await pack();
    expect(again.report).toMatchObject({ packs: 1, packed: 1 });
    for (const bucket of buckets) await expectReads(bucket, THREE);
  });

  it("makes several packs of more blobs than one has", async () => {
    const bucket = await freshBucket();
    await putSmall(bucket, { a: "a" });
    const [row] = await smallBlobsOf(bucket);
    const prefix = row?.blob_id.slice(0, -8) ?? "";
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1499)
       INSERT INTO small_blobs (blob_id, length, recovery_metadata, bytes)
       SELECT ? || printf('%04d', i) || '-small', 3, '{}', 'YWJj' FROM n`,
    )
      .bind(prefix)
      .run();
    const pass = await pack();
    expect(pass.report).toMatchObject({ packs: 2, packed: 1500, bytes: 4498 });
    // No statement reads the table from its beginning.
    expect(pass.counts.d1RowsRead).toBeLessThan(20 * 1500);
    expect(pass.counts.d1RowsWritten).toBe(1502);
    expect((await packsOf(bucket)).map(({ live_blobs: blobs }) => blobs)).toEqual([1000, 500]);
    await env.DB.prepare("DELETE FROM small_blobs WHERE blob_id > ? AND blob_id < ?").bind(prefix, `${prefix}~`).run();
    await env.DB.prepare("DELETE FROM packs WHERE pack_id >= ?1 || '/' AND pack_id < ?1 || '0'")
      .bind(await bucketId(bucket))
      .run();
  });
});

describe("packing that is cut off", () => {
  beforeEach(async () => {
    await pack();
  });

  it.each([
    ["before the pack is stored", { BLOBS: r2With({ put: async () => Promise.reject(new Error("lost")) }) }, 0],
    [
      "after the pack is stored",
      {
        BLOBS: r2With({
          put: async (...call) => {
            await env.BLOBS.put(...call);
            throw new Error("lost");
          },
        }),
      },
      1,
    ],
    [
      "before the rows change",
      { DB: d1With(async (sql, run) => (sql.some(isCommit) ? Promise.reject(connectionLost()) : run())) },
      1,
    ],
    [
      "after the rows have changed",
      {
        DB: d1With(async (sql, run) => {
          const results = await run();
          if (sql.some(isCommit)) throw connectionLost();
          return results;
        }),
      },
      1,
    ],
  ])("%s leaves every object readable, and the next pass packs what is left", async (when, scope, stored) => {
    const bucket = await freshBucket();
    await putSmall(bucket, THREE);
    await expect(pack(scope)).rejects.toThrow();
    expect(await storeHas(bucket)).toHaveLength(stored);
    await expectReads(bucket, THREE);
    const isApplied = when === "after the rows have changed";
    expect((await pack()).report["packed"]).toBe(isApplied ? undefined : 3);
    await expectReads(bucket, THREE);
    const later = NOON + 4 * DAY_MS;
    await runPass(scanOrphans, later, SHARED);
    await runPass(scanOrphans, later + 2 * DAY_MS, SHARED);
    expect(await storeHas(bucket)).toHaveLength(1);
    await expectReads(bucket, THREE);
    await expectSoundReferences(bucket);
  });

  it("does not use a pack that the orphan scan is about to purge", async () => {
    const bucket = await freshBucket();
    await putSmall(bucket, THREE);
    const scope = {
      BLOBS: r2With({
        put: async (key, ...rest) => {
          await env.DB.prepare("INSERT INTO scan_tombstones (blob_id, condemned_at) VALUES (?, 0)").bind(key).run();
          return env.BLOBS.put(key, ...rest);
        },
      }),
    };
    await expect(pack(scope)).rejects.toThrow("blob condemned");
    expect((await pack()).report["packed"]).toBe(3);
    await expectReads(bucket, THREE);
  });

  it("keeps objects that are deleted while their pack is stored deleted", async () => {
    const bucket = await freshBucket();
    await putSmall(bucket, THREE);
    const scope = {
      BLOBS: r2With({
        put: async (...call) => {
          await send("DELETE", `/${bucket}/a`);
          await runPass(collectGarbage, NOON + 2 * DAY_MS);
          return env.BLOBS.put(...call);
        },
      }),
    };
    await pack(scope);
    expect(await packsOf(bucket)).toMatchObject([{ size: 605, live_bytes: 600, live_blobs: 2 }]);
    await expectSoundReferences(bucket);
  });
});

function isCommit(sql: string): boolean {
  return sql.includes("INSERT INTO packs");
}

describe("compaction", () => {
  /** A pack of which only `b` is in use. */
  async function sparsePack(): Promise<string> {
    const bucket = await freshBucket();
    await putSmall(bucket, { a: "a".repeat(100), b: "kept", c: "c".repeat(100) });
    await pack();
    for (const key of ["a", "c"]) await send("DELETE", `/${bucket}/${key}`);
    await runPass(collectGarbage, NOON + 2 * DAY_MS);
    expect(await packsOf(bucket)).toMatchObject([{ size: 204, live_bytes: 4, live_blobs: 1 }]);
    await expectSoundReferences(bucket);
    return bucket;
  }

  it("moves what is left of a mostly unused pack, and keeps the old one as long as D1 can be restored", async () => {
    const bucket = await sparsePack();
    const [old] = await storeHas(bucket);
    await runPass(compactPacks, NOON);
    const [compacted] = await packsOf(bucket);
    expect(compacted).toMatchObject({ size: 4, live_bytes: 4, live_blobs: 1 });
    expect(compacted?.["pack_id"]).not.toBe(old);
    await expectReads(bucket, { b: "kept" });
    await expectSoundReferences(bucket);
    await runPass(collectGarbage, NOON + 29 * DAY_MS);
    expect(await storeHas(bucket)).toHaveLength(2);
    await runPass(collectGarbage, NOON + 31 * DAY_MS);
    expect(await storeHas(bucket)).toEqual([compacted?.["pack_id"]]);
    await expectReads(bucket, { b: "kept" });
  });

  it("leaves packs that are mostly in use", async () => {
    const bucket = await freshBucket();
    await putSmall(bucket, THREE);
    await pack();
    await send("DELETE", `/${bucket}/a`);
    await runPass(collectGarbage, NOON + 2 * DAY_MS);
    const before = await packsOf(bucket);
    await runPass(compactPacks, NOON);
    expect(await packsOf(bucket)).toEqual(before);
  });

  it("releases a pack without any blob, which is purged after the recovery window", async () => {
    const bucket = await sparsePack();
    await send("DELETE", `/${bucket}/b`);
    await runPass(collectGarbage, NOON + 2 * DAY_MS);
    await runPass(compactPacks, NOON + 2 * DAY_MS);
    expect(await packsOf(bucket)).toEqual([]);
    await runPass(collectGarbage, NOON + 4 * DAY_MS);
    expect(await storedStateOf(bucket)).toEqual({ objects: {}, blobs: {}, garbage: [] });
  });

  it.each([
    ["before the rows change", false],
    ["after the rows have changed", true],
  ])("that is cut off %s loses nothing", async (_, isApplied) => {
    const bucket = await sparsePack();
    const scope = {
      DB: d1With(async (sql, run) => {
        if (!sql.some(isCommit)) return run();
        if (isApplied) await run();
        throw connectionLost();
      }),
    };
    await expect(runPass(compactPacks, NOON, scope)).rejects.toThrow();
    await expectReads(bucket, { b: "kept" });
    await runPass(compactPacks, NOON);
    await expectReads(bucket, { b: "kept" });
    await runPass(scanOrphans, NOON + 40 * DAY_MS, SHARED);
    await runPass(scanOrphans, NOON + 42 * DAY_MS, SHARED);
    await runPass(collectGarbage, NOON + 42 * DAY_MS);
    expect(await storeHas(bucket)).toHaveLength(1);
    await expectReads(bucket, { b: "kept" });
    await expectSoundReferences(bucket);
  });
});

describe("the scrub", () => {
  it("reports a small blob whose bytes in the pack are not those of its row", async () => {
    const bucket = await freshBucket();
    await putSmall(bucket, THREE);
    await pack();
    await env.DB.prepare("UPDATE objects SET etag = ?1 WHERE bucket_id = ?2 AND key = 'c'")
      .bind("0".repeat(32), await bucketId(bucket))
      .run();
    await runPass(scrub, NOON);
    const { results } = await env.DB.prepare("SELECT blob_id, finding FROM scrub_findings WHERE blob_id LIKE ?")
      .bind(`${await bucketId(bucket)}/%`)
      .all<{ blob_id: string; finding: string }>();
    expect(results).toEqual([
      { blob_id: (await smallBlobsOf(bucket))[2]?.blob_id, finding: expect.stringContaining("its MD5 is") },
    ]);
    await env.DB.prepare("DELETE FROM scrub_findings").run();
    await send("DELETE", `/${bucket}/c`);
  });

  it("reports a pack that is missing, as what its objects need", async () => {
    const bucket = await freshBucket();
    await putSmall(bucket, THREE);
    await pack();
    const [packId = ""] = await storeHas(bucket);
    await env.BLOBS.delete(packId);
    await runPass(scrub, NOON);
    const findings = await env.DB.prepare("SELECT finding FROM scrub_findings WHERE blob_id = ?")
      .bind(packId)
      .all<{ finding: string }>();
    expect(findings.results[0]?.finding).toContain("it is missing, and object");
    await env.DB.prepare("DELETE FROM scrub_findings WHERE blob_id = ?").bind(packId).run();
    for (const key of Object.keys(THREE)) await send("DELETE", `/${bucket}/${key}`);
    await runPass(collectGarbage, NOON + 2 * DAY_MS);
    await runPass(compactPacks, NOON + 2 * DAY_MS);
    await runPass(collectGarbage, NOON + 4 * DAY_MS);
  });
});
