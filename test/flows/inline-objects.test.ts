// Objects whose bytes the database keeps: every operation answers as for bytes in the blob store, and none of them calls
// it.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { packSmallBlobs } from "../../src/jobs/pack-small-blobs.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send, type SendOptions } from "../support/client.ts";
import { d1With, r2With } from "../support/faults.ts";
import { costOf } from "../support/cost.ts";
import { checksum, expectBytes, md5Base64, md5Hex, noise, sha256Hex, utf8 } from "../support/digests.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { INLINE, smallBlobsOf } from "../support/inline.ts";
import { jobContext, runPass } from "../support/jobs.ts";
import { createUpload, putPart } from "../support/multipart.ts";
import { lockedBucket } from "../support/object-lock.ts";
import { bucketId, expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { versionedBucket } from "../support/versioning.ts";

const BODY = "small bodies live with their rows";

async function request(method: string, target: string, options: SendOptions = {}): Promise<Response> {
  return send(method, target, options, INLINE);
}

async function put(target: string, body: string | Uint8Array = BODY, headers = {}): Promise<Response> {
  const response = await request("PUT", target, { body, headers });
  expect(response.status).toBe(200);
  await response.arrayBuffer();
  return response;
}

async function textOf(target: string, headers = {}): Promise<string> {
  const response = await request("GET", target, { headers });
  expect(response.status).toBeLessThan(300);
  return response.text();
}

async function expectError(response: Response, status: number, code: string): Promise<void> {
  expect(response.status).toBe(status);
  expect(await response.text()).toContain(`<Code>${code}</Code>`);
}

async function storeCalls(bucket: string): Promise<number> {
  return (await env.BLOBS.list({ prefix: `${await bucketId(bucket)}/` })).objects.length;
}

describe("an object whose bytes the database keeps", () => {
  it.each([
    ["an empty body", ""],
    ["a text", BODY],
    ["a text with odd characters", "\u0000\u{1F600}'\"\\"],
    ["bytes up to the limit", new Uint8Array(4096).map((_, index) => index % 251)],
  ] as const)("returns %s as it was put", async (_, body) => {
    const bucket = await freshBucket();
    const { headers } = await put(`/${bucket}/k`, body, { "content-type": "a/b", "x-amz-meta-m": "1" });
    expect(headers.get("etag")).toBe(`"${md5Hex(body)}"`);
    const response = await request("GET", `/${bucket}/k`);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(typeof body === "string" ? utf8(body) : body);
    expect(response.headers.get("etag")).toBe(`"${md5Hex(body)}"`);
    expect(response.headers.get("content-type")).toBe("a/b");
    expect(response.headers.get("x-amz-meta-m")).toBe("1");
    expect(costOf(response).blobCalls).toBe(0);
    expect(await storeCalls(bucket)).toBe(0);
    expect(await smallBlobsOf(bucket)).toHaveLength(1);
    const head = await request("HEAD", `/${bucket}/k`);
    expect(head.headers.get("content-length")).toBe(String(typeof body === "string" ? utf8(body).length : body.length));
  });

  it("answers X-Cache: BYPASS, because no cache is asked", async () => {
    const bucket = await freshBucket();
    await put(`/${bucket}/k`);
    for (const _ of [1, 2]) {
      const response = await request("GET", `/${bucket}/k`);
      expect(response.headers.get("x-cache")).toBe("BYPASS");
      expect(await response.text()).toBe(BODY);
    }
  });

  it("is read although the setting is off again, and is replaced by a blob of the store", async () => {
    const bucket = await freshBucket();
    await put(`/${bucket}/k`);
    expect(await (await send("GET", `/${bucket}/k`, {}, { INLINE_MAX_BYTES: "0" })).text()).toBe(BODY);
    await send("PUT", `/${bucket}/k`, { body: "other" }, { INLINE_MAX_BYTES: "0" });
    expect(await textOf(`/${bucket}/k`)).toBe("other");
    expect(await storeCalls(bucket)).toBe(1);
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it.each([
    ["bytes=0-4", 206, "small"],
    ["bytes=-4", 206, "rows"],
    ["bytes=6-", 206, BODY.slice(6)],
    ["bytes=99-", 416, undefined],
  ])("answers the range %s with %i", async (range, status, text) => {
    const bucket = await freshBucket();
    await put(`/${bucket}/k`);
    const response = await request("GET", `/${bucket}/k`, { headers: { range } });
    expect(response.status).toBe(status);
    if (text === undefined) await expectError(response, 416, "InvalidRange");
    else expect(await response.text()).toBe(text);
  });

  it("answers conditional reads and partNumber=1", async () => {
    const bucket = await freshBucket();
    await put(`/${bucket}/k`);
    const etag = `"${md5Hex(BODY)}"`;
    const ofK = async (headers: Record<string, string>): Promise<number> =>
      (await request("GET", `/${bucket}/k`, { headers })).status;
    expect(await ofK({ "if-none-match": etag })).toBe(304);
    expect(await ofK({ "if-match": '"x"' })).toBe(412);
    expect(await ofK({ "if-match": etag })).toBe(200);
    expect(await textOf(`/${bucket}/k?partNumber=1`)).toBe(BODY);
  });

  it("obeys If-None-Match: * and If-Match, and a refused write stores nothing", async () => {
    const bucket = await freshBucket();
    await put(`/${bucket}/k`, BODY, { "if-none-match": "*" });
    await expectNoTrace(bucket, async () => {
      const again = await request("PUT", `/${bucket}/k`, { body: "other", headers: { "if-none-match": "*" } });
      await expectError(again, 412, "PreconditionFailed");
    });
    const { headers } = await put(`/${bucket}/k`, "other", { "if-match": `"${md5Hex(BODY)}"` });
    expect(headers.get("etag")).toBe(`"${md5Hex("other")}"`);
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it.each([
    ["content-md5", md5Base64(utf8("y")), "BadDigest"],
    ["x-amz-content-sha256", sha256Hex(utf8("y")), "XAmzContentSHA256Mismatch"],
    ["x-amz-checksum-sha256", checksum("SHA256", utf8("y")), "BadDigest"],
    ["x-amz-checksum-sha1", checksum("SHA1", utf8("y")), "BadDigest"],
    ["x-amz-checksum-crc32", checksum("CRC32", utf8("y")), "BadDigest"],
  ])("verifies %s before it stores anything", async (name, value, code) => {
    const bucket = await freshBucket();
    await expectNoTrace(bucket, async () => {
      await expectError(await request("PUT", `/${bucket}/k`, { body: BODY, headers: { [name]: value } }), 400, code);
    });
    await put(`/${bucket}/k`, "y", { [name]: value });
    expect(await textOf(`/${bucket}/k`)).toBe("y");
  });

  it("is read by every version, after copies, renames and deletions", async () => {
    const bucket = await versionedBucket();
    const versions: string[] = [];
    for (const body of ["one", "two", "three"]) {
      versions.push((await put(`/${bucket}/k`, body)).headers.get("x-amz-version-id") ?? "");
    }
    for (const [index, body] of ["one", "two", "three"].entries()) {
      expect(await textOf(`/${bucket}/k?versionId=${versions[index]}`)).toBe(body);
    }
    const source = { "x-amz-copy-source": `${bucket}/k?versionId=${versions[0]}` };
    expect((await request("PUT", `/${bucket}/copy`, { headers: source })).status).toBe(200);
    await request("DELETE", `/${bucket}/k?versionId=${versions[0]}`);
    expect(await textOf(`/${bucket}/copy`)).toBe("one");
    expect(await storeCalls(bucket)).toBe(0);
  });

  it("is moved by a rename without a call of the store", async () => {
    const bucket = await freshBucket();
    await put(`/${bucket}/k`);
    const renamed = await request("PUT", `/${bucket}/moved?renameObject`, {
      headers: { "x-amz-rename-source": `/${bucket}/k` },
    });
    expect(renamed.status).toBe(200);
    expect(costOf(renamed).blobCalls).toBe(0);
    expect(await textOf(`/${bucket}/moved`)).toBe(BODY);
  });

  it("is a source of copied parts, and parts themselves are blobs of the store", async () => {
    const bucket = await freshBucket();
    await put(`/${bucket}/k`);
    const uploadId = await createUpload(bucket, "whole");
    const copied = await request("PUT", `/${bucket}/whole?partNumber=1&uploadId=${uploadId}`, {
      headers: { "x-amz-copy-source": `${bucket}/k`, "x-amz-copy-source-range": "bytes=6-11" },
    });
    const etag = /<ETag>([^<]+)</.exec(await copied.text())?.[1] ?? "";
    expect(copied.status).toBe(200);
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
    expect((await request("POST", `/${bucket}/whole?uploadId=${uploadId}`, { body })).status).toBe(200);
    expect(await textOf(`/${bucket}/whole`)).toBe(BODY.slice(6, 12));
    // The part has bytes of its own, because a read of many parts would look up the row of each.
    expect(Object.keys((await storedStateOf(bucket)).blobs).filter((id) => id.endsWith("-small"))).toHaveLength(1);
    await request("DELETE", `/${bucket}/k`);
    await expectSoundReferences(bucket);
    expect((await storedStateOf(bucket)).garbage).toHaveLength(1);

    const upload = await createUpload(bucket, "parts");
    await putPart(bucket, "parts", upload, 1, "x");
    expect(await smallBlobsOf(bucket)).toHaveLength(1);
  });

  it("does not exist for bodies under a customer's key, in another class or above the limit", async () => {
    const bucket = await freshBucket();
    const key = keyHeaders(customerKey(1));
    await put(`/${bucket}/sealed`, BODY, key);
    await put(`/${bucket}/cold`, BODY, { "x-amz-storage-class": "STANDARD_IA" });
    await put(`/${bucket}/long`, new Uint8Array(4097));
    expect(await smallBlobsOf(bucket)).toEqual([]);
    expect(await textOf(`/${bucket}/sealed`, key)).toBe(BODY);
  });

  it("is encrypted by a copy under a customer's key", async () => {
    const bucket = await freshBucket();
    await put(`/${bucket}/k`);
    const key = keyHeaders(customerKey(1));
    const headers = { "x-amz-copy-source": `${bucket}/k`, ...key };
    expect((await request("PUT", `/${bucket}/sealed`, { headers })).status).toBe(200);
    expect(await textOf(`/${bucket}/sealed`, key)).toBe(BODY);
  });

  it("does not exist in a bucket with Object Lock, which a rebuild restores up to the last PUT", async () => {
    const bucket = await lockedBucket();
    await put(`/${bucket}/k`);
    expect(await smallBlobsOf(bucket)).toEqual([]);
    expect(await textOf(`/${bucket}/k`)).toBe(BODY);
  });

  it("does not exist while the database is larger than the settings allow", async () => {
    const bucket = await freshBucket();
    const full = { ...INLINE, INLINE_DATABASE_GIGABYTES: "0" };
    expect((await send("PUT", `/${bucket}/k`, { body: BODY }, full)).status).toBe(200);
    expect(await smallBlobsOf(bucket)).toEqual([]);
    expect(await storeCalls(bucket)).toBe(1);
  });

  it("is the beginning of an object that is appended to", async () => {
    const bucket = await freshBucket();
    await put(`/${bucket}/k`, "begin ");
    await put(`/${bucket}/k`, "and end", { "x-amz-write-offset-bytes": "6" });
    expect(await textOf(`/${bucket}/k`)).toBe("begin and end");
    await runPass(packSmallBlobs, Date.now() + 3_600_000);
    expect(await textOf(`/${bucket}/k`)).toBe("begin and end");
    await expectSoundReferences(bucket);
  });

  it("stays the first of several blobs of an object that is appended to, inline and packed", async () => {
    const bucket = await freshBucket();
    const [first, more] = [noise(100_000), noise(50_000, 2)];
    const scope = { INLINE_MAX_BYTES: "131072" };
    expect((await send("PUT", `/${bucket}/k`, { body: first }, scope)).status).toBe(200);
    const headers = { "x-amz-write-offset-bytes": String(first.length) };
    expect((await send("PUT", `/${bucket}/k`, { body: more, headers }, scope)).status).toBe(200);
    expect(await smallBlobsOf(bucket)).toHaveLength(1);
    expect(await storeCalls(bucket)).toBeGreaterThan(0);
    const whole = new Uint8Array([...first, ...more]);
    for (const later of [0, 3_600_000]) {
      await runPass(packSmallBlobs, Date.now() + later);
      await expectBytes(await request("GET", `/${bucket}/k`), whole);
      const range = await request("GET", `/${bucket}/k`, { headers: { range: "bytes=99990-100009" } });
      await expectBytes(range, whole.slice(99_990, 100_010));
    }
    await expectSoundReferences(bucket);
  });

  it("moves to the Infrequent Access class as a blob of its own", async () => {
    const bucket = await freshBucket();
    await put(`/${bucket}/k`);
    const classes: (string | undefined)[] = [];
    const BLOBS = r2With({
      put: async (key, body, options) => {
        classes.push(options.storageClass);
        return env.BLOBS.put(key, body, options);
      },
    });
    const { blobs } = jobContext(Date.now(), { BLOBS });
    const [small] = await smallBlobsOf(bucket);
    const blobId = `${await bucketId(bucket)}/moved`;
    const copy = { sourceId: small?.blob_id ?? "", blobId, range: undefined, recoveryMetadata: {} };
    for (const _ of [1, 2]) expect(await blobs.copyToInfrequentAccess(copy)).toBe(true);
    // The second time it exists.
    expect(classes).toEqual(["InfrequentAccess"]);
    expect(await (await env.BLOBS.get(blobId))?.text()).toBe(BODY);
    const missing = { ...copy, sourceId: `${await bucketId(bucket)}/missing-small`, blobId: `${blobId}-2` };
    expect(await blobs.copyToInfrequentAccess(missing)).toBe(false);
    await env.BLOBS.delete(blobId);
  });

  it("becomes garbage when it is replaced, and keeps its bytes until then", async () => {
    const bucket = await freshBucket();
    await put(`/${bucket}/k`);
    await put(`/${bucket}/k`, "other");
    const state = await storedStateOf(bucket);
    expect(state.garbage).toHaveLength(1);
    expect(await smallBlobsOf(bucket)).toHaveLength(2);
    expectNothingLeftOver(state);
  });

  it("is part of archives, some read with each round trip", async () => {
    const many = await freshBucket();
    await Promise.all(Array.from({ length: 70 }, async (_, index) => put(`/${many}/k${index}`, `body ${index}`)));
    const batches: string[] = [];
    const DB = d1With(async (sql, run) => {
      if (sql.some((text) => text.includes("small_blobs"))) batches.push(...sql);
      return run();
    });
    const archive = await send("GET", `/${many}?tar&prefix=k`, {}, { ...INLINE, DB });
    const content = await archive.text();
    for (let index = 0; index < 70; index += 1) expect(content).toContain(`body ${index}`);
    expect(batches).toHaveLength(3);
  });

  it("is part of archives", async () => {
    const bucket = await freshBucket();
    await put(`/${bucket}/d/a`, "aaa");
    await put(`/${bucket}/d/b`, "bbb");
    const text = await textOf(`/${bucket}?tar&prefix=d/`);
    expect(text).toContain("aaa");
    expect(text).toContain("bbb");
  });
});

describe("the cost of small bodies", () => {
  it("PUT: two round trips, two rows, one call, no blob; GET: one round trip and no blob", async () => {
    const bucket = await freshBucket();
    const { rowsRead: _, ...fresh } = costOf(await put(`/${bucket}/k`));
    expect(fresh).toEqual({ roundTrips: 2, rowsWritten: 2, coordinatorCalls: 1, blobCalls: 0 });
    const { rowsRead: __, ...over } = costOf(await put(`/${bucket}/k`));
    expect(over).toEqual({ roundTrips: 2, rowsWritten: 3, coordinatorCalls: 1, blobCalls: 0 });
    const { rowsRead, ...read } = costOf(await request("GET", `/${bucket}/k`));
    expect(read).toEqual({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    expect(rowsRead).toBeLessThanOrEqual(9);
  });
});
