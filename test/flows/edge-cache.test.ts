// The edge cache under GetObject: bytes by blob id may come from it, decisions never do.
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import { CACHE_PIECE_BYTES } from "../../src/state/blobs/cache-pieces.ts";
import { edgeCacheOf } from "../../src/contract/edge-caches.ts";
import { anonymous, deliver, presigned, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectSame, noise } from "../support/digests.ts";
import { freshLocation, get, readAnswer, untilHit } from "../support/edge-cache.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { r2With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import {
  createUpload,
  joined,
  largePart,
  type ListedPart,
  PART_MIN_BYTES,
  sendCompletion,
  uploadInParts,
} from "../support/multipart.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { versionedBucket } from "../support/versioning.ts";

const MiB = 1024 * 1024;

/** A blob store that fails every read. */
const NO_BLOBS = { BLOBS: r2With({ get: () => Promise.reject(new Error("the blob store was asked")) }) };

describe("a read through the edge cache", () => {
  it.each([
    ["one byte", 1],
    ["a small object", 1000],
    ["the largest object that is read in one piece of memory", 64 * 1024],
    ["a middle-sized object", 300_000],
    ["two pieces", 2 * MiB + 1],
    ["several pieces", 9 * MiB + 5],
  ])("of %s is a MISS, then a HIT with the same bytes and no call of the blob store", async (_, size) => {
    const bucket = await freshBucket();
    const bytes = noise(size);
    await send("PUT", `/${bucket}/k`, { body: bytes });
    const cold = await get(`/${bucket}/k`);
    expect([cold.status, cold.cache]).toEqual([200, "MISS"]);
    expect(cold.response.headers.has("age")).toBe(false);
    expectSame(cold.bytes, bytes);
    expect(costOf(cold.response)).toMatchObject({ roundTrips: 1, blobCalls: 1 });
    await untilWarm(`/${bucket}/k`, size);
    const warm = await get(`/${bucket}/k`, {}, NO_BLOBS);
    expect([warm.status, warm.cache]).toEqual([200, "HIT"]);
    expect(warm.response.headers.get("age")).toMatch(/^\d+$/);
    expect(warm.response.headers.get("content-length")).toBe(String(size));
    expectSame(warm.bytes, bytes);
    expect(costOf(warm.response)).toMatchObject({ roundTrips: 1, blobCalls: 0 });
  });

  it("of a small object is a HIT at once", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "hello" });
    expect((await get(`/${bucket}/k`)).cache).toBe("MISS");
    expect((await get(`/${bucket}/k`, {}, NO_BLOBS)).text).toBe("hello");
  });

  it.each([
    ["small", 1000, ["0-0", "10-19", "990-", "-5", "0-999"]],
    ["large", 9 * MiB, ["0-9", `${4 * MiB - 3}-${4 * MiB + 2}`, `${8 * MiB}-`, "-7", `100-${9 * MiB - 100}`]],
  ])("serves the ranges of a %s object from its cached whole", async (_, size, ranges) => {
    const bucket = await freshBucket();
    const bytes = noise(size);
    await send("PUT", `/${bucket}/k`, { body: bytes });
    await get(`/${bucket}/k`);
    await untilWarm(`/${bucket}/k`, size);
    for (const range of ranges) {
      const part = await get(`/${bucket}/k`, { headers: { range: `bytes=${range}` } }, NO_BLOBS);
      expect([part.status, part.cache], range).toEqual([206, "HIT"]);
      const [, first, last] = /^bytes (\d+)-(\d+)\/\d+$/.exec(part.response.headers.get("content-range") ?? "") ?? [];
      expectSame(part.bytes, bytes.slice(Number(first), Number(last) + 1));
    }
  });

  it("of a range stores the whole small object with one call of the blob store", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "0123456789" });
    const range = await get(`/${bucket}/k`, { headers: { range: "bytes=2-4" } });
    expect([range.text, range.cache, costOf(range.response).blobCalls]).toEqual(["234", "MISS", 1]);
    expect((await get(`/${bucket}/k`, {}, NO_BLOBS)).text).toBe("0123456789");
  });

  it("of a range stores the whole piece of a large object in the background", async () => {
    const bucket = await freshBucket();
    const bytes = noise(9 * MiB);
    await send("PUT", `/${bucket}/k`, { body: bytes });
    const headers = { range: `bytes=${5 * MiB}-${5 * MiB + 9}` };
    expectSame((await get(`/${bucket}/k`, { headers })).bytes, bytes.slice(5 * MiB, 5 * MiB + 10));
    await untilHit(`/${bucket}/k`, { headers });
    const piece = { headers: { range: `bytes=${4 * MiB}-${6 * MiB - 1}` } };
    expectSame((await get(`/${bucket}/k`, piece, NO_BLOBS)).bytes, bytes.slice(4 * MiB, 6 * MiB));
    expect((await get(`/${bucket}/k`, { headers: { range: "bytes=0-0" } })).cache).toBe("MISS");
  });

  it("of a multipart object caches each part's blob, also under a copy of some of its bytes", async () => {
    const bucket = await freshBucket();
    const parts = [largePart(1), largePart(2, 7), noise(9, 3)];
    await uploadInParts(bucket, "k", parts);
    const bytes = joined(parts);
    const cold = await get(`/${bucket}/k`);
    expect([cold.cache, costOf(cold.response).blobCalls]).toEqual(["MISS", 3]);
    expectSame(cold.bytes, bytes);
    for (const part of [1, 2, 3]) await untilHit(`/${bucket}/k?partNumber=${part}`);
    await untilHit(`/${bucket}/k`, { headers: { range: `bytes=${PART_MIN_BYTES - 2}-${PART_MIN_BYTES + 2}` } });
    const warm = await get(`/${bucket}/k`);
    expectSame(warm.bytes, bytes);

    await assemble(
      bucket,
      "copy",
      Array.from({ length: 1 }, () => [`/${bucket}/k`, "10-99"]),
    );
    for (const cache of ["MISS", "HIT"]) {
      const copy = await get(`/${bucket}/copy`);
      expect([copy.cache, copy.bytes]).toEqual([cache, bytes.slice(10, 100)]);
    }
  });

  it("of more than 450 pieces passes the cache by", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: largePart(1) });
    await assemble(
      bucket,
      "many",
      Array.from({ length: 160 }, () => [`/${bucket}/k`, `0-${PART_MIN_BYTES - 1}`]),
    );
    const all = await send("GET", `/${bucket}/many`);
    expect(all.headers.get("x-cache")).toBe("BYPASS");
    await all.body?.cancel();
    expect((await get(`/${bucket}/many?partNumber=160`)).cache).not.toBe("BYPASS");
  });
});

