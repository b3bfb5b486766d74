// The edge cache under GetObject: bytes by blob id may come from it, decisions never do.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectSame, noise } from "../support/digests.ts";
import { get, NO_BLOBS, untilHit } from "../support/edge-cache.ts";
import { r2With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import {
  createUpload,
  joined,
  largePart,
  type ListedPart,
  PART_MIN_BYTES,
  sendCompletion,
  uploadInParts,
} from "../support/multipart.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { versionedBucket } from "../support/versioning.ts";

storeBodiesInBlobs();

const MiB = 1024 * 1024;
/** The default. */
const CACHE_PIECE_BYTES = 4 * MiB;

describe("a read through the edge cache", () => {
  it.each([
    ["one byte", 1],
    ["a small object", 1000],
    ["the largest object that is read in one piece of memory", 64 * 1024],
    ["a middle-sized object", 300_000],
    ["two pieces", 4 * MiB + 1],
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

  it("of one object a hundred times reads it from the blob store once", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "hello" });
    let bytesRead = 0;
    const BLOBS = r2With({
      get: async (key, options) => {
        const found = await env.BLOBS.get(key, options);
        bytesRead += found?.size ?? 0;
        return found;
      },
    });
    for (let times = 0; times < 100; times += 1) {
      const { text } = await get(`/${bucket}/k`, times % 3 === 2 ? { headers: { range: "bytes=0-4" } } : {}, { BLOBS });
      expect(text).toBe("hello");
    }
    expect(bytesRead).toBe(5);
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
    const piece = { headers: { range: `bytes=${4 * MiB}-${8 * MiB - 1}` } };
    expectSame((await get(`/${bucket}/k`, piece, NO_BLOBS)).bytes, bytes.slice(4 * MiB, 8 * MiB));
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
      Array.from({ length: 230 }, () => [`/${bucket}/k`, `0-${PART_MIN_BYTES - 1}`]),
    );
    const all = await send("GET", `/${bucket}/many`);
    expect(all.headers.get("x-cache")).toBe("BYPASS");
    await all.body?.cancel();
    expect((await get(`/${bucket}/many?partNumber=230`)).cache).not.toBe("BYPASS");
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
