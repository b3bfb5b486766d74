// Concurrent conditional writes: some sequential order explains every result.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { send, type RequestScope } from "../support/client.ts";
import { expectBytes, md5Hex } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { d1With, ONE_SHARD, r2With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";

/** A conditional PUT and its result. */
async function put(
  bucket: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  scope: RequestScope = {},
): Promise<{ readonly status: number; readonly text: string; readonly body: string }> {
  const response = await send("PUT", `/${bucket}/k`, { body, headers }, scope);
  return { status: response.status, text: await response.text(), body };
}

async function current(
  bucket: string,
): Promise<{ readonly status: number; readonly text: string; readonly etag: string }> {
  const response = await send("GET", `/${bucket}/k`, { headers: { "cache-control": "no-store" } });
  const bytes = await response.bytes();
  return {
    status: response.status,
    text: new TextDecoder().decode(bytes),
    etag: response.headers.get("etag") ?? "",
  };
}

/** Delays uploads until all of them have stored their bytes and none has committed. */
function barrier(count: number): RequestScope {
  const { promise, resolve } = Promise.withResolvers<void>();
  let arrived = 0;
  return {
    ...IN_STORE,
    BLOBS: r2With({
      async put(key, body, options) {
        const stored = await env.BLOBS.put(key, body, options);
        arrived += 1;
        if (arrived >= count) resolve();
        await promise;
        return stored;
      },
    }),
  };
}

describe("50 concurrent PUTs with If-None-Match: *", () => {
  it("have one winner, whose bytes are stored; the others fail and store nothing", async () => {
    const bucket = await freshBucket();
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) => put(bucket, `body ${index}`, { "if-none-match": "*" })),
    );
    const winners = results.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    for (const { status, text } of results.filter((result) => result.status !== 200)) {
      if (status === 412) expect(text).toContain("<Code>PreconditionFailed</Code><Message>");
      else expect(text).toContain("<Code>ConditionalRequestConflict</Code><Message>");
      expect([409, 412]).toContain(status);
    }
    expect((await current(bucket)).text).toBe(winners[0]?.body);
    const storedState = await storedStateOf(bucket);
    expect(Object.keys(storedState.blobs)).toHaveLength(1);
    expectNothingLeftOver(storedState);
  });

  it("return a conflict when all began before any ended, and a retry returns the reason", async () => {
    const bucket = await freshBucket();
    const all = barrier(50);
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) => put(bucket, `body ${index}`, { "if-none-match": "*" }, all)),
    );
    expect(results.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(results.filter(({ status }) => status === 409)).toHaveLength(49);
    await expectS3Error(await send("PUT", `/${bucket}/k`, { body: "again", headers: { "if-none-match": "*" } }), {
      status: 412,
      code: "PreconditionFailed",
      fields: { Condition: "If-None-Match" },
    });
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("all win when each has a key of its own", async () => {
    const bucket = await freshBucket();
    const statuses = await Promise.all(
      Array.from(
        { length: 50 },
        async (_, index) =>
          (await send("PUT", `/${bucket}/k${index}`, { body: "x", headers: { "if-none-match": "*" } })).status,
      ),
    );
    expect(statuses.every((status) => status === 200)).toBe(true);
  });
});

describe("a conflict", () => {
  it("names the condition and the key, and stores nothing", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "0" });
    for (const [headers, condition, change] of [
      [{ "if-match": md5Hex("0") }, "If-Match", () => putAll(bucket, { k: "1" })],
      [{ "if-match": md5Hex("1") }, "If-Match", () => putAll(bucket, { k: "2" })],
    ] as const) {
      const BLOBS = r2With({
        async put(key, body, options) {
          await change();
          return env.BLOBS.put(key, body, options);
        },
      });
      const response = await send("PUT", `/${bucket}/k`, { body: "lost", headers }, { ...IN_STORE, BLOBS });
      await expectS3Error(response, {
        status: 409,
        code: "ConditionalRequestConflict",
        message: "The conditional request cannot succeed due to a conflicting operation against this resource.",
        fields: { Condition: condition, Key: "k" },
      });
      expectNothingLeftOver(await storedStateOf(bucket));
    }
    expect((await current(bucket)).text).toBe("2");
  });

  it("does not occur with a write of the same bytes, because the ETag matches", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "same" });
    const BLOBS = r2With({
      async put(key, body, options) {
        await putAll(bucket, { k: "same" });
        return env.BLOBS.put(key, body, options);
      },
    });
    const headers = { "if-match": md5Hex("same") };
    expect((await send("PUT", `/${bucket}/k`, { body: "new", headers }, { ...IN_STORE, BLOBS })).status).toBe(200);
    expect((await current(bucket)).text).toBe("new");
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("with a deletion returns NoSuchKey for If-Match and none for If-None-Match", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "0" });
    const BLOBS = r2With({
      async put(key, body, options) {
        await send("DELETE", `/${bucket}/k`);
        return env.BLOBS.put(key, body, options);
      },
    });
    const response = await send(
      "PUT",
      `/${bucket}/k`,
      { body: "x", headers: { "if-match": md5Hex("0") } },
      { ...IN_STORE, BLOBS },
    );
    await expectS3Error(response, { status: 404, code: "NoSuchKey", fields: { Key: "k" } });
    expect((await current(bucket)).status).toBe(404);
    expectNothingLeftOver(await storedStateOf(bucket));
    expect((await put(bucket, "new", { "if-none-match": "*" }, { ...IN_STORE, BLOBS })).status).toBe(200);
  });

  it("does not occur for If-None-Match when an object appeared and was deleted meanwhile", async () => {
    const bucket = await freshBucket();
    const BLOBS = r2With({
      async put(key, body, options) {
        await putAll(bucket, { k: "came" });
        await send("DELETE", `/${bucket}/k`);
        return env.BLOBS.put(key, body, options);
      },
    });
    expect((await put(bucket, "new", { "if-none-match": "*" }, { ...IN_STORE, BLOBS })).status).toBe(200);
    expect((await current(bucket)).text).toBe("new");
    expectNothingLeftOver(await storedStateOf(bucket));
  });
});

