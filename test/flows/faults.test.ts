// Faults at each step of a request, injected between the Worker and the real bindings. After each fault: acknowledged
// writes exist with their bytes, writes answered 4xx were not applied, unknown results return 503, and no referenced
// blob is deleted.
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { SALT_BYTES } from "../../src/bytes/frame-layout.ts";
import { ROOT, send, streamOf, type SendOptions, type RequestScope } from "../support/client.ts";
import { checksum, expectBytes, md5Base64, noise, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import {
  callLost,
  connectionLost,
  coordinatorOf,
  coordinatorsWith,
  d1With,
  failingCommits,
  ONE_SHARD,
  r2With,
  withCoordinatorD1,
  type CallFault,
} from "../support/faults.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import {
  bucketId,
  expectNothingLeftOver,
  expectNothingMissing,
  expectNoTrace,
  storedStateOf,
} from "../support/stored-state.ts";
import { largePart, uploadInParts } from "../support/multipart.ts";
import { plain, readXml } from "../support/read-xml.ts";

const UNKNOWN = { status: 503, code: "ServiceUnavailable" };
const INTERNAL = { status: 500, code: "InternalError", message: "We encountered an internal error. Please try again." };
const SLOW_DOWN = { status: 503, code: "SlowDown" };
const NEW_BYTES = noise(300_000);

// The Worker logs unexpected failures. One test asserts the log; the others silence it.
const log = vi.spyOn(console, "error");
beforeEach(() => void log.mockReset().mockImplementation(() => undefined));
afterEach(() => void log.mockReset());

/** A bucket with one object, `k`. */
async function bucketOfOne(): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, { k: "old" });
  return bucket;
}

function put(bucket: string, scope: RequestScope = {}, options: SendOptions = {}): Promise<Response> {
  return send("PUT", `/${bucket}/k`, { body: NEW_BYTES, ...options }, { ...ONE_SHARD, ...scope });
}

function remove(bucket: string, scope: RequestScope = {}, headers: SendOptions["headers"] = {}): Promise<Response> {
  return send("DELETE", `/${bucket}/k`, { headers }, { ...ONE_SHARD, ...scope });
}

async function expectObject(bucket: string, bytes: Uint8Array | string | undefined): Promise<void> {
  const response = await send("GET", `/${bucket}/k`);
  expect(response.status).toBe(bytes === undefined ? 404 : 200);
  if (bytes !== undefined) await expectBytes(response, bytes);
  else await response.arrayBuffer();
  expectNothingMissing(await storedStateOf(bucket));
}

/** The two paths of a body: through JavaScript, and directly to the store, which verifies the announced digest. */
const WAYS = [
  ["through JavaScript", {}],
  ["past JavaScript", { "x-amz-checksum-sha256": checksum("SHA256", NEW_BYTES) }],
] as const;

describe.each(WAYS)("a PUT whose body does not have its announced length, sent %s,", (_way, headers) => {
  it.each([0, 1, 100_000, 299_999])(
    "returns IncompleteBody and stores nothing when it ends after %i bytes",
    async (length) => {
      const bucket = await bucketOfOne();
      const body = streamOf(length === 0 ? [] : [NEW_BYTES.subarray(0, length)]);
      const options = { body, headers: { "content-length": "300000", ...headers } };
      await expectNoTrace(bucket, async () =>
        expectS3Error(await put(bucket, {}, options), { status: 400, code: "IncompleteBody" }),
      );
    },
  );

  it.each([0, 1, 100_000, 299_999])("fails and stores nothing when it breaks off after %i bytes", async (length) => {
    const bucket = await bucketOfOne();
    const pieces = length === 0 ? [] : [NEW_BYTES.subarray(0, length)];
    const body = streamOf(pieces, new Error("connection reset"));
    const options = { body, headers: { "content-length": "300000", ...headers } };
    await expectNoTrace(bucket, async () => {
      const response = await put(bucket, {}, options);
      expect([400, 500]).toContain(response.status);
      await response.arrayBuffer();
    });
  });

  it("returns IncompleteBody and stores nothing when it is too long", async () => {
    const bucket = await bucketOfOne();
    for (const body of [streamOf([NEW_BYTES, utf8("more")]), streamOf([NEW_BYTES, NEW_BYTES, NEW_BYTES])]) {
      const options = { body, headers: { "content-length": "300000", ...headers } };
      await expectNoTrace(bucket, async () =>
        expectS3Error(await put(bucket, {}, options), { status: 400, code: "IncompleteBody" }),
      );
    }
  });
});

