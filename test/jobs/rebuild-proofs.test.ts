// What a rebuild restores under a key with several stored candidates: never incomplete bytes, never older bytes in
// place of newer ones. The report lists what cannot be decided.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { expireTokens } from "../../src/jobs/expire-tokens.ts";
import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { scanOrphans } from "../../src/jobs/scan-orphans.ts";
import { send, type RequestScope } from "../support/client.ts";
import { expectBytes, utf8 } from "../support/digests.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { connectionLost, r2With, withCoordinatorD1, failingCommits, ONE_SHARD } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";
import { createUpload, joined, largePart, putPart, sendCompletion, uploadInParts } from "../support/multipart.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { referencesIn, loseDatabase, rebuilt, rebuildFindings } from "../support/rebuilding.ts";

storeBodiesInBlobs();

const HOUR_MS = 3_600_000;

beforeEach(loseDatabase);

async function bodyIn(bucket: string, key: string, world: RequestScope): Promise<string> {
  const response = await send("GET", `/${bucket}/${key}`, {}, world);
  const text = await response.text();
  return response.status === 200 ? text : String(response.status);
}

/** Rebuilds, expects a consistent result, and returns the content of a key. */
async function shown(bucket: string, key: string): Promise<string> {
  const { world } = await rebuilt(bucket);
  expect((await referencesIn(world)).findings).toEqual([]);
  return bodyIn(bucket, key, world);
}

async function proofsOf(bucket: string): Promise<string[]> {
  const { objects } = await env.BLOBS.list({ prefix: `${await bucketId(bucket)}/` });
  return objects.map(({ key }) => key).filter((key) => key.endsWith("-proof"));
}

async function copyPart(
  bucket: string,
  key: string,
  uploadId: string,
  number: number,
  source: string,
  range: string,
): Promise<{ partNumber: number; etag: string }> {
  const headers = { "x-amz-copy-source": `/${bucket}/${source}`, "x-amz-copy-source-range": `bytes=${range}` };
  const response = await send("PUT", `/${bucket}/${key}?partNumber=${number}&uploadId=${uploadId}`, { headers });
  expect(response.status).toBe(200);
  return { partNumber: number, etag: textOf(readXml(await response.text()), "ETag") ?? "" };
}