describe("20 workers that increment a counter through If-Match", () => {
  it.each([
    ["in one coordinator", ONE_SHARD],
    ["in two coordinators for the same key, as if one had not noticed its end", undefined],
  ])("lose no increment, %s", async (_where, scope) => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "0" });
    const acknowledged: string[] = [];
    const refused = { conflicts: 0, failures: 0 };
    const work = async (worker: number): Promise<void> => {
      for (;;) {
        const { text, etag } = await current(bucket);
        const next = String(Number(text) + 1);
        // With another number of coordinator shards the key maps to another Durable Object, and the two share only D1.
        const shards = scope ?? { COORDINATOR_SHARDS: worker % 2 === 0 ? "1" : "2" };
        const { status } = await put(bucket, next, { "if-match": etag }, shards);
        if (status === 200) {
          acknowledged.push(next);
          return;
        }
        if (status === 409) refused.conflicts += 1;
        else if (status === 412) refused.failures += 1;
        else expect(status).toBe(503);
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, index) => work(index)));
    expect((await current(bucket)).text).toBe("20");
    expect(acknowledged.map(Number).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    expect(refused.conflicts + refused.failures).toBeGreaterThan(0);
    const storedState = await storedStateOf(bucket);
    expect(storedState.garbage).toHaveLength(20);
    expectNothingLeftOver(storedState);
  });
});

describe("unconditional writers of one key", () => {
  it("all succeed, and the last write is current", async () => {
    const bucket = await freshBucket();
    const results = await Promise.all(Array.from({ length: 30 }, (_, index) => put(bucket, `body ${index}`, {})));
    expect(results.every(({ status }) => status === 200)).toBe(true);
    const { text, etag } = await current(bucket);
    expect(results.map(({ body }) => body)).toContain(text);
    expect(etag).toBe(`"${md5Hex(text)}"`);
    const storedState = await storedStateOf(bucket);
    expect(storedState.garbage).toHaveLength(29);
    expectNothingLeftOver(storedState);
  });

  it("leave readers whole objects only: bytes, length and ETag of the same write", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "start" });
    const writes = Array.from({ length: 20 }, (_, index) => put(bucket, "x".repeat(index * 1000), {}));
    const reads = Array.from({ length: 40 }, async () => {
      const response = await send("GET", `/${bucket}/k`);
      const bytes = await response.bytes();
      expect(response.status).toBe(200);
      expect(response.headers.get("content-length")).toBe(String(bytes.length));
      expect(response.headers.get("etag")).toBe(`"${md5Hex(bytes)}"`);
    });
    await Promise.all([...writes, ...reads]);
    expectNothingLeftOver(await storedStateOf(bucket));
  });
});

describe("concurrent deletions with If-Match", () => {
  it("have one winner; the others find no match", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "0" });
    const statuses = await Promise.all(
      Array.from(
        { length: 20 },
        async () => (await send("DELETE", `/${bucket}/k`, { headers: { "if-match": md5Hex("0") } })).status,
      ),
    );
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.filter((status) => status === 404)).toHaveLength(19);
    const storedState = await storedStateOf(bucket);
    expect(storedState.objects).toEqual({});
    expect(storedState.garbage).toHaveLength(1);
    expectNothingLeftOver(storedState);
  });

  it("against writers with If-Match: exactly one of all wins", async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "0" });
      const headers = { "if-match": md5Hex("0") };
      const results = await Promise.all(
        Array.from({ length: 10 }, async (_, index) => {
          const response =
            index % 2 === 0
              ? await send("DELETE", `/${bucket}/k`, { headers })
              : await send("PUT", `/${bucket}/k`, { body: `won ${index}`, headers });
          await response.arrayBuffer();
          return { index, status: response.status };
        }),
      );
      const winners = results.filter(({ status }) => status < 300);
      expect(winners).toHaveLength(1);
      const winner = winners[0]?.index ?? 0;
      for (const { status } of results.filter(({ status }) => status >= 300)) expect([404, 409, 412]).toContain(status);
      const { status, text } = await current(bucket);
      if (winner % 2 === 0) expect(status).toBe(404);
      else expect(text).toBe(`won ${winner}`);
      expectNothingLeftOver(await storedStateOf(bucket));
    }
  });

  it("return a conflict and delete nothing when a writer commits first", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "0" });
    let isFirst = true;
    const DB = d1With(async (_sql, send_) => {
      const seen = await send_();
      if (isFirst) {
        isFirst = false;
        await putAll(bucket, { k: "1" });
      }
      return seen;
    });
    const response = await send("DELETE", `/${bucket}/k`, { headers: { "if-match": md5Hex("0") } }, { DB });
    await expectS3Error(response, {
      status: 409,
      code: "ConditionalRequestConflict",
      fields: { Condition: "If-Match", Key: "k" },
    });
    await expectBytes(await send("GET", `/${bucket}/k`), "1");
    expectNothingLeftOver(await storedStateOf(bucket));
  });
});

describe("a condition that can no longer hold", () => {
  it("fails on every retry", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "1" });
    await expectNoTrace(bucket, async () => {
      const statuses = await Promise.all(
        Array.from({ length: 10 }, async () => (await put(bucket, "2", { "if-match": md5Hex("0") })).status),
      );
      expect(statuses.every((status) => status === 412)).toBe(true);
    });
  });
});