describe("cached bytes follow the blob, not the key", () => {
  it("a renamed object is a HIT under its new key, and its old key does not exist", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { old: "bytes" });
    await get(`/${bucket}/old`);
    await send("PUT", `/${bucket}/new?renameObject`, { headers: { "x-amz-rename-source": "old" } });
    expect((await get(`/${bucket}/old`)).status).toBe(404);
    const renamed = await get(`/${bucket}/new`, {}, NO_BLOBS);
    expect([renamed.cache, renamed.text]).toEqual(["HIT", "bytes"]);
  });

  it("a copy, a version and a snapshot of one blob share what is cached", async () => {
    const bucket = await versionedBucket();
    const put = await send("PUT", `/${bucket}/k`, { body: "bytes" });
    const id = put.headers.get("x-amz-version-id");
    const snapshot = await takeSnapshot(bucket, "s1");
    await get(`/${bucket}/k`);
    await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/k` } });
    await send("PUT", `/${bucket}/k`, { body: "later" });
    for (const target of [`/${bucket}/copy`, `/${bucket}/k?versionId=${id}`, `/${snapshot}/k`]) {
      const read = await get(target, {}, NO_BLOBS);
      expect([read.cache, read.text], target).toEqual(["HIT", "bytes"]);
    }
  });

  it("equal bytes in different blobs share nothing", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "same", b: "same" });
    await get(`/${bucket}/a`);
    expect((await get(`/${bucket}/b`)).cache).toBe("MISS");
  });
});

describe("a request's Cache-Control", () => {
  it.each(["no-cache", "No-Cache", "max-age=0, no-cache", "private , NO-CACHE"])(
    "%s asks the cache and does not fill it",
    async (value) => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "x" });
      const headers = { "cache-control": value };
      expect((await get(`/${bucket}/k`, { headers })).cache).toBe("MISS");
      expect((await get(`/${bucket}/k`, { headers })).cache).toBe("MISS");
      expect((await get(`/${bucket}/k`)).cache).toBe("MISS");
      expect((await get(`/${bucket}/k`, { headers }, NO_BLOBS)).cache).toBe("HIT");
    },
  );

  it.each(["no-store", "NO-STORE", "no-cache, no-store", 'x="a, b", no-store'])(
    "%s neither asks nor fills the cache",
    async (value) => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "x" });
      const headers = { "cache-control": value };
      expect((await get(`/${bucket}/k`, { headers })).cache).toBe("BYPASS");
      expect((await get(`/${bucket}/k`)).cache).toBe("MISS");
      const warm = await get(`/${bucket}/k`, { headers });
      expect([warm.cache, costOf(warm.response).blobCalls]).toEqual(["BYPASS", 1]);
    },
  );

  it.each(["", "max-age=0", 'ext="no-store, no-cache"', "no-storex", ",,;="])("%j has no effect", async (value) => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const headers = { "cache-control": value };
    expect((await get(`/${bucket}/k`, { headers })).cache).toBe("MISS");
    expect((await get(`/${bucket}/k`, { headers })).cache).toBe("HIT");
  });
});

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

/** Reads the last byte of each piece until all come from the cache. */
async function untilWarm(target: string, size: number): Promise<void> {
  for (let start = 0; start < size; start += CACHE_PIECE_BYTES) {
    const last = Math.min(start + CACHE_PIECE_BYTES, size) - 1;
    await untilHit(target, { headers: { range: `bytes=${last}-${last}` } });
  }
}

/** Makes an object of ranges of others. */
async function assemble(bucket: string, key: string, ranges: readonly (readonly string[])[]): Promise<void> {
  const uploadId = await createUpload(bucket, key);
  const parts: ListedPart[] = [];
  for (const [index, [source = "", range = ""]] of ranges.entries()) {
    const headers = { "x-amz-copy-source": source, "x-amz-copy-source-range": `bytes=${range}` };
    const target = `/${bucket}/${key}?partNumber=${index + 1}&uploadId=${uploadId}`;
    const copied = readXml(await (await send("PUT", target, { headers })).text());
    parts.push({ partNumber: index + 1, etag: textOf(copied, "ETag") ?? "" });
  }
  expect((await sendCompletion(bucket, key, uploadId, parts)).status).toBe(200);
}