describe("an upload without a completion", () => {
  it.each(["open", "aborted"])("is at most open after a rebuild and replaces nothing when it was %s", async (state) => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "k", ["completed"]);
    await putAll(bucket, { put: "put" });
    for (const key of ["k", "put", "nothing"]) {
      const uploadId = await createUpload(bucket, key);
      await putPart(bucket, key, uploadId, 1, "never completed");
      if (state === "aborted") await send("DELETE", `/${bucket}/${key}?uploadId=${uploadId}`);
    }
    const { world } = await rebuilt(bucket);
    expect(await bodyIn(bucket, "k", world)).toBe("completed");
    expect(await bodyIn(bucket, "put", world)).toBe("put");
    expect(await bodyIn(bucket, "nothing", world)).toBe("404");
    expect((await referencesIn(world)).findings).toEqual([]);
    expect((await rebuildFindings()).map(({ key }) => key)).toEqual(["k", "nothing", "put"]);
  });

  it("is open when its completion was requested and not committed", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "before" });
    const uploadId = await createUpload(bucket, "k");
    const part = await putPart(bucket, "k", uploadId, 1, "not committed");
    await withCoordinatorD1(bucket, failingCommits("before", 10), async () => {
      const target = `/${bucket}/k?uploadId=${uploadId}`;
      const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.etag}</ETag></Part></CompleteMultipartUpload>`;
      expect((await send("POST", target, { body }, ONE_SHARD)).status).toBe(503);
    });
    expect(await proofsOf(bucket)).toEqual([]);
    expect(await shown(bucket, "k")).toBe("before");
  });

  it("is open when another request completed its key and broke its condition", async () => {
    const bucket = await freshBucket();
    const refused = await createUpload(bucket, "k");
    const part = await putPart(bucket, "k", refused, 1, "refused");
    await uploadInParts(bucket, "k", ["first"]);
    const response = await sendCompletion(bucket, "k", refused, [part], { "if-none-match": "*" });
    expect(response.status).toBeGreaterThan(400);
    expect(await proofsOf(bucket)).toHaveLength(1);
    expect(await shown(bucket, "k")).toBe("first");
  });
});

describe("a completed object", () => {
  it("keeps its place before an object whose PUT began later and committed earlier", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const part = await putPart(bucket, "k", uploadId, 1, "completed last");
    await putAll(bucket, { k: "put in between" });
    expect((await sendCompletion(bucket, "k", uploadId, [part])).status).toBe(200);
    expect(await shown(bucket, "k")).toBe("completed last");
    expect((await rebuildFindings()).map(({ finding }) => finding)).toEqual([expect.stringContaining("stored before")]);
  });

  it("is superseded by an object that was put later", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "k", ["completed"]);
    await putAll(bucket, { k: "put" });
    expect(await shown(bucket, "k")).toBe("put");
  });

  it("is restored as a whole with copied parts, also from deleted sources, and shares existing blobs", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { kept: "0123456789", gone: "abcdefghij" });
    await uploadInParts(bucket, "parted", [largePart(1), "tail"]);
    for (const source of ["kept", "gone"]) {
      const uploadId = await createUpload(bucket, `of-${source}`);
      const parts = [
        await putPart(bucket, `of-${source}`, uploadId, 1, largePart(2)),
        await copyPart(bucket, `of-${source}`, uploadId, 2, source, "2-5"),
      ];
      expect((await sendCompletion(bucket, `of-${source}`, uploadId, parts)).status).toBe(200);
    }
    const uploadId = await createUpload(bucket, "of-parted");
    const part = await copyPart(bucket, "of-parted", uploadId, 1, "parted", "5-5242883");
    expect((await sendCompletion(bucket, "of-parted", uploadId, [part])).status).toBe(200);
    await send("DELETE", `/${bucket}/gone`);
    await putAll(bucket, { gone: "another" });

    const { world } = await rebuilt(bucket);
    expect((await referencesIn(world)).findings).toEqual([]);
    const get = async (key: string): Promise<Response> => send("GET", `/${bucket}/${key}`, {}, world);
    await expectBytes(await get("of-kept"), joined([largePart(2), utf8("2345")]));
    await expectBytes(await get("of-gone"), joined([largePart(2), utf8("cdef")]));
    await expectBytes(await get("of-parted"), joined([largePart(1), utf8("tail")]).subarray(5, 5_242_884));
    expect(await bodyIn(bucket, "kept", world)).toBe("0123456789");
    expect(await bodyIn(bucket, "gone", world)).toBe("another");
    expect(await rebuildFindings()).toMatchObject([{ key: "gone" }]);
  });

  it("is restored without the parts that its completion omitted", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const first = await putPart(bucket, "k", uploadId, 1, largePart(3));
    await putPart(bucket, "k", uploadId, 2, largePart(4));
    const last = await putPart(bucket, "k", uploadId, 7, "last");
    await putPart(bucket, "k", uploadId, 9, "left out");
    expect((await sendCompletion(bucket, "k", uploadId, [first, last])).status).toBe(200);
    const { world } = await rebuilt(bucket);
    await expectBytes(await send("GET", `/${bucket}/k`, {}, world), joined([largePart(3), utf8("last")]));
    expect((await referencesIn(world)).findings).toEqual([]);
    const uploads = await (await send("GET", `/${bucket}?uploads`, {}, world)).text();
    expect(uploads).not.toContain("<Upload>");
    const ofPart = await send("GET", `/${bucket}/k?partNumber=7`, {}, world);
    expect(ofPart.headers.get("x-amz-mp-parts-count")).toBe("2");
    expect(await ofPart.text()).toBe("last");
  });

  it("is restored with its checksum, storage class and version time", async () => {
    const bucket = await freshBucket();
    const headers = { "x-amz-storage-class": "GLACIER_IR", "x-amz-checksum-algorithm": "CRC32" };
    await uploadInParts(bucket, "k", ["bytes"], headers);
    const facts = async (world: RequestScope): Promise<unknown> => {
      const sent = { headers: { "x-amz-checksum-mode": "ENABLED" } };
      const response = await send("HEAD", `/${bucket}/k`, sent, world);
      return ["x-amz-checksum-crc32", "x-amz-storage-class", "last-modified", "etag"].map((name) =>
        response.headers.get(name),
      );
    };
    const before = await facts({});
    const { world } = await rebuilt(bucket);
    expect(await facts(world)).toEqual(before);
  });

  it("is not restored, nor is anything older, when one of its blobs is missing, and the report lists it", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "older" });
    const uploadId = await createUpload(bucket, "k");
    const part = await putPart(bucket, "k", uploadId, 1, "newest");
    await sendCompletion(bucket, "k", uploadId, [part]);
    const { objects } = await env.BLOBS.list({ prefix: `${await bucketId(bucket)}/`, include: ["customMetadata"] });
    const lost = objects.find(({ customMetadata }) => customMetadata?.["part"] === "1")?.key ?? "";
    await env.BLOBS.delete(lost);
    expect(await shown(bucket, "k")).toBe("404");
    expect((await rebuildFindings()).map(({ finding }) => finding).join("\n")).toContain(`lacks blob ${lost}`);
  });
});

describe("the completion proof", () => {
  it("is stored before the response; otherwise the response is 503 and a repeated completion stores it", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "before" });
    const uploadId = await createUpload(bucket, "k");
    const part = await putPart(bucket, "k", uploadId, 1, "after");
    const BLOBS = r2With({
      put: async (key, body, options) => {
        if (key.endsWith("-proof")) throw connectionLost();
        return env.BLOBS.put(key, body, options);
      },
    });
    const target = `/${bucket}/k?uploadId=${uploadId}`;
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.etag}</ETag></Part></CompleteMultipartUpload>`;
    expect((await send("POST", target, { body }, { BLOBS })).status).toBe(503);
    expect(await proofsOf(bucket)).toEqual([]);
    expect((await send("POST", target, { body })).status).toBe(200);
    expect(await proofsOf(bucket)).toHaveLength(1);
    expect(await shown(bucket, "k")).toBe("after");
  });

  it("is stored before the row of an interrupted completion expires", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "k", ["bytes"]);
    await uploadInParts(bucket, "replaced", ["bytes"]);
    const proofs = await proofsOf(bucket);
    await env.BLOBS.delete(proofs);
    await putAll(bucket, { replaced: "new" });
    await runPass(expireTokens, Date.now() + 26 * HOUR_MS);
    expect(await proofsOf(bucket)).toHaveLength(1);
    expect(await shown(bucket, "k")).toBe("bytes");
  });

  it("lives as long as the object, also under other names, and is collected with it", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "k", ["bytes"]);
    await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/k` } });
    await send("PUT", `/${bucket}/moved?renameObject`, { headers: { "x-amz-rename-source": `/${bucket}/k` } });
    await send("DELETE", `/${bucket}/copy`);
    const scans = { ORPHAN_SHARE_PERCENT: "100" };
    for (const hours of [26, 60]) await runPass(scanOrphans, Date.now() + hours * HOUR_MS, scans);
    await runPass(collectGarbage, Date.now() + 60 * HOUR_MS);
    expect(await proofsOf(bucket)).toHaveLength(1);
    await send("DELETE", `/${bucket}/moved`);
    await runPass(collectGarbage, Date.now() + 120 * HOUR_MS);
    const { objects } = await env.BLOBS.list({ prefix: `${await bucketId(bucket)}/` });
    expect(objects).toEqual([]);
  });

  it("contains no checksum of SSE-C plaintext", async () => {
    const bucket = await freshBucket();
    const headers = keyHeaders(customerKey(1));
    const uploadId = await createUpload(bucket, "k", { ...headers, "x-amz-checksum-algorithm": "CRC32" });
    const part = await putPart(bucket, "k", uploadId, 1, "secret", headers);
    const checksum = part.checksums?.["ChecksumCRC32"] ?? "";
    expect(checksum).not.toBe("");
    expect((await sendCompletion(bucket, "k", uploadId, [part], headers)).status).toBe(200);
    const proof = await env.BLOBS.get((await proofsOf(bucket))[0] ?? "");
    expect(await proof?.text()).not.toContain(checksum);
    const { world } = await rebuilt(bucket);
    await expectBytes(await send("GET", `/${bucket}/k`, { headers }, world), "secret");
  });
});
