// The life of unreferenced blobs: they stay for the recovery window and are then collected. Referenced blobs are not.
import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import worker from "../../src/worker.ts";
import { send, type RequestScope } from "../support/client.ts";
import { expectBytes, md5Base64, utf8 } from "../support/digests.ts";
import { d1With, r2With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { logLines } from "../support/jobs.ts";
import {
  expectNothingLeftOver,
  expectNothingMissing,
  storedStateOf,
  type StoredState,
} from "../support/stored-state.ts";

storeBodiesInBlobs();

const HOUR_MS = 3_600_000;

// The collector logs every run.
const log = vi.spyOn(console, "log");
const errorLog = vi.spyOn(console, "error");
beforeEach(() => {
  for (const spy of [log, errorLog]) spy.mockReset().mockImplementation(() => undefined);
});
afterEach(() => {
  for (const spy of [log, errorLog]) spy.mockReset();
});

/** Runs the scheduled handler as if the given number of hours had passed. */
async function tick(hours: number, scope: RequestScope = {}): Promise<void> {
  // Time moves back and forth here, and a pass is due once an hour.
  await env.DB.prepare("UPDATE jobs SET pass_began_at = 0").run();
  const execution = createExecutionContext();
  const scheduledTime = new Date(Date.now() + hours * HOUR_MS);
  const controller = createScheduledController({ scheduledTime, cron: "*/5 * * * *" });
  await worker.scheduled(controller, { ...env, ...scope });
  await waitOnExecutionContext(execution);
}

/** Settings under which garbage of other tests uses none of the collector's calls. */
const ALONE = { ORPHAN_SCAN: "false", LIFECYCLE: "false", SCRUB_MEGABYTES_PER_TICK: "0" };

/** A bucket with an object `current`, and the blobs of a replaced and of a deleted object. */
async function bucketWithGarbage(): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, { current: "replaced", deleted: "deleted" });
  await putAll(bucket, { current: "current" });
  await send("DELETE", `/${bucket}/deleted`);
  return bucket;
}

async function expectCollected(bucket: string): Promise<void> {
  const { objects, blobs, garbage } = await storedStateOf(bucket);
  expect(garbage).toEqual([]);
  expect(Object.keys(blobs)).toEqual([objects["current"]?.blob_id]);
  await expectBytes(await send("GET", `/${bucket}/current`), "current");
}

async function expectKept(bucket: string, before: StoredState): Promise<void> {
  expect(await storedStateOf(bucket)).toEqual(before);
  expect(before.garbage).toHaveLength(2);
  expect(Object.keys(before.blobs)).toHaveLength(3);
}

describe("garbage", () => {
  it("begins when an object is replaced or deleted", async () => {
    const begin = Date.now();
    const bucket = await bucketWithGarbage();
    const storedState = await storedStateOf(bucket);
    expect(storedState.garbage).toHaveLength(2);
    expectNothingLeftOver(storedState);
    for (const blobId of storedState.garbage) {
      const row = await env.DB.prepare("SELECT dropped_at FROM garbage WHERE blob_id = ?")
        .bind(blobId)
        .first<{ dropped_at: number }>();
      expect(row?.dropped_at).toBeGreaterThanOrEqual(begin);
      expect(row?.dropped_at).toBeLessThanOrEqual(Date.now());
      expect(await env.BLOBS.head(blobId)).not.toBeNull();
    }
  });

  it("excludes rejected uploads and current objects", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    await send("PUT", `/${bucket}/k`, { body: "y", headers: { "if-none-match": "*" } });
    await send("PUT", `/${bucket}/k`, { body: "y", headers: { "content-md5": md5Base64(utf8("z")) } });
    const storedState = await storedStateOf(bucket);
    expect(storedState.garbage).toEqual([]);
    expectNothingLeftOver(storedState);
  });

  it("excludes blobs that a copy refers to, until the copy is deleted too", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "shared" });
    const headers = { "x-amz-copy-source": `/${bucket}/a` };
    expect((await send("PUT", `/${bucket}/b`, { headers })).status).toBe(200);
    await send("DELETE", `/${bucket}/a`);
    expect((await storedStateOf(bucket)).garbage).toEqual([]);
    await tick(1000);
    await expectBytes(await send("GET", `/${bucket}/b`), "shared");
    await send("DELETE", `/${bucket}/b`);
    expect((await storedStateOf(bucket)).garbage).toHaveLength(1);
    await tick(1000);
    expect(await storedStateOf(bucket)).toEqual({ objects: {}, blobs: {}, garbage: [] });
  });
});

