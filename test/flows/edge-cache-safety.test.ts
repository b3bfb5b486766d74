// The edge cache under requests that try to confuse its keys, poison it, or read through it what they may not.
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import { edgeCacheOf } from "../../src/contract/edge-caches.ts";
import { anonymous, deliver, presigned, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectSame, noise } from "../support/digests.ts";
import { freshLocation, get, NO_BLOBS, readAnswer } from "../support/edge-cache.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";
import { storedStateOf } from "../support/stored-state.ts";

storeBodiesInBlobs();

const MiB = 1024 * 1024;

describe("what is never cached", () => {
  it("bytes under a customer's key, nor their copy's key", async () => {
    const bucket = await freshBucket();
    const headers = keyHeaders(customerKey(1));
    await send("PUT", `/${bucket}/k`, { body: "secret", headers });
    for (const times of [1, 2]) {
      const read = await get(`/${bucket}/k`, { headers });
      expect([read.cache, read.text, times]).toEqual(["BYPASS", "secret", times]);
    }
    expect((await get(`/${bucket}/k`)).status).toBe(400);
    expect((await get(`/${bucket}/k`, { headers: keyHeaders(customerKey(2)) })).status).toBe(403);
  });

  it("responses without bytes, which have no X-Cache", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x", empty: "" });
    const head = await send("HEAD", `/${bucket}/k`);
    expect([head.status, head.headers.get("x-cache")]).toEqual([200, null]);
    expect((await get(`/${bucket}/empty`)).cache).toBeNull();
    expect((await get(`/${bucket}/k`, { headers: { "if-none-match": "*" } })).cache).toBeNull();
    expect((await get(`/${bucket}/k`, { headers: { range: "bytes=9-" } })).cache).toBeNull();
    expect((await get(`/${bucket}/k`)).cache).toBe("MISS");
  });

  it.each([
    ["the setting is off", { EDGE_CACHE: "off" }, "http://localhost:9000"],
    ["the host is on workers.dev", {}, "https://cairn.someone.workers.dev"],
  ])("anything while %s", async (_, scope, endpoint) => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    for (const times of [1, 2]) {
      const read = await get(`/${bucket}/k`, { endpoint }, scope);
      expect([read.cache, read.text, times]).toEqual(["BYPASS", "x", times]);
    }
  });
});

describe("a cached response", () => {
  it("has the headers that this request asks for, not those of an earlier one", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, {
      body: "x",
      headers: { "content-type": "text/css", "cache-control": "private" },
    });
    const overridden = await get(`/${bucket}/k?response-content-type=text/html&response-cache-control=public`);
    expect(overridden.response.headers.get("content-type")).toBe("text/html");
    const plain = await get(`/${bucket}/k`, { headers: { origin: "https://evil.example" } });
    expect([plain.cache, plain.response.headers.get("content-type")]).toEqual(["HIT", "text/css"]);
    expect(plain.response.headers.get("cache-control")).toBe("private");
    expect(plain.response.headers.has("access-control-allow-origin")).toBe(false);
  });

  it("does not depend on the way in which the object was addressed or the request signed", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "a b": "x" });
    await get(`/${bucket}/a%20b`);
    const virtual = await get(`/a%20b`, { endpoint: `http://${bucket}.s3.example.com` });
    expect([virtual.status, virtual.text]).toEqual([200, "x"]);
    const url = await readAnswer(await deliver(await presigned("GET", `/${bucket}/a%20b`)));
    expect([url.cache, url.text]).toEqual(["HIT", "x"]);
  });

  it.each(["http://localhost.:9000", "http://127.0.0.1:9000", "http://[::1]:9000", "https://LOCALHOST", "http://a_b"])(
    "is the same under the address %s",
    async (endpoint) => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "x", other: "y" });
      await get(`/${bucket}/other`, { endpoint });
      for (const cache of ["MISS", "HIT"]) {
        const read = await get(`/${bucket}/k`, { endpoint });
        expect([read.status, read.cache, read.text]).toEqual([200, cache, "x"]);
      }
    },
  );

  it.each(["a", "a/", "/a", "a//b", "a/./b", "a/../a", "%2e", "A", "a.", "a?", "a%00"])(
    "is of its own key beside similar ones: %j",
    async (key) => {
      const bucket = await freshBucket();
      const others = ["a", "a/", "/a", "a//b", "a/./b", "a/../a", "%2e", "A", "a.", "a?", "a%00"];
      for (const other of others) await send("PUT", `/${bucket}/${encodeURIComponent(other)}`, { body: other });
      for (const other of others) await get(`/${bucket}/${encodeURIComponent(other)}`);
      const read = await get(`/${bucket}/${encodeURIComponent(key)}`, {}, NO_BLOBS);
      expect([read.cache, read.text]).toEqual(["HIT", key]);
    },
  );

  it.each([
    ["X-Forwarded-Host", "evil.example"],
    ["X-Original-URL", "/other"],
    ["X-Cache", "HIT"],
    ["Age", "9"],
    ["Cookie", "a=b"],
    ["Vary", "*"],
    ["CF-Cache-Status", "HIT"],
    ["x-cairn-no-fill", "1"],
  ])("is the same for a request with %s", async (name, value) => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x", other: "y" });
    const headers = { [name]: value };
    const cold = await get(`/${bucket}/k`, { headers });
    expect([cold.cache, cold.text]).toEqual(["MISS", "x"]);
    const warm = await get(`/${bucket}/k`);
    expect([warm.cache, warm.text]).toEqual(["HIT", "x"]);
    expect(warm.response.headers.has("set-cookie")).toBe(false);
  });

  it.each([
    ["HEAD", "HEAD", {}],
    ["a range", "GET", { range: "bytes=1-2" }],
    ["a range that contains no byte", "GET", { range: "bytes=9-" }],
    ["a condition that fails", "GET", { "if-match": '"other"' }],
    ["an object that was not modified", "GET", { "if-none-match": "*" }],
  ])("is whole after %s", async (_, method, headers) => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "text" });
    await (await send(method, `/${bucket}/k`, { headers })).arrayBuffer();
    for (let turn = 0; turn < 2; turn += 1) {
      const read = await get(`/${bucket}/k`);
      expect([read.status, read.response.headers.get("content-length"), read.text]).toEqual([200, "4", "text"]);
    }
  });

  it("is not reached by the name of its entry", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "private" });
    await get(`/${bucket}/k`);
    const [blobId = ""] = Object.keys((await storedStateOf(bucket)).blobs);
    for (const path of [`/${blobId}/0-7`, `/${"0".repeat(32)}/${blobId}/0-7`, `/${blobId}`]) {
      for (const endpoint of ["http://localhost:9000", "http://blobs.invalid", "http://s3.example.com"]) {
        const answer = await readAnswer(await deliver(anonymous("GET", path, { endpoint })));
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.text).not.toContain("private");
      }
    }
  });
});