describe.each(WAYS)("a PUT whose blob store fails, with the body sent %s,", (_way, headers) => {
  it("returns a retryable error and stores nothing when the store fails before the body is read", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({ put: () => Promise.reject(new Error("put: We encountered an internal error. (10001)")) });
    for (const body of [NEW_BYTES, streamOf([NEW_BYTES])]) {
      const options = { body, headers: { "content-length": "300000", ...headers } };
      await expectNoTrace(bucket, async () => expectS3Error(await put(bucket, { BLOBS }, options), SLOW_DOWN));
    }
  });

  it("returns a retryable error and stores nothing when the store fails midway", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({
      async put(_key, body) {
        const reader = body.getReader();
        await reader.read();
        const failure = new Error("put: We encountered an internal error. (10001)");
        await reader.cancel(failure);
        throw failure;
      },
    });
    for (const body of [NEW_BYTES, streamOf([NEW_BYTES])]) {
      const options = { body, headers: { "content-length": "300000", ...headers } };
      await expectNoTrace(bucket, async () => expectS3Error(await put(bucket, { BLOBS }, options), SLOW_DOWN));
    }
  });

  it("changes no object when the store's response is lost after the blob is stored", async () => {
    const bucket = await bucketOfOne();
    const before = await storedStateOf(bucket);
    const BLOBS = r2With({
      async put(key, body, options) {
        await env.BLOBS.put(key, body, options);
        throw new Error("put: Network connection lost.");
      },
    });
    await expectS3Error(await put(bucket, { BLOBS }, { headers }), SLOW_DOWN);
    const after = await storedStateOf(bucket);
    expect(after.objects).toEqual(before.objects);
    expect(after.garbage).toEqual(before.garbage);
    await expectObject(bucket, "old");
  });

  it("returns SlowDown with Retry-After when the store is rate limited", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({ put: () => Promise.reject(new Error("put: Reduce your request rate. (10058)")) });
    await expectNoTrace(bucket, async () => {
      const response = await put(bucket, { BLOBS }, { headers });
      expect(response.headers.get("retry-after")).toBe("1");
      await expectS3Error(response, { status: 503, code: "SlowDown" });
    });
  });

  it("returns EntityTooLarge when the store rejects the size", async () => {
    const bucket = await bucketOfOne();
    const tooLarge = new Error("put: Your proposed upload exceeds the maximum allowed object size. (100100)");
    const BLOBS = r2With({ put: () => Promise.reject(tooLarge) });
    await expectNoTrace(bucket, async () => {
      const expected = { status: 400, code: "EntityTooLarge", fields: { MaxSizeAllowed: "5363466240" } };
      await expectS3Error(await put(bucket, { BLOBS }, { headers }), expected);
    });
  });

  it("returns ServiceUnavailable and keeps the existing blob when the blob id is taken", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({
      async put(key, body, options) {
        await env.BLOBS.put(key, "another's");
        return env.BLOBS.put(key, body, options);
      },
    });
    await expectS3Error(await put(bucket, { BLOBS }, { headers }), UNKNOWN);
    await expectObject(bucket, "old");
  });

  it("returns the rejection when the deletion of the rejected blob fails", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({ delete: () => Promise.reject(new Error("delete: Network connection lost.")) });
    const wrong = { ...headers, "content-md5": md5Base64(utf8("other")) };
    const response = await put(bucket, { BLOBS }, { headers: wrong });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("<Code>BadDigest</Code>");
    await expectObject(bucket, "old");
  });
});

