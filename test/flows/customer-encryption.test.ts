// SSE-C objects through every operation on objects.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { FRAME_BYTES, FrameLayout } from "../../src/bytes/frame-layout.ts";
import { chunkedUpload, cut, type Chunk } from "../support/aws-chunked.ts";
import { deliver, presigned, send, type SendOptions } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import {
  ALGORITHMS,
  checksum,
  checksumHeader,
  expectBytes,
  md5Base64,
  md5Hex,
  noise,
  sha256Hex,
  utf8,
} from "../support/digests.ts";
import { customerKey, encryptionShownFor, keyHeaders, shownEncryption } from "../support/encryption.ts";
import { expectHeadError, expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { r2With } from "../support/faults.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { expectBalanced, rowsOf } from "../support/rows.ts";
import { versionedBucket } from "../support/versioning.ts";

const KEY = customerKey(1);
const OTHER = customerKey(2);
const WITH_KEY = keyHeaders(KEY);
const WITH_OTHER = keyHeaders(OTHER);
const SIZES = [0, 1, 1000, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES + 5];

const NEEDS_KEY: ExpectedError = {
  status: 400,
  code: "InvalidRequest",
  message:
    "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
};
const WRONG_KEY: ExpectedError = {
  status: 403,
  code: "AccessDenied",
  message:
    "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.",
};
const NOT_APPLICABLE: ExpectedError = {
  status: 400,
  code: "InvalidRequest",
  message: "The encryption parameters are not applicable to this object.",
};

async function put(bucket: string, key: string, body: string | Uint8Array, headers: SendOptions["headers"] = WITH_KEY) {
  const response = await send("PUT", `/${bucket}/${key}`, { body, headers });
  expect(response.status).toBe(200);
  return response;
}

async function get(bucket: string, key: string, headers: SendOptions["headers"] = WITH_KEY): Promise<Response> {
  return send("GET", `/${bucket}/${key}`, { headers });
}

/** The single blob of an object, read directly from R2. */
async function blobOf(bucket: string, key: string): Promise<{ readonly blobId: string; readonly bytes: Uint8Array }> {
  const blobId = (await storedStateOf(bucket)).objects[key]?.blob_id ?? "";
  const blob = await env.BLOBS.get(blobId);
  return { blobId, bytes: (await blob?.bytes()) ?? new Uint8Array() };
}

describe("an object that is encrypted with a customer's key", () => {
  it.each(SIZES)("of %i bytes is returned with the key, and reports its encryption", async (size) => {
    const bucket = await freshBucket();
    const body = noise(size, 11);
    const stored = await put(bucket, "k", body);
    expect(shownEncryption(stored)).toEqual(encryptionShownFor(KEY));
    const read = await get(bucket, "k");
    expect(read.status).toBe(200);
    expect(read.headers.get("content-length")).toBe(String(size));
    expect(shownEncryption(read)).toEqual(encryptionShownFor(KEY));
    await expectBytes(read, body);
    const head = await send("HEAD", `/${bucket}/k`, { headers: WITH_KEY });
    expect(head.status).toBe(200);
    expect(head.headers.get("content-length")).toBe(String(size));
    expect(head.headers.get("etag")).toBe(stored.headers.get("etag"));
    expect(shownEncryption(head)).toEqual(encryptionShownFor(KEY));
  });

  it("is unreadable in the blob store, next to nothing that reveals the key", async () => {
    const bucket = await freshBucket();
    const body = utf8("thieves of the disks cannot read this. ".repeat(6000));
    await put(bucket, "k", body, { ...WITH_KEY, "x-amz-meta-a": "1" });
    const { blobId, bytes } = await blobOf(bucket, "k");
    expect(bytes.length).toBe(new FrameLayout(body.length).encryptedLength);
    const text = new TextDecoder("latin1").decode(bytes);
    for (const word of ["thieves", "disks", "read this"]) expect(text).not.toContain(word);
    const head = await env.BLOBS.head(blobId);
    const kept = JSON.stringify([await rowsOf(bucket), head, head?.customMetadata]);
    const raw = Array.from(atob(KEY), (byte) => byte.charCodeAt(0));
    const hex = raw.map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const md5 = WITH_KEY["x-amz-server-side-encryption-customer-key-md5"] ?? "";
    const digest = sha256Hex(Uint8Array.from(raw));
    for (const secret of [KEY, KEY.slice(0, 12), hex, md5, md5Hex(Uint8Array.from(raw)), digest, md5Hex(body)]) {
      expect(kept).not.toContain(secret);
    }
    expect(head?.customMetadata).toHaveProperty("encryption");
  });

  it("has a random ETag that reveals nothing about its bytes", async () => {
    const bucket = await freshBucket();
    const [first, second] = [await put(bucket, "a", "same"), await put(bucket, "b", "same")];
    expect(first.headers.get("etag")).toMatch(/^"[0-9a-f]{32}"$/);
    expect(first.headers.get("etag")).not.toBe(`"${md5Hex("same")}"`);
    expect(second.headers.get("etag")).not.toBe(first.headers.get("etag"));
    expect((await blobOf(bucket, "a")).bytes).not.toEqual((await blobOf(bucket, "b")).bytes);
  });

  it("returns neither bytes nor attributes without its key or with another key", async () => {
    const bucket = await freshBucket();
    await put(bucket, "k", "body");
    for (const [headers, refusal] of [
      [{}, NEEDS_KEY],
      [WITH_OTHER, WRONG_KEY],
    ] as const) {
      await expectS3Error(await get(bucket, "k", headers), refusal);
      await expectS3Error(await get(bucket, "k", { ...headers, range: "bytes=0-1" }), refusal);
      await expectS3Error(await get(bucket, "k", { ...headers, "if-none-match": "*" }), refusal);
      const attributes = { ...headers, "x-amz-object-attributes": "ETag,ObjectSize" };
      await expectS3Error(await get(bucket, "k?attributes", attributes), refusal);
      await expectHeadError(await send("HEAD", `/${bucket}/k`, { headers }), refusal.status);
    }
    const attributes = { ...WITH_KEY, "x-amz-object-attributes": "ETag,ObjectSize" };
    const shown = await get(bucket, "k?attributes", attributes);
    expect(shown.status).toBe(200);
    expect(textOf(readXml(await shown.text()), "ObjectSize")).toBe("4");
  });

  it("rejects a key on any other kind of object", async () => {
    const bucket = await freshBucket();
    await put(bucket, "plain", "body", {});
    await expectS3Error(await get(bucket, "plain"), NOT_APPLICABLE);
    await expectHeadError(await send("HEAD", `/${bucket}/plain`, { headers: WITH_KEY }), 400);
    const attributes = { ...WITH_KEY, "x-amz-object-attributes": "ETag" };
    await expectS3Error(await get(bucket, "plain?attributes", attributes), NOT_APPLICABLE);
    const read = await get(bucket, "plain", {});
    expect(shownEncryption(read)).toEqual(encryptionShownFor(undefined));
    await expectBytes(read, "body");
    await expectS3Error(await get(bucket, "missing"), { status: 404, code: "NoSuchKey", fields: { Key: "missing" } });
  });

  it.each([
    [0, 0],
    [0, 9],
    [FRAME_BYTES - 5, FRAME_BYTES + 5],
    [FRAME_BYTES, 2 * FRAME_BYTES - 1],
    [2 * FRAME_BYTES + 1, 3 * FRAME_BYTES + 99],
    [3 * FRAME_BYTES, 3 * FRAME_BYTES],
  ])("returns bytes %i to %i as a slice of the whole", async (first, last) => {
    const bucket = await freshBucket();
    const body = noise(3 * FRAME_BYTES + 100, 12);
    await put(bucket, "k", body);
    const read = await get(bucket, "k", { ...WITH_KEY, range: `bytes=${first}-${last}` });
    expect(read.status).toBe(206);
    expect(read.headers.get("content-range")).toBe(`bytes ${first}-${last}/${body.length}`);
    expect(shownEncryption(read)).toEqual(encryptionShownFor(KEY));
    await expectBytes(read, body.slice(first, last + 1));
  });

  it("serves suffix ranges and part 1, and rejects unsatisfiable ranges", async () => {
    const bucket = await freshBucket();
    const body = noise(FRAME_BYTES + 100, 13);
    await put(bucket, "k", body);
    await expectBytes(await get(bucket, "k", { ...WITH_KEY, range: "bytes=-101" }), body.slice(-101));
    const part = await get(bucket, "k?partNumber=1");
    expect(part.status).toBe(206);
    await expectBytes(part, body);
    const beyond = await get(bucket, "k", { ...WITH_KEY, range: `bytes=${body.length}-` });
    await expectS3Error(beyond, {
      status: 416,
      code: "InvalidRange",
      fields: { RangeRequested: `bytes=${body.length}-`, ActualObjectSize: String(body.length) },
    });
  });

  it("honours read conditions", async () => {
    const bucket = await freshBucket();
    const etag = (await put(bucket, "k", "body")).headers.get("etag") ?? "";
    expect((await get(bucket, "k", { ...WITH_KEY, "if-none-match": etag })).status).toBe(304);
    expect((await get(bucket, "k", { ...WITH_KEY, "if-match": etag })).status).toBe(200);
    expect((await get(bucket, "k", { ...WITH_KEY, "if-match": '"x"' })).status).toBe(412);
    const replaced = await put(bucket, "k", "more", { ...WITH_KEY, "if-match": etag });
    expect(replaced.headers.get("etag")).not.toBe(etag);
    await expectS3Error(await send("PUT", `/${bucket}/k`, { headers: { ...WITH_KEY, "if-none-match": "*" } }), {
      status: 412,
      code: "PreconditionFailed",
      fields: { Condition: "If-None-Match" },
    });
  });

  it("is listed, tagged, renamed and deleted without its key", async () => {
    const bucket = await freshBucket();
    await put(bucket, "k", "body");
    expect(await (await send("GET", `/${bucket}?list-type=2`)).text()).toContain("<Key>k</Key>");
    const tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
    const tagged = await send("PUT", `/${bucket}/k?tagging`, {
      body: tagging,
      headers: { "content-md5": md5Base64(utf8(tagging)) },
    });
    expect(tagged.status).toBe(200);
    expect(await (await send("GET", `/${bucket}/k?tagging`)).text()).toContain("<Key>a</Key>");
    const renamed = await send("PUT", `/${bucket}/new`, { headers: { "x-amz-rename-source": `/${bucket}/k` } });
    expect(renamed.status).toBe(200);
    await expectS3Error(await get(bucket, "new", {}), NEEDS_KEY);
    await expectBytes(await get(bucket, "new"), "body");
    expect((await send("DELETE", `/${bucket}/new`)).status).toBe(204);
    await expectBalanced(bucket);
  });

  it("has one key per version", async () => {
    const bucket = await versionedBucket();
    const versionOf = (response: Response): string => response.headers.get("x-amz-version-id") ?? "";
    const first = versionOf(await put(bucket, "k", "first"));
    const second = versionOf(await put(bucket, "k", "second", WITH_OTHER));
    const third = versionOf(await put(bucket, "k", "third", {}));
    await expectBytes(await get(bucket, `k?versionId=${first}`), "first");
    await expectS3Error(await get(bucket, `k?versionId=${first}`, WITH_OTHER), WRONG_KEY);
    await expectBytes(await get(bucket, `k?versionId=${second}`, WITH_OTHER), "second");
    await expectS3Error(await get(bucket, `k?versionId=${second}`, {}), NEEDS_KEY);
    await expectBytes(await get(bucket, `k?versionId=${third}`, {}), "third");
    await expectS3Error(await get(bucket, "k"), NOT_APPLICABLE);
  });

  it("costs the same as a plain object, except for the salt before a range with an offset", async () => {
    const bucket = await freshBucket();
    const stored = costOf(await put(bucket, "k", noise(2 * FRAME_BYTES)));
    expect(stored).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 1, blobCalls: 1 });
    const cost = async (range?: string) => {
      const response = await get(bucket, "k", range === undefined ? WITH_KEY : { ...WITH_KEY, range });
      await response.arrayBuffer();
      return costOf(response);
    };
    expect(await cost()).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 1 });
    expect(await cost("bytes=5-9")).toMatchObject({ roundTrips: 1, blobCalls: 1 });
    expect(await cost(`bytes=${FRAME_BYTES}-`)).toMatchObject({ roundTrips: 1, blobCalls: 2 });
  });
});

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

