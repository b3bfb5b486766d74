// PutObject when its coordinator fails: the call is lost, the head is outdated, the instance is evicted.
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { mockErrorLog } from "../support/error-log.ts";
import { send } from "../support/client.ts";
import { expectBytes } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { callLost, coordinatorOf, coordinatorsWith, ONE_SHARD, r2With, withCoordinatorD1 } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNothingLeftOver, expectNothingMissing, storedStateOf } from "../support/stored-state.ts";
import { NEW_BYTES, UNKNOWN, bucketOfOne, expectObject, losing, put, remove } from "./faults-fixture.ts";

mockErrorLog();

/** Puts the object through another coordinator than the tests' one: with eight, the key has another than with one. */
async function putElsewhere(bucket: string, body: string): Promise<void> {
  expect((await send("PUT", `/${bucket}/k`, { body }, { COORDINATOR_SHARDS: "8" })).status).toBe(200);
}

describe("a PUT whose coordinator call is lost", () => {
  for (const when of ["before", "after"] as const) {
    it.each([1, 2])(`${when} the commit, %i times, is retried and committed once`, async (times) => {
      const bucket = await bucketOfOne();
      const { calls, COORDINATORS } = losing(when, times);
      expect((await put(bucket, { COORDINATORS })).status).toBe(200);
      expect(calls.made).toBe(times + 1);
      await expectObject(bucket, NEW_BYTES);
      const storedState = await storedStateOf(bucket);
      expect(storedState.garbage).toHaveLength(1);
      expectNothingLeftOver(storedState);
    });

    it(`${when} the commit with If-None-Match: *, does not conflict with its own object`, async () => {
      const bucket = await freshBucket();
      const { COORDINATORS } = losing(when, 1);
      expect((await put(bucket, { COORDINATORS }, { headers: { "if-none-match": "*" } })).status).toBe(200);
      await expectObject(bucket, NEW_BYTES);
    });
  }

  it("before the commit and on every retry, is unknown, and its blob remains", async () => {
    const bucket = await bucketOfOne();
    const { calls, COORDINATORS } = losing("before", 99);
    await expectS3Error(await put(bucket, { COORDINATORS }), UNKNOWN);
    expect(calls.made).toBe(3);
    await expectObject(bucket, "old");
    expect(Object.keys((await storedStateOf(bucket)).blobs)).toHaveLength(2);
  });

  it("after the commit and on every retry, is unknown, and the object exists with its bytes", async () => {
    const bucket = await bucketOfOne();
    for (const error of [callLost({ retryable: true }), callLost({}), new Error("anything")]) {
      const { COORDINATORS } = losing("after", 99, error);
      const response = await put(bucket, { COORDINATORS });
      expect(response.headers.get("retry-after")).toBe("1");
      await expectS3Error(response, UNKNOWN);
      await expectObject(bucket, NEW_BYTES);
      expectNothingLeftOver(await storedStateOf(bucket));
    }
  });

  it("because the Durable Object is overloaded, is not retried", async () => {
    const bucket = await bucketOfOne();
    const { calls, COORDINATORS } = losing("before", 99, callLost({ retryable: true, overloaded: true }));
    await expectS3Error(await put(bucket, { COORDINATORS }), UNKNOWN);
    expect(calls.made).toBe(1);
    await expectObject(bucket, "old");
  });

  it("after the commit, and whose object is replaced before the retry, leaves the newer object in place", async () => {
    const bucket = await bucketOfOne();
    let made = 0;
    const COORDINATORS = coordinatorsWith(async (_method, send_) => {
      const answer = await send_();
      made += 1;
      if (made > 1) return answer;
      await putAll(bucket, { k: "newer" });
      throw callLost({ retryable: true });
    });
    const response = await put(bucket, { COORDINATORS });
    expect(response.status).toBe(200);
    expect(made).toBe(2);
    await expectObject(bucket, "newer");
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("after the commit, and whose object is deleted before the retry, does not restore it", async () => {
    const bucket = await bucketOfOne();
    let made = 0;
    const COORDINATORS = coordinatorsWith(async (_method, send_) => {
      const answer = await send_();
      made += 1;
      if (made > 1) return answer;
      expect((await remove(bucket)).status).toBe(204);
      throw callLost({ retryable: true });
    });
    expect((await put(bucket, { COORDINATORS })).status).toBe(200);
    await expectObject(bucket, undefined);
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("before the commit, and whose condition fails on the retry, is unknown and keeps its blob", async () => {
    const bucket = await freshBucket();
    let made = 0;
    const COORDINATORS = coordinatorsWith(async (_method, send_) => {
      made += 1;
      if (made > 1) return send_();
      await putAll(bucket, { k: "first" });
      throw callLost({ retryable: true });
    });
    await expectS3Error(await put(bucket, { COORDINATORS }, { headers: { "if-none-match": "*" } }), UNKNOWN);
    await expectObject(bucket, "first");
    expect(Object.keys((await storedStateOf(bucket)).blobs)).toHaveLength(2);
  });
});

describe("a PUT whose coordinator has an outdated head", () => {
  it("reads the head that another instance committed, and replaces that version", async () => {
    const bucket = await bucketOfOne();
    let isFirst = true;
    const response = await withCoordinatorD1(
      bucket,
      async (_sql, send_) => {
        if (isFirst) {
          isFirst = false;
          await putElsewhere(bucket, "in between");
        }
        return send_();
      },
      () => put(bucket),
    );
    expect(response.status).toBe(200);
    await expectObject(bucket, NEW_BYTES);
    const storedState = await storedStateOf(bucket);
    expect(storedState.garbage).toHaveLength(2);
    expectNothingLeftOver(storedState);
  });

  it("returns ServiceUnavailable and releases its blob when the head changes on every attempt", async () => {
    const bucket = await bucketOfOne();
    let turn = 0;
    const response = await withCoordinatorD1(
      bucket,
      async (sql, send_) => {
        if (sql.some((text) => text.includes("commit_guard"))) {
          turn += 1;
          await putElsewhere(bucket, `in between ${turn}`);
        }
        return send_();
      },
      () => put(bucket),
    );
    await expectS3Error(response, UNKNOWN);
    await expectObject(bucket, `in between ${turn}`);
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("and whose condition another instance broke, returns a conflict and stores nothing", async () => {
    for (const [bucket, condition, headers] of [
      [await freshBucket(), "If-None-Match", { "if-none-match": "*" }],
      [await bucketOfOne(), "If-Match", { "if-match": '"149603e6c03516362a8da23f624db945"' }],
    ] as const) {
      let isFirst = true;
      const response = await withCoordinatorD1(
        bucket,
        async (_sql, send_) => {
          if (isFirst) {
            isFirst = false;
            await putElsewhere(bucket, "in between");
          }
          return send_();
        },
        () => put(bucket, {}, { headers }),
      );
      await expectS3Error(response, {
        status: 409,
        code: "ConditionalRequestConflict",
        fields: { Condition: condition, Key: "k" },
      });
      await expectObject(bucket, "in between");
      expectNothingLeftOver(await storedStateOf(bucket));
    }
  });
});

describe("a PUT whose coordinator is evicted", () => {
  it("just before the call, is committed by the next instance", async () => {
    const bucket = await bucketOfOne();
    expect((await put(bucket, {}, { body: "1" })).status).toBe(200);
    await evictDurableObject(await coordinatorOf(bucket));
    expect((await put(bucket)).status).toBe(200);
    await expectObject(bucket, NEW_BYTES);
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("repeatedly under load loses no acknowledged write", async () => {
    const bucket = await freshBucket();
    const load = { isOn: true };
    const evictions = (async () => {
      const stub = await coordinatorOf(bucket);
      while (load.isOn) {
        await evictDurableObject(stub).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const keys = Array.from({ length: 60 }, (_, index) => `k${index}`);
    const statuses = await Promise.all(
      keys.map(async (key) => (await send("PUT", `/${bucket}/${key}`, { body: key }, ONE_SHARD)).status),
    );
    load.isOn = false;
    await evictions;
    expect(statuses.every((status) => status === 200 || status === 503)).toBe(true);
    expect(statuses).toContain(200);
    for (const [index, key] of keys.entries()) {
      if (statuses[index] === 200) await expectBytes(await send("GET", `/${bucket}/${key}`), key);
    }
    expectNothingMissing(await storedStateOf(bucket));
  });
});

describe("a PUT whose blob has a tombstone of the orphan scan", () => {
  it("is rejected and its blob is purged: no row may refer to it", async () => {
    const bucket = await bucketOfOne();
    let marked = "";
    const BLOBS = r2With({
      async put(key, body, options) {
        marked = key;
        const stored = await env.BLOBS.put(key, body, options);
        await env.DB.prepare("INSERT INTO scan_tombstones VALUES (?, 0)").bind(key).run();
        return stored;
      },
    });
    await expectS3Error(await put(bucket, { BLOBS }), UNKNOWN);
    expect(marked).not.toBe("");
    await expectObject(bucket, "old");
    expectNothingLeftOver(await storedStateOf(bucket));
  });
});
