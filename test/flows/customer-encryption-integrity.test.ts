// Integrity of SSE-C objects: digests of uploads, a failing blob store, tampered blobs.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { FRAME_BYTES } from "../../src/bytes/frame-layout.ts";
import { chunkedUpload, cut, type Chunk } from "../support/aws-chunked.ts";
import { deliver, send } from "../support/client.ts";
import { ALGORITHMS, checksum, checksumHeader, expectBytes, md5Base64, noise, sha256Hex } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { r2With } from "../support/faults.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { WITH_KEY, blobOf, get, put } from "./customer-encryption-fixture.ts";

describe("an encrypted upload is verified by", () => {
  const body = noise(FRAME_BYTES + 321, 14);
  const wrong = body.slice().fill(0, 0, 1);

  it.each(ALGORITHMS)("the %s of its plaintext, which is stored and returned", async (algorithm) => {
    const bucket = await freshBucket();
    const header = checksumHeader(algorithm);
    const right = { ...WITH_KEY, [header]: checksum(algorithm, body) };
    expect((await put(bucket, "k", body, right)).headers.get(header)).toBe(right[header]);
    const head = await send("HEAD", `/${bucket}/k`, { headers: { ...WITH_KEY, "x-amz-checksum-mode": "ENABLED" } });
    expect(head.headers.get(header)).toBe(right[header]);
    const headers = { ...WITH_KEY, [header]: checksum(algorithm, wrong) };
    await expectNoTrace(bucket, async () =>
      expectS3Error(await send("PUT", `/${bucket}/k`, { body, headers }), { status: 400, code: "BadDigest" }),
    );
  });

  it("the MD5 and the signed SHA-256 of its plaintext, with and without a checksum", async () => {
    const bucket = await freshBucket();
    for (const more of [
      {},
      { "x-amz-checksum-crc32": checksum("CRC32", body) },
      { "x-amz-checksum-sha1": checksum("SHA1", body) },
    ]) {
      const right = { ...WITH_KEY, ...more, "content-md5": md5Base64(body), "x-amz-content-sha256": sha256Hex(body) };
      await put(bucket, "k", body, right);
      const falseMd5 = { ...right, "content-md5": md5Base64(wrong) };
      const falseSha256 = { ...right, "x-amz-content-sha256": sha256Hex(wrong) };
      await expectNoTrace(bucket, async () => {
        await expectS3Error(await send("PUT", `/${bucket}/k`, { body, headers: falseMd5 }), {
          status: 400,
          code: "BadDigest",
          fields: { ExpectedDigest: md5Base64(wrong), CalculatedDigest: md5Base64(body) },
        });
        await expectS3Error(await send("PUT", `/${bucket}/k`, { body, headers: falseSha256 }), {
          status: 400,
          code: "XAmzContentSHA256Mismatch",
          fields: { ClientComputedContentSHA256: sha256Hex(wrong), S3ComputedContentSHA256: sha256Hex(body) },
        });
      });
      await expectBytes(await get(bucket, "k"), body);
    }
  });

  it("the signature of each chunk", async () => {
    const bucket = await freshBucket();
    const form = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    const pieces = cut(body, 16_384);
    const right = await deliver(await chunkedUpload(`/${bucket}/k`, { form, pieces, headers: WITH_KEY }));
    expect(right.status).toBe(200);
    await expectBytes(await get(bucket, "k"), body);
    const spoilChunks = (chunks: readonly Chunk[]): Chunk[] =>
      chunks.map((chunk, index) => (index === 2 ? { ...chunk, signature: "0".repeat(64) } : chunk));
    await expectNoTrace(bucket, async () => {
      const upload = await chunkedUpload(`/${bucket}/k`, { form, pieces, headers: WITH_KEY, spoilChunks });
      expect((await deliver(upload)).status).toBe(403);
    });
  });

  it("its length", async () => {
    const bucket = await freshBucket();
    const headers = { ...WITH_KEY, "content-length": String(body.length + 1) };
    await expectNoTrace(bucket, async () =>
      expectS3Error(await send("PUT", `/${bucket}/k`, { body, headers }), { status: 400, code: "IncompleteBody" }),
    );
  });
});

describe("a failing blob store", () => {
  it("fails an encrypted upload at once, whether or not it has read any bytes", async () => {
    const bucket = await freshBucket();
    const failing = [
      r2With({ put: () => Promise.reject(new Error("the store is down")) }),
      r2With({
        put: async (_key, body) => {
          const reader = body.getReader();
          await reader.read();
          throw new Error("the store went down");
        },
      }),
    ];
    for (const BLOBS of failing) {
      await expectNoTrace(bucket, async () => {
        const response = await send("PUT", `/${bucket}/k`, { body: noise(2_000_000), headers: WITH_KEY }, { BLOBS });
        await expectS3Error(response, { status: 500, code: "InternalError" });
      });
    }
  });

  it("is retried once when the blob of an encrypted object is missing", async () => {
    const bucket = await freshBucket();
    await put(bucket, "k", noise(2 * FRAME_BYTES));
    let missing = 2;
    const BLOBS = r2With({
      get: async (key, options) => {
        missing -= 1;
        return missing < 0 ? env.BLOBS.get(key, options) : null;
      },
    });
    const headers = { ...WITH_KEY, range: `bytes=${FRAME_BYTES}-` };
    const read = await send("GET", `/${bucket}/k`, { headers }, { BLOBS });
    expect(read.status).toBe(206);
    await expectBytes(read, noise(2 * FRAME_BYTES).slice(FRAME_BYTES));
  });
});

describe("a tampered blob", () => {
  async function spoilt(spoil: (bytes: Uint8Array) => Uint8Array): Promise<string> {
    const bucket = await freshBucket();
    await put(bucket, "k", noise(3 * FRAME_BYTES, 15));
    const { blobId, bytes } = await blobOf(bucket, "k");
    await env.BLOBS.put(blobId, spoil(bytes));
    return bucket;
  }

  const flipped = (place: number) => (bytes: Uint8Array) => {
    const copy = bytes.slice();
    copy[place] = (copy[place] ?? 0) ^ 1;
    return copy;
  };

  it("breaks the response off before the first wrong byte", async () => {
    const bucket = await spoilt(flipped(2 * FRAME_BYTES));
    await expect((await get(bucket, "k")).arrayBuffer()).rejects.toThrow();
    const before = await get(bucket, "k", { ...WITH_KEY, range: `bytes=0-${FRAME_BYTES - 1}` });
    await expectBytes(before, noise(3 * FRAME_BYTES, 15).slice(0, FRAME_BYTES));
    const within = await get(bucket, "k", { ...WITH_KEY, range: `bytes=${2 * FRAME_BYTES - 10}-${2 * FRAME_BYTES}` });
    await expect(within.arrayBuffer()).rejects.toThrow();
  });

  it("returns nothing when its salt differs", async () => {
    const bucket = await spoilt(flipped(0));
    await expect((await get(bucket, "k")).arrayBuffer()).rejects.toThrow();
    const end = await get(bucket, "k", { ...WITH_KEY, range: "bytes=-5" });
    await expect(end.arrayBuffer()).rejects.toThrow();
  });

  it("returns an error when it is truncated", async () => {
    const bucket = await spoilt((bytes) => bytes.slice(0, -1));
    await expectS3Error(await get(bucket, "k"), { status: 500, code: "InternalError" });
  });
});
