// Swapped SSE-C blobs: a writer with access to R2 cannot make one object return the bytes of another. Objects stored
// before blobs were bound to their ids stay readable.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { deriveBytes } from "../../src/bytes/derived-keys.ts";
import { fromBase64, toBase64Url } from "../../src/bytes/hex-base64.ts";
import { FrameLayout } from "../../src/bytes/frame-layout.ts";
import { FrameCipher } from "../../src/bytes/encrypted-frames.ts";
import { EncryptingWriter } from "../../src/bytes/encrypted-streams.ts";
import { send } from "../support/client.ts";
import { expectBytes, noise } from "../support/digests.ts";
import { customerKey, keyHeaders, sourceKeyHeaders } from "../support/encryption.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { createUpload, largePart, putPart, sendCompletion } from "../support/multipart.ts";
import { bucketId } from "../support/stored-state.ts";

const KEY = customerKey(1);
const KEY_BYTES = fromBase64(KEY) ?? new Uint8Array();
const WITH_KEY = keyHeaders(KEY);

async function put(bucket: string, key: string, body: Uint8Array): Promise<void> {
  expect((await send("PUT", `/${bucket}/${key}`, { body, headers: WITH_KEY })).status).toBe(200);
}

async function read(bucket: string, key: string, more: Record<string, string> = {}): Promise<Response> {
  return send("GET", `/${bucket}/${key}`, { headers: { ...WITH_KEY, ...more } });
}

async function expectUnreadable(bucket: string, key: string, more: Record<string, string> = {}): Promise<void> {
  const response = await read(bucket, key, more);
  if (response.status < 400) await expect(response.bytes()).rejects.toThrow();
}

async function blobsOf(bucket: string): Promise<string[]> {
  return (await env.BLOBS.list({ prefix: `${await bucketId(bucket)}/` })).objects.map(({ key }) => key);
}

/** Swaps two blobs. */
async function swap(one: string, other: string): Promise<void> {
  const [first, second] = await Promise.all([env.BLOBS.get(one), env.BLOBS.get(other)]);
  const [firstBytes, secondBytes] = [await first?.bytes(), await second?.bytes()];
  expect(firstBytes?.length).toBe(secondBytes?.length);
  await env.BLOBS.put(one, secondBytes ?? "", { customMetadata: first?.customMetadata ?? {} });
  await env.BLOBS.put(other, firstBytes ?? "", { customMetadata: second?.customMetadata ?? {} });
}

/** The key check of objects that were stored before blobs were bound to their ids. */
async function unbound(): Promise<string> {
  const salt = noise(16);
  const verifier = await deriveBytes(KEY_BYTES, salt, "cairn recognises a key 1");
  return JSON.stringify({ salt: toBase64Url(salt), verifier: toBase64Url(verifier) });
}

/** Creates an object in the format that predates the binding of blobs to ids. */
async function putUnbound(bucket: string, key: string, body: Uint8Array): Promise<void> {
  await put(bucket, key, body);
  const id = await bucketId(bucket);
  const row = await env.DB.prepare("SELECT blob_id FROM objects WHERE bucket_id = ? AND key = ?")
    .bind(id, key)
    .first<{ blob_id: string }>();
  await env.DB.prepare("UPDATE objects SET encryption = ? WHERE bucket_id = ? AND key = ?")
    .bind(await unbound(), id, key)
    .run();
  const layout = new FrameLayout(body.length);
  const cipher = await FrameCipher.fresh(
    Uint8Array.from(atob(KEY), (char) => char.charCodeAt(0)),
    layout,
  );
  const { readable, writable } = new FixedLengthStream(layout.encryptedLength);
  const writer = new EncryptingWriter(writable.getWriter(), cipher);
  const written = writer.write(body).then(() => writer.close());
  await env.BLOBS.put(row?.blob_id ?? "", readable);
  await written;
}

