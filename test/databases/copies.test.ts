// Copies between buckets in different databases: the bytes are copied, and no reference crosses databases.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { scanOrphans } from "../../src/jobs/scan-orphans.ts";
import { annotate, payloadOf } from "../support/annotations.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { bucketIn } from "../support/databases.ts";
import { expectBytes } from "../support/digests.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { runPass } from "../support/jobs.ts";
import { createUpload, joined, largePart, sendCompletion, uploadInParts } from "../support/multipart.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { bucketId, storedStateOf } from "../support/stored-state.ts";

storeBodiesInBlobs();

const DATABASES = ["DB", "META_1", "META_2"];
const PAIRS = DATABASES.flatMap((from) => DATABASES.filter((to) => to !== from).map((to) => [from, to] as const));

function copy(source: string, target: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return send("PUT", target, { headers: { "x-amz-copy-source": source, ...headers } });
}

describe("CopyObject between databases", () => {
  it.each(PAIRS)("from %s to %s keeps bytes, metadata and tags, and survives its source", async (from, to) => {
    const [source, target] = [await bucketIn(from), await bucketIn(to)];
    const headers = { "content-type": "text/x", "x-amz-meta-a": "b", "x-amz-tagging": "t=1" };
    await send("PUT", `/${source}/k`, { body: "bytes", headers });
    const copied = await copy(`/${source}/k`, `/${target}/c`);
    expect(copied.status).toBe(200);
    expect(textOf(readXml(await copied.text()), "ETag")).toBe((await send("HEAD", `/${source}/k`)).headers.get("etag"));
    await send("DELETE", `/${source}/k`);
    const read = await send("GET", `/${target}/c`);
    expect(read.headers.get("content-type")).toBe("text/x");
    expect(read.headers.get("x-amz-meta-a")).toBe("b");
    expect(read.headers.get("x-amz-tagging-count")).toBe("1");
    await expectBytes(read, "bytes");
    await expectSoundReferences(source, target);
    // Its blob was stored for the target's bucket.
    const { objects } = await storedStateOf(target);
    expect(objects["c"]?.blob_id.startsWith(`${await bucketId(target)}/`)).toBe(true);
  });

  it("copies an object of several parts, an empty one, and one with a customer's key", async () => {
    const [source, target] = [await bucketIn("META_1"), await bucketIn("META_2")];
    const parts = [largePart(1), largePart(2)];
    await uploadInParts(source, "parts", parts);
    await send("PUT", `/${source}/empty`);
    const key = keyHeaders(customerKey(1));
    await send("PUT", `/${source}/sealed`, { body: "secret", headers: key });
    for (const name of ["parts", "empty"])
      expect((await copy(`/${source}/${name}`, `/${target}/${name}`)).status).toBe(200);
    const sourceKey = Object.fromEntries(
      Object.entries(key).map(([name, value]) => [name.replace("x-amz-", "x-amz-copy-source-"), value]),
    );
    expect((await copy(`/${source}/sealed`, `/${target}/open`, sourceKey)).status).toBe(200);
    await expectBytes(await send("GET", `/${target}/parts`), joined(parts));
    await expectBytes(await send("GET", `/${target}/empty`), "");
    await expectBytes(await send("GET", `/${target}/open`), "secret");
    await expectSoundReferences(source, target);
  });

  it("reports a missing source, a failed condition and a refused destination as within one database", async () => {
    const [source, target] = [await bucketIn("META_1"), await bucketIn("DB")];
    await send("PUT", `/${source}/k`, { body: "v" });
    const missing = await copy(`/${source}/none`, `/${target}/c`);
    await expectS3Error(missing, { status: 404, code: "NoSuchKey", fields: { Key: "none" } });
    const noBucket = await copy(`/no-such-bucket-at-all/k`, `/${target}/c`);
    await expectS3Error(noBucket, {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: "no-such-bucket-at-all" },
    });
    const changed = await copy(`/${source}/k`, `/${target}/c`, { "x-amz-copy-source-if-match": '"x"' });
    expect(changed.status).toBe(412);
    await send("PUT", `/${target}/c`, { body: "w" });
    const taken = await copy(`/${source}/k`, `/${target}/c`, { "if-none-match": "*" });
    expect(taken.status).toBe(412);
    await expectSoundReferences(source, target);
  });
});

describe("UploadPartCopy between databases", () => {
  it.each(PAIRS)("from %s to %s copies whole objects and ranges", async (from, to) => {
    const [source, target] = [await bucketIn(from), await bucketIn(to)];
    const bytes = largePart(3, 10);
    await send("PUT", `/${source}/k`, { body: bytes });
    const uploadId = await createUpload(target, "c");
    const parts = [];
    for (const [number, headers] of [
      [1, {}],
      [2, { "x-amz-copy-source-range": "bytes=5-9" }],
    ] as const) {
      const response = await copy(`/${source}/k`, `/${target}/c?uploadId=${uploadId}&partNumber=${number}`, headers);
      expect(response.status).toBe(200);
      parts.push({ partNumber: number, etag: textOf(readXml(await response.text()), "ETag") ?? "" });
    }
    await send("DELETE", `/${source}/k`);
    expect((await sendCompletion(target, "c", uploadId, parts)).status).toBe(200);
    await expectBytes(await send("GET", `/${target}/c`), joined([bytes, bytes.subarray(5, 10)]));
    await expectSoundReferences(source, target);
  });
});

describe("the orphan scan", () => {
  it("takes no blob that a row of any database references, and deletes orphans of every database's buckets", async () => {
    const buckets = await Promise.all(DATABASES.map(bucketIn));
    const orphans: string[] = [];
    for (const bucket of buckets) {
      await send("PUT", `/${bucket}/k`, { body: bucket });
      const { objects } = await storedStateOf(bucket);
      const blobId = objects["k"]?.blob_id ?? "";
      const stored = await env.BLOBS.head(blobId);
      const orphan = `${await bucketId(bucket)}/orphan-${crypto.randomUUID()}`;
      await env.BLOBS.put(orphan, "x", { customMetadata: stored?.customMetadata ?? {} });
      orphans.push(orphan);
    }
    const hours = 3_600_000;
    const share = { ORPHAN_SHARE_PERCENT: "100" };
    await runPass(scanOrphans, Date.now() + 25 * hours, share);
    await runPass(scanOrphans, Date.now() + 75 * hours, share);
    for (const orphan of orphans) expect(await env.BLOBS.head(orphan), orphan).toBeNull();
    for (const bucket of buckets) await expectBytes(await send("GET", `/${bucket}/k`), bucket);
    await expectSoundReferences(...buckets);
  });
});

describe("annotations", () => {
  it.each(PAIRS)("from %s to %s are copied with their object, small and large ones", async (from, to) => {
    const [source, target] = [await bucketIn(from), await bucketIn(to)];
    await send("PUT", `/${source}/k`, { body: "1" });
    const payloads = { a: '"é"', b: "x".repeat(1024 * 1024), c: "last" };
    for (const [name, body] of Object.entries(payloads)) await annotate(`${source}/k`, name, body);
    expect((await copy(`/${source}/k`, `/${target}/c`)).status).toBe(200);
    for (const [name, body] of Object.entries(payloads)) {
      expect((await payloadOf(`${target}/c`, name)) === body, name).toBe(true);
    }
    const excluded = await copy(`/${source}/k`, `/${target}/c`, { "x-amz-object-annotation-directive": "EXCLUDE" });
    expect(excluded.status).toBe(200);
    expect(await payloadOf(`${target}/c`, "a")).toBe(404);
  });
});
