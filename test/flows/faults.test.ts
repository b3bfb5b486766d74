// Faults at each step of a request, between the Worker and the real bindings. What must hold after each: what was
// acknowledged is there with its bytes, what was answered 4xx was not applied, what nobody can know is 503, and nothing
// is deleted that a row refers to.
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

// Unexpected failures are logged, which is asserted once and otherwise would only fill the tests' output.
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

/** The two ways of a body: through JavaScript, and past it where the store verifies what was announced. */
const WAYS = [
  ["through JavaScript", {}],
  ["past JavaScript", { "x-amz-checksum-sha256": checksum("SHA256", NEW_BYTES) }],
] as const;

describe.each(WAYS)("a PUT whose body does not have its length, on its way %s,", (_way, headers) => {
  it.each([0, 1, 100_000, 299_999])(
    "by ending after %i bytes is IncompleteBody and leaves no trace",
    async (length) => {
      const bucket = await bucketOfOne();
      const body = streamOf(length === 0 ? [] : [NEW_BYTES.subarray(0, length)]);
      const options = { body, headers: { "content-length": "300000", ...headers } };
      await expectNoTrace(bucket, async () =>
        expectS3Error(await put(bucket, {}, options), { status: 400, code: "IncompleteBody" }),
      );
    },
  );

  it.each([0, 1, 100_000, 299_999])("by breaking off after %i bytes fails and leaves no trace", async (length) => {
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

  it("by going on past its length is IncompleteBody and leaves no trace", async () => {
    const bucket = await bucketOfOne();
    for (const body of [streamOf([NEW_BYTES, utf8("more")]), streamOf([NEW_BYTES, NEW_BYTES, NEW_BYTES])]) {
      const options = { body, headers: { "content-length": "300000", ...headers } };
      await expectNoTrace(bucket, async () =>
        expectS3Error(await put(bucket, {}, options), { status: 400, code: "IncompleteBody" }),
      );
    }
  });
});

describe.each(WAYS)("a PUT whose blob store fails, the body going %s,", (_way, headers) => {
  it("before the body is read, is to be tried again and leaves no trace", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({ put: () => Promise.reject(new Error("put: We encountered an internal error. (10001)")) });
    for (const body of [NEW_BYTES, streamOf([NEW_BYTES])]) {
      const options = { body, headers: { "content-length": "300000", ...headers } };
      await expectNoTrace(bucket, async () => expectS3Error(await put(bucket, { BLOBS }, options), SLOW_DOWN));
    }
  });

  it("midway through the body, is to be tried again and leaves no trace", async () => {
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

  it("to answer after it has stored the blob, changes no object", async () => {
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

  it("for too many requests, is SlowDown with a time to wait", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({ put: () => Promise.reject(new Error("put: Reduce your request rate. (10058)")) });
    await expectNoTrace(bucket, async () => {
      const response = await put(bucket, { BLOBS }, { headers });
      expect(response.headers.get("retry-after")).toBe("1");
      await expectS3Error(response, { status: 503, code: "SlowDown" });
    });
  });

  it("for more bytes than it takes at once, is EntityTooLarge", async () => {
    const bucket = await bucketOfOne();
    const tooLarge = new Error("put: Your proposed upload exceeds the maximum allowed object size. (100100)");
    const BLOBS = r2With({ put: () => Promise.reject(tooLarge) });
    await expectNoTrace(bucket, async () => {
      const expected = { status: 400, code: "EntityTooLarge", fields: { MaxSizeAllowed: "5363466240" } };
      await expectS3Error(await put(bucket, { BLOBS }, { headers }), expected);
    });
  });

  it("by finding the blob id taken, is ServiceUnavailable: the blob that is there is another's", async () => {
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

  it("to delete a blob that was refused, is refused all the same", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({ delete: () => Promise.reject(new Error("delete: Network connection lost.")) });
    const wrong = { ...headers, "content-md5": md5Base64(utf8("other")) };
    const response = await put(bucket, { BLOBS }, { headers: wrong });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("<Code>BadDigest</Code>");
    await expectObject(bucket, "old");
  });
});

describe("a PUT whose first look fails", () => {
  it("is an internal error and stores nothing", async () => {
    const bucket = await bucketOfOne();
    const DB = d1With(() => Promise.reject(connectionLost()));
    await expectNoTrace(bucket, async () => expectS3Error(await put(bucket, { DB }), SLOW_DOWN));
  });
});

/** Loses as many calls as asked, before they are made or after, and counts all. */
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

describe("a PUT whose call of the coordinator is lost", () => {
  for (const when of ["before", "after"] as const) {
    it.each([1, 2])(`${when} the commit, %i times, is made again and committed once`, async (times) => {
      const bucket = await bucketOfOne();
      const { calls, COORDINATORS } = losing(when, times);
      expect((await put(bucket, { COORDINATORS })).status).toBe(200);
      expect(calls.made).toBe(times + 1);
      await expectObject(bucket, NEW_BYTES);
      const storedState = await storedStateOf(bucket);
      expect(storedState.garbage).toHaveLength(1);
      expectNothingLeftOver(storedState);
    });

    it(`${when} the commit with If-None-Match: *, does not find its own object in its way`, async () => {
      const bucket = await freshBucket();
      const { COORDINATORS } = losing(when, 1);
      expect((await put(bucket, { COORDINATORS }, { headers: { "if-none-match": "*" } })).status).toBe(200);
      await expectObject(bucket, NEW_BYTES);
    });
  }

  it("before the commit and for good, is unknown, and its blob is left alone", async () => {
    const bucket = await bucketOfOne();
    const { calls, COORDINATORS } = losing("before", 99);
    await expectS3Error(await put(bucket, { COORDINATORS }), UNKNOWN);
    expect(calls.made).toBe(3);
    await expectObject(bucket, "old");
    expect(Object.keys((await storedStateOf(bucket)).blobs)).toHaveLength(2);
  });

  it("after the commit and for good, is unknown, and the object is there with its bytes", async () => {
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

  it("to an overloaded object, is not made again", async () => {
    const bucket = await bucketOfOne();
    const { calls, COORDINATORS } = losing("before", 99, callLost({ retryable: true, overloaded: true }));
    await expectS3Error(await put(bucket, { COORDINATORS }), UNKNOWN);
    expect(calls.made).toBe(1);
    await expectObject(bucket, "old");
  });

  it("after the commit, and whose object is replaced before it is made again, leaves the newer object alone", async () => {
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

  it("after the commit, and whose object is deleted before it is made again, does not bring it back", async () => {
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

  it("before the commit, and whose condition fails when it is made again, is unknown and keeps its blob", async () => {
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

    it(`${when} it is applied, is no reason to refuse its own If-None-Match: *`, async () => {
      const bucket = await freshBucket();
      const headers = { "if-none-match": "*" };
      const response = await withCoordinatorD1(bucket, failingCommits(when, 1), () => put(bucket, {}, { headers }));
      expect(response.status).toBe(200);
      await expectObject(bucket, NEW_BYTES);
    });
  }

  it("before it is applied and for good, is unknown and leaves the object and the blob alone", async () => {
    const bucket = await bucketOfOne();
    const response = await withCoordinatorD1(bucket, failingCommits("before", 99), () => put(bucket));
    await expectS3Error(response, UNKNOWN);
    await expectObject(bucket, "old");
    expect(Object.keys((await storedStateOf(bucket)).blobs)).toHaveLength(2);
  });

  it("after it is applied, with every look at it failing too, is unknown, and the object is there", async () => {
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

  it("and whose batch arrives late, after the key was written and emptied again, does not come back from the dead", async () => {
    const bucket = await freshBucket();
    let turn = 0;
    const response = await withCoordinatorD1(
      bucket,
      async (sql, send_) => {
        if (!sql.some((text) => text.includes("commit_guard"))) return send_();
        turn += 1;
        if (turn === 1) throw connectionLost();
        if (turn === 2) {
          // The first batch was only slow: it is applied now, and its object is deleted through another instance.
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
    // It existed for a moment, like an object that another client deletes.
    expect(response.status).toBe(200);
    await expectObject(bucket, undefined);
    expect(turn).toBe(2);
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("does not stop the next write of the key", async () => {
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

describe("a PUT whose coordinator is stale", () => {
  it("finds the head that another instance has left, and replaces that", async () => {
    const bucket = await bucketOfOne();
    let isFirst = true;
    const response = await withCoordinatorD1(
      bucket,
      async (_sql, send_) => {
        if (isFirst) {
          isFirst = false;
          // Eight shards: the same key belongs to another object than with one.
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

  it("gives up where the head changes every time, which refuses the write and drops its blob", async () => {
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

  it("and whose condition the other instance has broken, is refused as a conflict and leaves no trace", async () => {
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
  it("beforehand, is committed by the next instance", async () => {
    const bucket = await bucketOfOne();
    expect((await put(bucket, {}, { body: "1" })).status).toBe(200);
    await evictDurableObject(await coordinatorOf(bucket));
    expect((await put(bucket)).status).toBe(200);
    await expectObject(bucket, NEW_BYTES);
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("again and again under load, loses nothing that was acknowledged", async () => {
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

describe("a PUT whose blob the orphan scan has condemned", () => {
  it("is refused, and its blob is gone: no row may refer to it", async () => {
    const bucket = await bucketOfOne();
    let condemned = "";
    const BLOBS = r2With({
      async put(key, body, options) {
        condemned = key;
        const stored = await env.BLOBS.put(key, body, options);
        await env.DB.prepare("INSERT INTO scan_tombstones VALUES (?, 0)").bind(key).run();
        return stored;
      },
    });
    await expectS3Error(await put(bucket, { BLOBS }), UNKNOWN);
    expect(condemned).not.toBe("");
    await expectObject(bucket, "old");
    expectNothingLeftOver(await storedStateOf(bucket));
  });
});

describe("a DELETE", () => {
  it.each(["before", "after"] as const)(
    "whose commit meets an error %s it is applied, is carried out once",
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

  it("that D1 never takes is unknown, and the object is there", async () => {
    const bucket = await bucketOfOne();
    await expectNoTrace(bucket, async () =>
      expectS3Error(await withCoordinatorD1(bucket, failingCommits("before", 99), () => remove(bucket)), UNKNOWN),
    );
  });

  it("whose call is lost is unknown and not made again: it could take away what was put since", async () => {
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
  it("tells of the keys whose coordinator D1 fails, and deletes the others", async () => {
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
  it("whose object is replaced, and its blob collected, after its row was read, gives the new bytes", async () => {
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

  it("whose object is deleted, and its blob collected, after its row was read, is NoSuchKey", async () => {
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

  it("whose blob is missing for good, is an internal error and never a short 200", async () => {
    const bucket = await bucketOfOne();
    await env.BLOBS.delete(Object.keys((await storedStateOf(bucket)).blobs));
    await expectS3Error(await send("GET", `/${bucket}/k`), INTERNAL);
    await expectS3Error(await send("GET", `/${bucket}/k`, { headers: { range: "bytes=0-0" } }), INTERNAL);
    expect((await send("HEAD", `/${bucket}/k`)).status).toBe(200);
  });

  it("whose blob is shorter than its row says, is an internal error and never a short 200 or 206", async () => {
    const bucket = await bucketOfOne();
    const [blobId = ""] = Object.keys((await storedStateOf(bucket)).blobs);
    for (const left of ["o", "ol"]) {
      await env.BLOBS.put(blobId, left);
      for (const headers of [{}, { range: "bytes=0-" }, { range: "bytes=1-2" }, { range: "bytes=-1" }]) {
        await expectS3Error(await send("GET", `/${bucket}/k`, { headers }), INTERNAL);
      }
    }
  });

  it("whose blob store fails, is to be tried again", async () => {
    const bucket = await bucketOfOne();
    const failing = (message: string) => ({ BLOBS: r2With({ get: () => Promise.reject(new Error(message)) }) });
    await expectS3Error(await send("GET", `/${bucket}/k`, {}, failing("get: Network connection lost.")), SLOW_DOWN);
    const response = await send("GET", `/${bucket}/k`, {}, failing("get: Reduce your request rate. (10058)"));
    expect(response.headers.get("retry-after")).toBe("1");
    await expectS3Error(response, { status: 503, code: "SlowDown" });
  });
});

/** Bytes of a blob that never end, and whether the reader canceled them. */
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
  it("whose next blob fails while one is sent, breaks off behind that one and leaves nothing unhandled", async () => {
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
    // The failure precedes the read of its result, and the test runner reports an unhandled rejection.
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

  it("lets the one that is sent and the one that comes next go where the client leaves", async () => {
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

  it("lets the bytes of an encrypted one go where the salt, which is asked for beside them, fails", async () => {
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
  it("tells the client nothing, and the log what failed beside the request id", async () => {
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