describe("a PUT whose first read fails", () => {
  it("returns an internal error and stores nothing", async () => {
    const bucket = await bucketOfOne();
    const DB = d1With(() => Promise.reject(connectionLost()));
    await expectNoTrace(bucket, async () => expectS3Error(await put(bucket, { DB }), SLOW_DOWN));
  });
});

/** Loses the given number of calls, before or after they are executed, and counts all calls. */
function losing(when: "before" | "after", times: number, error = callLost({ retryable: true })) {
  const calls = { made: 0 };
  const fault: CallFault = async (_method, send) => {
    calls.made += 1;
    if (calls.made > times) return send();
    if (when === "after") await send();
    throw error;
  };
  return { calls, COORDINATORS: coordinatorsWith(fault) };
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

describe("a PUT whose commit meets an error of D1", () => {
  for (const when of ["before", "after"] as const) {
    it.each([1, 3])(`${when} it is applied, %i times, is committed once`, async (times) => {
      for (const bucket of [await bucketOfOne(), await freshBucket()]) {
        const hadOne = (await storedStateOf(bucket)).objects["k"] !== undefined;
        const response = await withCoordinatorD1(bucket, failingCommits(when, times), () => put(bucket));
        expect(response.status).toBe(200);
        await expectObject(bucket, NEW_BYTES);
        const storedState = await storedStateOf(bucket);
        expect(storedState.garbage).toHaveLength(hadOne ? 1 : 0);
        expectNothingLeftOver(storedState);
      }
    });

    it(`${when} it is applied, does not fail its own If-None-Match: *`, async () => {
      const bucket = await freshBucket();
      const headers = { "if-none-match": "*" };
      const response = await withCoordinatorD1(bucket, failingCommits(when, 1), () => put(bucket, {}, { headers }));
      expect(response.status).toBe(200);
      await expectObject(bucket, NEW_BYTES);
    });
  }

  it("before it is applied and on every retry, is unknown and keeps the object and the blob", async () => {
    const bucket = await bucketOfOne();
    const response = await withCoordinatorD1(bucket, failingCommits("before", 99), () => put(bucket));
    await expectS3Error(response, UNKNOWN);
    await expectObject(bucket, "old");
    expect(Object.keys((await storedStateOf(bucket)).blobs)).toHaveLength(2);
  });

  it("after it is applied, with every check of it failing too, is unknown, and the object exists", async () => {
    const bucket = await bucketOfOne();
    let isApplied = false;
    const response = await withCoordinatorD1(
      bucket,
      async (_sql, send_) => {
        if (!isApplied) await send_();
        isApplied = true;
        throw connectionLost();
      },
      () => put(bucket),
    );
    await expectS3Error(response, UNKNOWN);
    await expectObject(bucket, NEW_BYTES);
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("and whose batch arrives late, after the key was written and deleted again, does not restore it", async () => {
    const bucket = await freshBucket();
    let turn = 0;
    const response = await withCoordinatorD1(
      bucket,
      async (sql, send_) => {
        if (!sql.some((text) => text.includes("commit_guard"))) return send_();
        turn += 1;
        if (turn === 1) throw connectionLost();
        if (turn === 2) {
          // The first batch was only slow: it is applied now, and another instance deletes its object.
          await send_();
          const id = await bucketId(bucket);
          await env.DB.batch([
            env.DB.prepare("INSERT INTO garbage SELECT blob_id, 0 FROM objects WHERE bucket_id = ?").bind(id),
            env.DB.prepare("DELETE FROM objects WHERE bucket_id = ?").bind(id),
          ]);
        }
        return send_();
      },
      () => put(bucket),
    );
    // The object existed for a moment and was then deleted by another client.
    expect(response.status).toBe(200);
    await expectObject(bucket, undefined);
    expect(turn).toBe(2);
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("does not block the next write of the key", async () => {
    const bucket = await bucketOfOne();
    await withCoordinatorD1(bucket, failingCommits("before", 4), async () => {
      const [first, second] = await Promise.all([put(bucket), put(bucket, {}, { body: "second" })]);
      const statuses = [first.status, second.status];
      expect(statuses).toContain(503);
      expect(statuses).toContain(200);
      await expectObject(bucket, first.status === 200 ? NEW_BYTES : "second");
      await Promise.all([first.arrayBuffer(), second.arrayBuffer()]);
    });
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
          // With eight shards the same key maps to another Durable Object than with one.
          await putAll(bucket, { k: "in between" });
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

  it("gives up when the head changes on every attempt, and releases its blob", async () => {
    const bucket = await bucketOfOne();
    let turn = 0;
    const response = await withCoordinatorD1(
      bucket,
      async (sql, send_) => {
        if (sql.some((text) => text.includes("commit_guard"))) {
          turn += 1;
          await putAll(bucket, { k: `in between ${turn}` });
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
            await putAll(bucket, { k: "in between" });
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

describe("a DELETE", () => {
  it.each(["before", "after"] as const)(
    "whose commit meets an error %s it is applied, is executed once",
    async (when) => {
      for (const times of [1, 3]) {
        const bucket = await bucketOfOne();
        const response = await withCoordinatorD1(bucket, failingCommits(when, times), () => remove(bucket));
        expect(response.status).toBe(204);
        await expectObject(bucket, undefined);
        const storedState = await storedStateOf(bucket);
        expect(storedState.garbage).toHaveLength(1);
        expectNothingLeftOver(storedState);
      }
    },
  );

  it("that D1 never applies is unknown, and the object exists", async () => {
    const bucket = await bucketOfOne();
    await expectNoTrace(bucket, async () =>
      expectS3Error(await withCoordinatorD1(bucket, failingCommits("before", 99), () => remove(bucket)), UNKNOWN),
    );
  });

  it("whose call is lost is unknown and not retried: a retry could delete a newer object", async () => {
    for (const headers of [{}, { "if-match": "*" }]) {
      for (const [when, expected] of [
        ["before", "old"],
        ["after", undefined],
      ] as const) {
        const bucket = await bucketOfOne();
        const { calls, COORDINATORS } = losing(when, 1);
        await expectS3Error(await remove(bucket, { COORDINATORS }, headers), UNKNOWN);
        expect(calls.made).toBe(1);
        await expectObject(bucket, expected);
        expectNothingLeftOver(await storedStateOf(bucket));
      }
    }
  });
});

describe("DeleteObjects", () => {
  it("returns an error for each key whose coordinator D1 fails, and deletes the others", async () => {
    const bucket = await freshBucket();
    const keys = Array.from({ length: 12 }, (_, index) => `key-${index}`);
    await putAll(bucket, Object.fromEntries(keys.map((key) => [key, key])));
    const body = utf8(`<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`);
    const response = await withCoordinatorD1(
      bucket,
      failingCommits("before", 99),
      () =>
        send(
          "POST",
          `/${bucket}?delete`,
          { body, headers: { "content-md5": md5Base64(body) } },
          { COORDINATOR_SHARDS: "2" },
        ),
      1,
    );
    expect(response.status).toBe(200);
    const failed: unknown[] = [];
    const deleted: unknown[] = [];
    for (const child of readXml(await response.text()).children) {
      const [key, code] = child.children.map(({ text }) => text);
      (child.name === "Error" ? failed : deleted).push(key);
      if (child.name === "Error") expect(code, JSON.stringify(plain(child))).toBe("ServiceUnavailable");
    }
    expect(failed.length).toBeGreaterThan(0);
    expect(deleted.length).toBeGreaterThan(0);
    expect([...failed, ...deleted]).toHaveLength(keys.length);
    const storedState = await storedStateOf(bucket);
    expect(new Set(Object.keys(storedState.objects))).toEqual(new Set(failed));
    expectNothingLeftOver(storedState);
  });
});

describe("a GET", () => {
  it("whose object is replaced and its blob collected after the row was read returns the new bytes", async () => {
    const bucket = await bucketOfOne();
    let looks = 0;
    const BLOBS = r2With({
      async get(key, options) {
        looks += 1;
        if (looks === 1) {
          await putAll(bucket, { k: "newer" });
          await env.BLOBS.delete(key);
        }
        return env.BLOBS.get(key, options);
      },
    });
    const response = await send("GET", `/${bucket}/k`, {}, { BLOBS });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-length")).toBe("5");
    await expectBytes(response, "newer");
    expect(looks).toBe(2);
  });

  it("whose object is deleted and its blob collected after the row was read returns NoSuchKey", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({
      async get(key) {
        await remove(bucket);
        await env.BLOBS.delete(key);
        return env.BLOBS.get(key);
      },
    });
    await expectS3Error(await send("GET", `/${bucket}/k`, {}, { BLOBS }), {
      status: 404,
      code: "NoSuchKey",
      fields: { Key: "k" },
    });
  });

  it("whose blob is missing permanently returns an internal error and never a short 200", async () => {
    const bucket = await bucketOfOne();
    await env.BLOBS.delete(Object.keys((await storedStateOf(bucket)).blobs));
    await expectS3Error(await send("GET", `/${bucket}/k`), INTERNAL);
    await expectS3Error(await send("GET", `/${bucket}/k`, { headers: { range: "bytes=0-0" } }), INTERNAL);
    expect((await send("HEAD", `/${bucket}/k`)).status).toBe(200);
  });

  it("whose blob is shorter than its row states returns an internal error and never a short 200 or 206", async () => {
    const bucket = await bucketOfOne();
    const [blobId = ""] = Object.keys((await storedStateOf(bucket)).blobs);
    for (const left of ["o", "ol"]) {
      await env.BLOBS.put(blobId, left);
      for (const headers of [{}, { range: "bytes=0-" }, { range: "bytes=1-2" }, { range: "bytes=-1" }]) {
        await expectS3Error(await send("GET", `/${bucket}/k`, { headers }), INTERNAL);
      }
    }
  });

  it("whose blob store fails returns a retryable error", async () => {
    const bucket = await bucketOfOne();
    const failing = (message: string) => ({ BLOBS: r2With({ get: () => Promise.reject(new Error(message)) }) });
    await expectS3Error(await send("GET", `/${bucket}/k`, {}, failing("get: Network connection lost.")), SLOW_DOWN);
    const response = await send("GET", `/${bucket}/k`, {}, failing("get: Reduce your request rate. (10058)"));
    expect(response.headers.get("retry-after")).toBe("1");
    await expectS3Error(response, { status: 503, code: "SlowDown" });
  });
});

/** Endless bytes of a blob, with a record of whether the stream was cancelled. */
function endlessBlob(found: R2ObjectBody): { readonly blob: R2ObjectBody; readonly isLetGo: () => boolean } {
  let isLetGo = false;
  const body = new ReadableStream({
    type: "bytes",
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      controller.enqueue(new Uint8Array(10));
    },
    cancel: () => {
      isLetGo = true;
    },
  });
  const blob = new Proxy(found, {
    get: (target, property): unknown => (property === "body" ? body : Reflect.get(target, property, target)),
  });
  return { blob, isLetGo: () => isLetGo };
}

describe("a GET of several blobs", () => {
  it("whose next blob fails while one is sent breaks off after that one, without an unhandled rejection", async () => {
    const bucket = await freshBucket();
    const first = largePart(1);
    await uploadInParts(bucket, "k", [first, "next"]);
    let calls = 0;
    const BLOBS = r2With({
      get: async (key, options) => {
        calls += 1;
        if (calls > 1) throw new Error("get: We encountered an internal error. (10001)");
        return env.BLOBS.get(key, options);
      },
    });
    const reader = (await send("GET", `/${bucket}/k`, {}, { BLOBS })).body?.getReader();
    // The failure occurs long before the blob is read; the test runner reports unhandled rejections.
    await new Promise((resolve) => setTimeout(resolve, 50));
    let length = 0;
    const readAll = async (): Promise<void> => {
      for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
        length += read.value.length;
      }
    };
    await expect(readAll()).rejects.toThrow("10001");
    expect(length).toBe(first.length);
  });

  it("cancels the current and the prefetched blob when the client disconnects", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "k", [largePart(1), "next"]);
    const opened: ReturnType<typeof endlessBlob>[] = [];
    const BLOBS = r2With({
      get: async (key, options) => {
        const found = await env.BLOBS.get(key, options);
        if (found === null) return null;
        const blob = endlessBlob(found);
        opened.push(blob);
        return blob.blob;
      },
    });
    const reader = (await send("GET", `/${bucket}/k`, {}, { BLOBS })).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await vi.waitFor(() => expect(opened.map(({ isLetGo }) => isLetGo())).toEqual([true, true]));
  });

  it("cancels the bytes of an encrypted blob when the concurrent read of its salt fails", async () => {
    const bucket = await freshBucket();
    const headers = keyHeaders(customerKey(1));
    expect((await send("PUT", `/${bucket}/k`, { body: noise(200_000), headers })).status).toBe(200);
    const opened: ReturnType<typeof endlessBlob>[] = [];
    const BLOBS = r2With({
      get: async (key, options) => {
        const { range } = options ?? {};
        const isSalt = range !== undefined && "length" in range && range.length === SALT_BYTES;
        if (isSalt) throw new Error("get: We encountered an internal error. (10001)");
        const found = await env.BLOBS.get(key, options);
        if (found === null) return null;
        const blob = endlessBlob(found);
        opened.push(blob);
        return blob.blob;
      },
    });
    const range = { ...headers, range: "bytes=100000-" };
    await expectS3Error(await send("GET", `/${bucket}/k`, { headers: range }, { BLOBS }), SLOW_DOWN);
    await vi.waitFor(() => expect(opened.map(({ isLetGo }) => isLetGo())).toEqual([true]));
  });
});

describe("an unexpected failure", () => {
  it("tells the client nothing and logs the cause with the request id", async () => {
    const bucket = await bucketOfOne();
    const secret = `SELECT ${ROOT.secretAccessKey} at src/state/d1/database.ts:1:1`;
    for (const [scope, method] of [
      [{ DB: d1With(() => Promise.reject(new Error(`D1_ERROR: ${secret}`))) }, "GET"],
      [{ BLOBS: r2With({ get: () => Promise.reject(new TypeError(secret)) }) }, "GET"],
      [{ BLOBS: r2With({ put: () => Promise.reject(new TypeError(secret)) }) }, "PUT"],
    ] as const) {
      log.mockClear();
      const options = method === "PUT" ? { body: "x" } : {};
      const response = await send(method, `/${bucket}/k`, options, scope);
      const id = response.headers.get("x-amz-request-id") ?? "";
      const answer = `${JSON.stringify(Array.from(response.headers))}${await response.clone().text()}`;
      for (const leak of ["SELECT", "D1_ERROR", "TypeError", "database.ts", ROOT.secretAccessKey, "    at "]) {
        expect(answer).not.toContain(leak);
      }
      await expectS3Error(response, INTERNAL);
      expect(log).toHaveBeenCalledTimes(1);
      const [line] = log.mock.calls[0] ?? [];
      expect(JSON.parse(String(line))).toMatchObject({ level: "error", requestId: id, message: expect.any(String) });
    }
  });
});