describe("a customer's key", () => {
  it("is read from a presigned URL's query or from its signed headers", async () => {
    const bucket = await freshBucket();
    const query = new URLSearchParams(Object.entries(WITH_KEY)).toString();
    const stored = await deliver(await presigned("PUT", `/${bucket}/k?${query}`, { body: "body" }));
    expect(stored.status).toBe(200);
    expect(shownEncryption(stored)).toEqual(encryptionShownFor(KEY));
    await expectBytes(await deliver(await presigned("GET", `/${bucket}/k?${query}`)), "body");
    await expectBytes(await deliver(await presigned("GET", `/${bucket}/k`, { headers: WITH_KEY })), "body");
    await expectS3Error(await deliver(await presigned("GET", `/${bucket}/k`)), NEEDS_KEY);
    const unsigned = await presigned("GET", `/${bucket}/k`);
    const headers = new Headers([...unsigned.headers, ...Object.entries(WITH_KEY)]);
    await expectS3Error(await deliver(new Request(unsigned.url, { headers })), {
      status: 403,
      code: "AccessDenied",
      fields: { HeadersNotSigned: Object.keys(WITH_KEY).toSorted().join(", ") },
    });
  });

  it("is rejected on an insecure connection, except on localhost", async () => {
    const bucket = await freshBucket();
    await put(bucket, "k", "body");
    const refusal = {
      status: 400,
      code: "InvalidRequest",
      message:
        "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.",
    };
    const abroad = { headers: WITH_KEY, endpoint: "http://s3.example.com" };
    for (const method of ["PUT", "GET"]) await expectS3Error(await send(method, `/${bucket}/k`, abroad), refusal);
    await expectS3Error(await send("POST", `/${bucket}/k?uploads`, abroad), refusal);
    await expectHeadError(await send("HEAD", `/${bucket}/k`, abroad), 400);
    await expectBytes(await send("GET", `/${bucket}/k`, { ...abroad, endpoint: "https://s3.example.com" }), "body");
    const never = { SSE_CUSTOMER_KEYS_OVER_HTTP: "never" };
    await expectS3Error(await send("GET", `/${bucket}/k`, { headers: WITH_KEY }, never), refusal);
    const misspelt = { SSE_CUSTOMER_KEYS_OVER_HTTP: "sometimes" };
    await expectS3Error(await send("GET", `/${bucket}/k`, { headers: WITH_KEY }, misspelt), refusal);
  });

  it("is rejected together with another encryption and when malformed, and nothing is stored", async () => {
    const bucket = await freshBucket();
    await expectNoTrace(bucket, async () => {
      const both = { ...WITH_KEY, "x-amz-server-side-encryption": "AES256" };
      await expectS3Error(await send("PUT", `/${bucket}/k`, { body: "x", headers: both }), {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: "x-amz-server-side-encryption", ArgumentValue: "AES256" },
      });
      const algorithm = { ...WITH_KEY, "x-amz-server-side-encryption-customer-algorithm": "AES128" };
      await expectS3Error(await send("PUT", `/${bucket}/k`, { body: "x", headers: algorithm }), {
        status: 400,
        code: "InvalidEncryptionAlgorithmError",
        fields: { ArgumentName: "x-amz-server-side-encryption-customer-algorithm", ArgumentValue: "AES128" },
      });
      const short = { ...WITH_KEY, "x-amz-server-side-encryption-customer-key": btoa("0123456789abcdef") };
      await expectS3Error(await send("PUT", `/${bucket}/k`, { body: "x", headers: short }), {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: "x-amz-server-side-encryption-customer-key" },
        message: "The secret key was invalid for the specified algorithm.",
      });
      const md5 = { ...WITH_KEY, "x-amz-server-side-encryption-customer-key-md5": md5Base64(utf8("x")) };
      await expectS3Error(await send("PUT", `/${bucket}/k`, { body: "x", headers: md5 }), {
        status: 400,
        code: "InvalidRequest",
        message: "The calculated MD5 hash of the key did not match the hash that was provided.",
      });
    });
  });
});
