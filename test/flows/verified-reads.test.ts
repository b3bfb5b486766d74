// Reads of whole objects whose bytes differ from their rows: a verified read never looks like a success.
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { toBase64 } from "../../src/bytes/hex-base64.ts";
import { isVerifiedRead } from "../../src/state/reads/verified-bytes.ts";
import { send } from "../support/client.ts";
import { ALGORITHMS, checksum, expectBytes, md5Base64, noise } from "../support/digests.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { largePart, uploadInParts } from "../support/multipart.ts";
import { bucketId } from "../support/stored-state.ts";

storeBodiesInBlobs();

// The tests damage the blob store, so they read from there.
const ALWAYS = { VERIFY_READS: "always", EDGE_CACHE: "off" };
const LARGE_BYTES = 1_000_000;

const errorLog = vi.spyOn(console, "error");
beforeEach(() => {
  errorLog.mockReset().mockImplementation(() => undefined);
});
afterEach(() => {
  errorLog.mockReset();
});

/** Changes one byte of each blob of a bucket, in the middle or at the end. */
async function damage(bucket: string, where: "middle" | "end" = "middle"): Promise<string[]> {
  const { objects } = await env.BLOBS.list({ prefix: `${await bucketId(bucket)}/`, include: ["customMetadata"] });
  for (const { key, customMetadata = {} } of objects) {
    const bytes = await (await env.BLOBS.get(key))?.bytes();
    if (bytes === undefined || bytes.length === 0) continue;
    const index = where === "middle" ? Math.floor(bytes.length / 2) : bytes.length - 1;
    bytes[index] = (bytes[index] ?? 0) ^ 1;
    await env.BLOBS.put(key, bytes, { customMetadata });
  }
  return objects.map(({ key }) => key);
}

async function findings(bucket: string): Promise<Record<string, string>> {
  const { results } = await env.DB.prepare(
    "SELECT blob_id, finding FROM scrub_findings WHERE blob_id >= ?1 || '/' AND blob_id < ?1 || '0'",
  )
    .bind(await bucketId(bucket))
    .all<{ blob_id: string; finding: string }>();
  return Object.fromEntries(results.map(({ blob_id: id, finding }) => [id, finding]));
}

async function put(bucket: string, key: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<void> {
  expect((await send("PUT", `/${bucket}/${key}`, { body, headers })).status).toBe(200);
}

/** The number of bytes that a body returns before it breaks off. */
async function bytesBeforeFailure(response: Response): Promise<number> {
  const reader = response.body?.getReader();
  let length = 0;
  await expect(async () => {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) return;
      length += value?.length ?? 0;
    }
  }).rejects.toThrow();
  return length;
}