describe("Workers Cache, called without a cache in front", () => {
  const SCOPE = { EDGE_CACHE: "workers-cache" };

  it("serves whole objects, ranges and parts through the entrypoint", async () => {
    const bucket = await freshBucket();
    const bytes = noise(9 * MiB);
    await send("PUT", `/${bucket}/k`, { body: bytes });
    const whole = await get(`/${bucket}/k`, {}, { ...SCOPE, ...NO_BLOBS });
    expect([whole.status, whole.cache]).toEqual([200, "MISS"]);
    expectSame(whole.bytes, bytes);
    const headers = { range: `bytes=${4 * MiB - 5}-${4 * MiB + 5}` };
    expectSame((await get(`/${bucket}/k`, { headers }, SCOPE)).bytes, bytes.slice(4 * MiB - 5, 4 * MiB + 6));
    expect((await get(`/${bucket}/k`, { headers: { "cache-control": "no-store" } }, SCOPE)).cache).toBe("BYPASS");
  });

  it("counts the entrypoint's call of the blob store", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    expect(costOf((await get(`/${bucket}/k`, {}, SCOPE)).response)).toMatchObject({ roundTrips: 1, blobCalls: 1 });
  });
});

describe("damaged bytes in the cache", () => {
  it.each([
    ["small", 1000],
    ["large", 300_000],
  ])("of a %s object are noticed by a verified read, evicted, and read from the blob store", async (size, length) => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const bucket = await freshBucket();
    const bytes = noise(length);
    await send("PUT", `/${bucket}/k`, { body: bytes });
    const location = freshLocation();
    const scope = { ...location, VERIFY_READS: "always" };
    const [blobId = ""] = Object.keys((await storedStateOf(bucket)).blobs);
    const cache = await edgeCacheOf(readSettings({ ...env, ...location }), "http://localhost:9000/", () => undefined);
    await cache?.store({ blobId, from: 0, to: length }, [new Uint8Array(length)]);
    if (size === "small") {
      const read = await get(`/${bucket}/k`, {}, scope);
      expect([read.status, read.cache]).toEqual([200, "BYPASS"]);
      expectSame(read.bytes, bytes);
    } else {
      const response = await send("GET", `/${bucket}/k`, {}, scope);
      await expect(response.arrayBuffer()).rejects.toThrow();
    }
    const next = await get(`/${bucket}/k`, {}, scope);
    expect(next.cache).toBe("MISS");
    expectSame(next.bytes, bytes);
    expect(logged.mock.calls.flat().join("")).toContain("cached bytes are damaged");
    logged.mockRestore();
  });
});

describe("locations", () => {
  it("do not share what is cached", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const [near, far] = [freshLocation(), freshLocation()];
    expect((await get(`/${bucket}/k`, {}, near)).cache).toBe("MISS");
    expect((await get(`/${bucket}/k`, {}, near)).cache).toBe("HIT");
    expect((await get(`/${bucket}/k`, {}, far)).cache).toBe("MISS");
  });
});

describe("a decision is never cached", () => {
  it("an anonymous reader is refused by the first request after the policy is gone", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "private" });
    expect((await putPolicy(bucket, publicReadPolicy(bucket))).status).toBe(204);
    const read = async () => readAnswer(await deliver(anonymous("GET", `/${bucket}/k`)));
    expect((await read()).text).toBe("private");
    expect((await read()).cache).toBe("HIT");
    await send("DELETE", `/${bucket}?policy`);
    const refused = await read();
    expect([refused.status, refused.cache]).toEqual([403, null]);
    expect(refused.text).not.toContain("private");
  });
});
