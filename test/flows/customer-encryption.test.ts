// SSE-C objects through every operation on objects, and how a request states its key.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { FRAME_BYTES, FrameLayout } from "../../src/bytes/frame-layout.ts";
import { deliver, presigned, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectBytes, md5Base64, md5Hex, noise, sha256Hex, utf8 } from "../support/digests.ts";
import { customerKey, encryptionShownFor, keyHeaders, shownEncryption } from "../support/encryption.ts";
import { expectHeadError, expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { expectBalanced, rowsOf } from "../support/rows.ts";
import { versionedBucket } from "../support/versioning.ts";
import { KEY, WITH_KEY, blobOf, get, put } from "./customer-encryption-fixture.ts";

const OTHER = customerKey(2);
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