describe("swapped encrypted blobs", () => {
  it.each([0, 1, 1000, 200_000])("do not decrypt as other objects of %d bytes", async (size) => {
    const bucket = await freshBucket();
    await put(bucket, "a", noise(size, 1));
    await put(bucket, "b", noise(size, 2));
    await expectBytes(await read(bucket, "a"), noise(size, 1));
    const [one = "", other = ""] = await blobsOf(bucket);
    await swap(one, other);
    // An empty object has nothing to read.
    if (size === 0) return;
    for (const key of ["a", "b"]) await expectUnreadable(bucket, key);
    await expectUnreadable(bucket, "a", { range: `bytes=${size - 1}-` });
    await swap(one, other);
    await expectBytes(await read(bucket, "b"), noise(size, 2));
  });

  it("do not decrypt as other parts of one object", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k", WITH_KEY);
    const bodies = [largePart(1), largePart(2), new Uint8Array([1])];
    const parts = [];
    for (const [index, body] of bodies.entries()) {
      parts.push(await putPart(bucket, "k", uploadId, index + 1, body, WITH_KEY));
    }
    expect((await sendCompletion(bucket, "k", uploadId, parts, WITH_KEY)).status).toBe(200);
    expect((await read(bucket, "k", { range: "bytes=0-9" })).status).toBe(206);
    const { objects } = await env.BLOBS.list({ prefix: `${await bucketId(bucket)}/` });
    const [one = "", other = ""] = objects.filter(({ size }) => size > 1_000_000).map(({ key }) => key);
    await swap(one, other);
    await expectUnreadable(bucket, "k");
    await expectUnreadable(bucket, "k", { range: "bytes=0-9" });
  });

  it("do not decrypt as an earlier version of the same key", async () => {
    const bucket = await freshBucket();
    await put(bucket, "k", noise(10, 1));
    const [old = ""] = await blobsOf(bucket);
    const bytes = await (await env.BLOBS.get(old))?.bytes();
    await put(bucket, "k", noise(10, 2));
    const now = (await blobsOf(bucket)).find((id) => id !== old) ?? "";
    await env.BLOBS.put(now, bytes ?? "");
    await expectUnreadable(bucket, "k");
  });
});

describe("the parts of an encrypted upload", () => {
  it("are listed without the checksums of their plaintext", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k", { ...WITH_KEY, "x-amz-checksum-algorithm": "SHA256" });
    await putPart(bucket, "k", uploadId, 1, "the part", WITH_KEY);
    const text = await (await send("GET", `/${bucket}/k?uploadId=${uploadId}`)).text();
    expect(text).toContain("<PartNumber>1</PartNumber>");
    expect(text).not.toContain("<ChecksumSHA256>");
  });
});

describe("objects in the format without bound blobs", () => {
  it("are read, in ranges and whole, copied and renamed", async () => {
    const bucket = await freshBucket();
    const body = noise(150_000);
    await putUnbound(bucket, "k", body);
    await expectBytes(await read(bucket, "k"), body);
    await expectBytes(await read(bucket, "k", { range: "bytes=100000-100099" }), body.slice(100_000, 100_100));
    const headers = { ...WITH_KEY, ...sourceKeyHeaders(KEY), "x-amz-copy-source": `/${bucket}/k` };
    expect((await send("PUT", `/${bucket}/copy`, { headers })).status).toBe(200);
    await expectBytes(await read(bucket, "copy"), body);
  });

  it("include uploads that began earlier", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k", WITH_KEY);
    await env.DB.prepare("UPDATE uploads SET encryption = ? WHERE upload_id = ?")
      .bind(await unbound(), uploadId)
      .run();
    const part = await putPart(bucket, "k", uploadId, 1, "the part", WITH_KEY);
    expect((await sendCompletion(bucket, "k", uploadId, [part], WITH_KEY)).status).toBe(200);
    await expectBytes(await read(bucket, "k"), "the part");
  });
});