describe("the collector", () => {
  it("keeps garbage for the recovery window and then deletes it", async () => {
    const bucket = await bucketWithGarbage();
    const before = await storedStateOf(bucket);
    await tick(0);
    await expectKept(bucket, before);
    await tick(23.9);
    await expectKept(bucket, before);
    await tick(24.1);
    await expectCollected(bucket);
  });

  it("keeps it for the time of the setting", async () => {
    const bucket = await bucketWithGarbage();
    const before = await storedStateOf(bucket);
    await tick(47, { RECOVERY_WINDOW_HOURS: "48" });
    await expectKept(bucket, before);
    await tick(1.1, { RECOVERY_WINDOW_HOURS: "1" });
    await expectCollected(bucket);
  });

  it("keeps it for the default window when the setting is invalid", async () => {
    const bucket = await bucketWithGarbage();
    const before = await storedStateOf(bucket);
    for (const hours of ["0", "-1", "x", "1e9", "0.1"]) await tick(23, { RECOVERY_WINDOW_HOURS: hours });
    await expectKept(bucket, before);
  });

  it("is disabled by its setting", async () => {
    const bucket = await bucketWithGarbage();
    const before = await storedStateOf(bucket);
    await tick(1000, { GARBAGE_COLLECTION: "false" });
    await expectKept(bucket, before);
    await tick(1000);
    await expectCollected(bucket);
  });

  it.each(["dry-run", "fals"])("only counts under the setting %j", async (setting) => {
    const bucket = await bucketWithGarbage();
    const before = await storedStateOf(bucket);
    await tick(1000, { GARBAGE_COLLECTION: setting });
    await expectKept(bucket, before);
    const [line] = logLines("collect-garbage", log.mock.calls);
    expect(line).toMatchObject({ isPassOver: true, report: { due: 2 } });
    await tick(1000);
    await expectCollected(bucket);
  });

  it.each([
    { ORPHAN_SCAN: "off" },
    { LIFECYCLE: "no" },
    { REBUILD: "True" },
    { RECOVERY_WINDOW_HOURS: "1h" },
    { ORPHAN_AGE_HOURS: "-1" },
    { ORPHAN_SHARE_PERCENT: "5%" },
  ])("deletes nothing while another deletion setting is %j, and the log names it", async (setting) => {
    const bucket = await bucketWithGarbage();
    const before = await storedStateOf(bucket);
    await tick(1000, setting);
    await expectKept(bucket, before);
    const errors = errorLog.mock.calls.map(([line]) => String(line));
    expect(errors).toEqual([expect.stringContaining(Object.keys(setting).join())]);
    await tick(1000);
    await expectCollected(bucket);
  });

  it("never deletes current blobs, however often their object was replaced", async () => {
    const bucket = await freshBucket();
    for (let turn = 0; turn < 5; turn += 1) {
      await Promise.all(Array.from({ length: 5 }, (_, index) => putAll(bucket, { [`k${index}`]: `turn ${turn}` })));
      await tick(1000);
    }
    const storedState = await storedStateOf(bucket);
    expect(Object.keys(storedState.blobs)).toHaveLength(5);
    expectNothingLeftOver(storedState);
    for (let index = 0; index < 5; index += 1) {
      await expectBytes(await send("GET", `/${bucket}/k${index}`), "turn 4");
    }
  });

  it("finishes on the next run when it dies between the blobs and their rows", async () => {
    const bucket = await bucketWithGarbage();
    const before = await storedStateOf(bucket);
    const DB = d1With(async (sql, send_) => {
      if (sql.some((text) => text.includes("DELETE FROM garbage")))
        throw new Error("D1_ERROR: Network connection lost.");
      return send_();
    });
    await expect(tick(1000, { DB })).rejects.toThrow("Network connection lost");
    const halfway = await storedStateOf(bucket);
    expect(halfway.garbage).toEqual(before.garbage);
    expect(Object.keys(halfway.blobs)).toHaveLength(1);
    expectNothingMissing(halfway);
    await expectBytes(await send("GET", `/${bucket}/current`), "current");
    await tick(1000);
    await expectCollected(bucket);
  });

  it("has nothing left to do when the response to the deletion of rows is lost", async () => {
    const bucket = await bucketWithGarbage();
    const DB = d1With(async (sql, send_) => {
      const results = await send_();
      if (sql.some((text) => text.includes("DELETE FROM garbage")))
        throw new Error("D1_ERROR: Network connection lost.");
      return results;
    });
    await expect(tick(1000, { DB })).rejects.toThrow("Network connection lost");
    await tick(1000);
    await expectCollected(bucket);
  });

  it("keeps the rows when the blob store fails, so that the blobs are retried", async () => {
    const bucket = await bucketWithGarbage();
    const before = await storedStateOf(bucket);
    const BLOBS = r2With({ delete: () => Promise.reject(new Error("delete: Network connection lost.")) });
    await expect(tick(1000, { BLOBS })).rejects.toThrow("Network connection lost");
    await expectKept(bucket, before);
    await tick(1000);
    await expectCollected(bucket);
  });

  it("ignores blobs that are already missing, and runs twice at the same time safely", async () => {
    const bucket = await bucketWithGarbage();
    const [first = ""] = (await storedStateOf(bucket)).garbage;
    await env.BLOBS.delete(first);
    await Promise.all([tick(1000), tick(1000), tick(1000)]);
    await expectCollected(bucket);
  });

  it("works through a backlog in bounded ticks and logs the amount", async () => {
    await tick(10_000);
    const prefix = `backlog-${crypto.randomUUID()}/`;
    const ids = Array.from({ length: 5200 }, (_, index) => `${prefix}${index}`);
    await env.DB.prepare("INSERT INTO garbage SELECT value, 0 FROM json_each(?)").bind(JSON.stringify(ids)).run();
    const left = async () =>
      (await env.DB.prepare("SELECT count(*) AS n FROM garbage WHERE blob_id LIKE 'backlog-%'").first<{ n: number }>())
        ?.n;
    log.mockClear();
    await tick(10_000, { JOB_CALLS_PER_TICK: "40", ...ALONE });
    const remaining = (await left()) ?? 0;
    expect(remaining).toBeGreaterThan(3000);
    expect(remaining).toBeLessThan(5200);
    const expected = { isPassOver: false, report: { collected: 5200 - remaining } };
    expect(logLines("collect-garbage", log.mock.calls)).toMatchObject([expected]);
    await tick(10_000);
    expect(await left()).toBe(0);
  });
});