describe("a verified read", () => {
  it.each(["sampled", "always", "off"])(
    "returns intact bytes under VERIFY_READS=%s, for small and large objects",
    async (setting) => {
      const bucket = await freshBucket();
      const parts = [largePart(1), "two"];
      for (const size of [0, 1, 65_536, 65_537, LARGE_BYTES]) {
        const body = noise(size);
        await put(bucket, "k", body);
        const response = await send("GET", `/${bucket}/k`, {}, { VERIFY_READS: setting });
        expect(response.headers.get("content-length")).toBe(String(size));
        await expectBytes(response, body);
      }
      await uploadInParts(bucket, "parts", parts);
      expect((await send("GET", `/${bucket}/parts`, {}, { VERIFY_READS: setting })).status).toBe(200);
      expect(await findings(bucket)).toEqual({});
    },
  );

  it.each([1, 1000, 65_536])("of %d damaged bytes returns 500 and is recorded", async (size) => {
    const bucket = await freshBucket();
    await put(bucket, "k", noise(size));
    const [blobId = ""] = await damage(bucket);
    const response = await send("GET", `/${bucket}/k`, {}, ALWAYS);
    expect(response.status).toBe(500);
    expect(await response.text()).toContain("<Code>InternalError</Code>");
    expect(await findings(bucket)).toEqual({
      [blobId]: expect.stringMatching(/^a reader's CRC64NVME is \S+, its row says/),
    });
    // HEAD reads no bytes, and a range has no checksum.
    expect((await send("HEAD", `/${bucket}/k`, {}, ALWAYS)).status).toBe(200);
  });

  it.each(["middle", "end"] as const)(
    "of a large object breaks off before the last byte when the %s is damaged",
    async (where) => {
      const bucket = await freshBucket();
      await put(bucket, "k", noise(LARGE_BYTES));
      const [blobId = ""] = await damage(bucket, where);
      const response = await send("GET", `/${bucket}/k`, {}, ALWAYS);
      expect(response.status).toBe(200);
      expect(await bytesBeforeFailure(response)).toBeLessThan(LARGE_BYTES);
      expect(Object.keys(await findings(bucket))).toEqual([blobId]);
      const part = await send("GET", `/${bucket}/k`, { headers: { range: "bytes=0-9" } }, ALWAYS);
      expect(part.status).toBe(206);
      const whole = await send("GET", `/${bucket}/k`, { headers: { range: "bytes=0-" } }, ALWAYS);
      expect(await bytesBeforeFailure(whole)).toBeLessThan(LARGE_BYTES);
    },
  );

  it.each(ALGORITHMS)("compares a stored %s", async (algorithm) => {
    const bucket = await freshBucket();
    const body = noise(5000);
    await put(bucket, "k", body, { [`x-amz-checksum-${algorithm.toLowerCase()}`]: checksum(algorithm, body) });
    await expectBytes(await send("GET", `/${bucket}/k`, {}, ALWAYS), body);
    const [blobId = ""] = await damage(bucket);
    expect((await send("GET", `/${bucket}/k`, {}, ALWAYS)).status).toBe(500);
    expect((await findings(bucket))[blobId]).toContain(`a reader's ${algorithm} is`);
  });

  it("compares the MD5 of an object that has no checksum", async () => {
    const bucket = await freshBucket();
    await put(bucket, "k", noise(100));
    await env.DB.prepare(
      "UPDATE objects SET checksum = NULL, checksum_type = NULL, checksum_algorithm = NULL WHERE bucket_id = ?",
    )
      .bind(await bucketId(bucket))
      .run();
    await expectBytes(await send("GET", `/${bucket}/k`, {}, ALWAYS), noise(100));
    const [blobId = ""] = await damage(bucket);
    expect((await send("GET", `/${bucket}/k`, {}, ALWAYS)).status).toBe(500);
    expect((await findings(bucket))[blobId]).toMatch(/^a reader's MD5 is \w{32}, its row says/);
  });

  it("detects a damaged multipart object with a full-object checksum", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "parts", [largePart(1), "two"]);
    await damage(bucket);
    const response = await send("GET", `/${bucket}/parts`, {}, ALWAYS);
    expect(await bytesBeforeFailure(response)).toBeLessThan(Number(response.headers.get("content-length")));
  });

  it("detects damage in a copy and in a version", async () => {
    const bucket = await freshBucket();
    await put(bucket, "k", noise(10));
    await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/k` } });
    await damage(bucket);
    expect((await send("GET", `/${bucket}/copy`, {}, ALWAYS)).status).toBe(500);
    expect((await send("GET", `/${bucket}/k?versionId=null`, {}, ALWAYS)).status).toBe(500);
  });

  it("does not occur when disabled, and occurs for some reads when sampled", async () => {
    const bucket = await freshBucket();
    await put(bucket, "k", noise(10));
    await damage(bucket);
    expect((await send("GET", `/${bucket}/k`, {}, { VERIFY_READS: "off" })).status).toBe(200);
    const random = vi.spyOn(Math, "random");
    random.mockReturnValue(0.99);
    expect((await send("GET", `/${bucket}/k`, {}, { VERIFY_READS: "sampled" })).status).toBe(200);
    random.mockReturnValue(0);
    expect((await send("GET", `/${bucket}/k`, {}, { VERIFY_READS: "sampled" })).status).toBe(500);
    random.mockRestore();
  });

  it("of an SSE-C object relies on its authenticated frames", async () => {
    const bucket = await freshBucket();
    const bytes = noise(32);
    const key = {
      "x-amz-server-side-encryption-customer-algorithm": "AES256",
      "x-amz-server-side-encryption-customer-key": toBase64(bytes),
      "x-amz-server-side-encryption-customer-key-md5": md5Base64(bytes),
    };
    const body = noise(1000);
    await put(bucket, "k", body, key);
    await expectBytes(await send("GET", `/${bucket}/k`, { headers: key }, ALWAYS), body);
    expect(await findings(bucket)).toEqual({});
  });
});

describe("isVerifiedRead", () => {
  const GIBIBYTE = 1024 ** 3;
  it.each([
    ["off", 1, false],
    ["sampled", GIBIBYTE, true],
    ["sampled", GIBIBYTE + 1, false],
    ["always", 16 * GIBIBYTE, true],
    ["always", 16 * GIBIBYTE + 1, false],
  ] as const)("under %s and for %d bytes is %s where the sample includes the read", (setting, size, expected) => {
    const random = vi.spyOn(Math, "random").mockReturnValue(0);
    expect(isVerifiedRead(setting, size)).toBe(expected);
    random.mockRestore();
  });
});
