// Transitions move bytes to another storage class while clients read the objects.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { parseRecoveryMetadata } from "../../src/protocol/objects/recovery-metadata.ts";
import { lookUpUnreferenced } from "../../src/state/repair/orphans.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { r2With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { jobContext, runPass } from "../support/jobs.ts";
import { bucketId, storedStateOf } from "../support/stored-state.ts";
import { expiresAfter, clearRules, midnight, putLifecycle, rule } from "../support/lifecycle.ts";
import { createUpload, joined, largePart, putPart, sendCompletion, uploadInParts } from "../support/multipart.ts";
import { expectBalanced } from "../support/rows.ts";
import { bodyOf, putVersion, setVersioning, versionedBucket } from "../support/versioning.ts";
import { ANY_SIZE, PARTS, blobOf, classOf, hashOf, movesAfter, seen } from "./lifecycle-transitions-fixture.ts";

const noncurrentMovesAfter = (days: number, storageClass: string, newer = 1): string =>
  `<NoncurrentVersionTransition><NoncurrentDays>${days}</NoncurrentDays><NewerNoncurrentVersions>${newer}</NewerNoncurrentVersions><StorageClass>${storageClass}</StorageClass></NoncurrentVersionTransition>`;

// Other tests' buckets are in the same database, and a pass covers all of them.
beforeEach(clearRules);

describe("a transition", () => {
  it("changes only the storage class for a reader", async () => {
    const bucket = await freshBucket();
    const headers = {
      "content-type": "text/x",
      "x-amz-meta-a": "b",
      "x-amz-tagging": "k=v",
      "cache-control": "no-store",
    };
    await send("PUT", `/${bucket}/k`, { body: "x".repeat(200_000), headers });
    const before = await seen(bucket, "k");
    const blob = await blobOf(bucket, "k");
    await putLifecycle(bucket, rule(movesAfter(30)));
    await runPass(lifecycle, midnight(31) - 1);
    expect(await classOf(bucket, "k")).toBe("STANDARD");
    const puts: (string | undefined)[] = [];
    const watched = r2With({
      put: async (key, body, options) => {
        puts.push(typeof options.storageClass === "string" ? options.storageClass : undefined);
        return env.BLOBS.put(key, body, options);
      },
    });
    const { report } = await runPass(lifecycle, midnight(31), { BLOBS: watched });
    expect(report).toMatchObject({ moved: 1 });
    expect(puts).toEqual(["InfrequentAccess"]);
    expect(await classOf(bucket, "k")).toBe("STANDARD_IA");
    expect(await seen(bucket, "k")).toEqual(before);
    expect(await blobOf(bucket, "k")).not.toBe(blob);
    expect((await storedStateOf(bucket)).garbage).toEqual([blob]);
    const listing = await (await send("GET", `/${bucket}?list-type=2`)).text();
    expect(listing).toContain("<StorageClass>STANDARD_IA</StorageClass>");
    await expectBalanced(bucket);
    await expectSoundReferences(bucket);
    expect((await runPass(lifecycle, midnight(32))).report["moved"] ?? 0).toBe(0);
  });

  it("moves multipart objects part by part", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "parts", PARTS);
    await send("PUT", `/${bucket}/ranges`, { body: largePart(9) });
    const uploadId = await createUpload(bucket, "mixed");
    const copied = await send("PUT", `/${bucket}/mixed?partNumber=1&uploadId=${uploadId}`, {
      headers: { "x-amz-copy-source": `/${bucket}/parts`, "x-amz-copy-source-range": "bytes=1000-6001000" },
    });
    const etag = /<ETag>(.*?)<\/ETag>/.exec(await copied.text())?.[1]?.replaceAll("&quot;", '"') ?? "";
    const last = await putPart(bucket, "mixed", uploadId, 2, "the end");
    expect((await sendCompletion(bucket, "mixed", uploadId, [{ partNumber: 1, etag }, last])).status).toBe(200);
    const before = await Promise.all(["parts", "mixed", "ranges"].map((key) => seen(bucket, key)));
    await putLifecycle(bucket, rule(movesAfter(30, "ONEZONE_IA")));
    expect((await runPass(lifecycle, midnight(31))).report).toMatchObject({ moved: 3 });
    expect(await Promise.all(["parts", "mixed", "ranges"].map((key) => seen(bucket, key)))).toEqual(before);
    expect(await classOf(bucket, "mixed")).toBe("ONEZONE_IA");
    const part = await send("GET", `/${bucket}/parts?partNumber=2`);
    expect(part.status).toBe(206);
    expect(await hashOf(await part.arrayBuffer())).toBe(await hashOf(PARTS[1]));
    const across = await send("GET", `/${bucket}/parts`, { headers: { range: `bytes=${PARTS[0]?.length ?? 0}-` } });
    expect(await hashOf(await across.arrayBuffer())).toBe(await hashOf(joined(PARTS.slice(1))));
    await expectSoundReferences(bucket);
    await collectPast(bucket);
    expect(await Promise.all(["parts", "mixed", "ranges"].map((key) => seen(bucket, key)))).toEqual(before);
    await expectSoundReferences(bucket);
  });

  it("leaves every blob where the orphan scan finds it", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "parts", PARTS);
    await putAll(bucket, { one: "1", before: "2", after: "3" });
    const rename = (from: string, to: string): Promise<Response> =>
      send("PUT", `/${bucket}/${to}?renameObject`, { headers: { "x-amz-rename-source": `/${bucket}/${from}` } });
    expect((await rename("before", "renamed before")).status).toBe(200);
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    expect((await runPass(lifecycle, midnight(31))).report).toMatchObject({ moved: 4 });
    expect((await rename("after", "renamed after")).status).toBe(200);
    await collectPast(bucket);
    const { objects } = await env.BLOBS.list({ prefix: `${await bucketId(bucket)}/`, include: ["customMetadata"] });
    expect(objects).toHaveLength(7);
    const scanned = objects.map(({ key, customMetadata }) => {
      const metadata = parseRecoveryMetadata(customMetadata ?? {});
      if (metadata === undefined) throw new Error(`no recovery metadata: ${key}`);
      return { blobId: key, bucketId: metadata.bucketId, key: metadata.key, uploadId: metadata.uploadId };
    });
    expect(await jobContext(0).database.look(lookUpUnreferenced(scanned))).toEqual([]);
  });

  it("moves SSE-C objects without the key", async () => {
    const bucket = await freshBucket();
    const key = keyHeaders(customerKey(1));
    await send("PUT", `/${bucket}/one`, { body: PARTS[0] ?? "", headers: key });
    const uploadId = await createUpload(bucket, "parts", key);
    const listed = [];
    for (const [index, part] of PARTS.entries())
      listed.push(await putPart(bucket, "parts", uploadId, index + 1, part, key));
    expect((await sendCompletion(bucket, "parts", uploadId, listed, key)).status).toBe(200);
    await putLifecycle(bucket, rule(movesAfter(30)));
    expect((await runPass(lifecycle, midnight(31))).report).toMatchObject({ moved: 2 });
    await collectPast(bucket);
    for (const [name, bytes] of [
      ["one", PARTS[0]],
      ["parts", joined(PARTS)],
    ] as const) {
      const response = await send("GET", `/${bucket}/${name}`, { headers: key });
      expect([response.status, response.headers.get("x-amz-storage-class")]).toEqual([200, "STANDARD_IA"]);
      expect(await hashOf(await response.arrayBuffer())).toBe(await hashOf(bytes));
    }
    const range = { ...key, range: `bytes=${(PARTS[0]?.length ?? 0) - 10}-${(PARTS[0]?.length ?? 0) + 70_000}` };
    const across = await send("GET", `/${bucket}/parts`, { headers: range });
    expect(across.status).toBe(206);
    const start = (PARTS[0]?.length ?? 0) - 10;
    expect(await hashOf(await across.arrayBuffer())).toBe(await hashOf(joined(PARTS).slice(start, start + 70_011)));
    expect((await send("GET", `/${bucket}/one`)).status).toBe(400);
    await expectSoundReferences(bucket);
  });

  it("separates a copied object's bytes from the other references to them", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "a/k": "shared bytes" });
    for (const to of ["b/k", "a/l"]) {
      await send("PUT", `/${bucket}/${to}`, { headers: { "x-amz-copy-source": `/${bucket}/a/k` } });
    }
    await putLifecycle(
      bucket,
      rule(movesAfter(30), {
        filter: "<Filter><And><Prefix>a/</Prefix><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan></And></Filter>",
      }),
    );
    expect((await runPass(lifecycle, midnight(31))).report).toMatchObject({ moved: 2 });
    expect(await Promise.all(["a/k", "a/l", "b/k"].map((key) => classOf(bucket, key)))).toEqual([
      "STANDARD_IA",
      "STANDARD_IA",
      "STANDARD",
    ]);
    for (const key of ["a/k", "a/l", "b/k"]) expect(await bodyOf(bucket, key)).toBe("shared bytes");
    expect((await storedStateOf(bucket)).garbage).toEqual([]);
    await expectBalanced(bucket);
    await send("DELETE", `/${bucket}/b/k`);
    expect((await storedStateOf(bucket)).garbage).toHaveLength(1);
    await expectSoundReferences(bucket);
  });

  it("uses an instantly readable class in place of one that needs a restore", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "1", none: "" });
    await putLifecycle(
      bucket,
      rule(movesAfter(30) + movesAfter(60, "GLACIER") + movesAfter(90, "DEEP_ARCHIVE"), ANY_SIZE),
    );
    await runPass(lifecycle, midnight(31));
    expect(await classOf(bucket, "k")).toBe("STANDARD_IA");
    const blob = await blobOf(bucket, "k");
    expect((await runPass(lifecycle, midnight(61))).report).toMatchObject({ moved: 2 });
    expect(await classOf(bucket, "k")).toBe("GLACIER_IR");
    // The first transition has already moved the bytes.
    expect(await blobOf(bucket, "k")).toBe(blob);
    expect((await runPass(lifecycle, midnight(91))).report["moved"] ?? 0).toBe(0);
    expect([await bodyOf(bucket, "k"), await bodyOf(bucket, "none")]).toEqual(["1", ""]);
  });

  it("uses the coldest class that is due", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "1" });
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE), rule(movesAfter(1, "GLACIER_IR"), ANY_SIZE));
    await runPass(lifecycle, midnight(31));
    expect(await classOf(bucket, "k")).toBe("GLACIER_IR");
  });

  it("skips small objects unless a rule has a size filter", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { small: "x".repeat(131_071), large: "x".repeat(131_072) });
    await putLifecycle(bucket, rule(movesAfter(30)));
    await runPass(lifecycle, midnight(31));
    expect([await classOf(bucket, "small"), await classOf(bucket, "large")]).toEqual(["STANDARD", "STANDARD_IA"]);
  });

  it("runs before an expiration and after a purge", async () => {
    for (const versioning of [undefined, "Enabled"] as const) {
      const bucket = await freshBucket();
      if (versioning !== undefined) await setVersioning(bucket, versioning);
      const versionId = await putVersion(bucket, "k", "1");
      await putLifecycle(bucket, rule(movesAfter(1, "GLACIER_IR"), ANY_SIZE), rule(expiresAfter(1)));
      await runPass(lifecycle, midnight(2));
      const response = await send("HEAD", `/${bucket}/k${versionId === "" ? "" : `?versionId=${versionId}`}`);
      expect(response.headers.get("x-amz-storage-class")).toBe(versioning === undefined ? null : "GLACIER_IR");
      await runPass(lifecycle, midnight(3));
      expect((await send("HEAD", `/${bucket}/k`)).status).toBe(404);
    }
  });

  it("moves noncurrent versions by the age of their successor and by number", async () => {
    const bucket = await versionedBucket();
    const ids: string[] = [];
    for (const body of ["1", "2", "3", "4"]) ids.push(await putVersion(bucket, "k", body));
    await putLifecycle(bucket, rule(noncurrentMovesAfter(5, "GLACIER_IR", 2), ANY_SIZE));
    await runPass(lifecycle, midnight(6) - 1);
    expect(await classOf(bucket, "k", ids[0])).toBe("STANDARD");
    expect((await runPass(lifecycle, midnight(6))).report).toMatchObject({ moved: 1 });
    expect(await Promise.all(ids.map((id) => classOf(bucket, "k", id)))).toEqual([
      "GLACIER_IR",
      "STANDARD",
      "STANDARD",
      "STANDARD",
    ]);
    expect(await Promise.all(ids.map((id) => bodyOf(bucket, "k", id)))).toEqual(["1", "2", "3", "4"]);
    await expectSoundReferences(bucket);
  });
});

describe("an upload with an infrequent-access storage class", () => {
  it("is stored where a transition would have moved it", async () => {
    const bucket = await freshBucket();
    const classes: unknown[] = [];
    const BLOBS = r2With({
      put: async (key, body, options) => {
        classes.push(options.storageClass);
        return env.BLOBS.put(key, body, options);
      },
    });
    const cold = { "x-amz-storage-class": "GLACIER_IR" };
    await send("PUT", `/${bucket}/cold`, { body: "1", headers: cold }, { BLOBS });
    await send("PUT", `/${bucket}/standard`, { body: "1" }, { ...IN_STORE, BLOBS });
    const uploadId = await createUpload(bucket, "parts", cold);
    await send("PUT", `/${bucket}/parts?partNumber=1&uploadId=${uploadId}`, { body: "1" }, { BLOBS });
    await send(
      "PUT",
      `/${bucket}/secret`,
      { body: "1", headers: { ...cold, ...keyHeaders(customerKey(1)) } },
      { BLOBS },
    );
    expect(classes).toEqual(["InfrequentAccess", undefined, "InfrequentAccess", "InfrequentAccess"]);
  });
});

/** Deletes all garbage, as if the recovery window had passed. */
async function collectPast(bucket: string): Promise<void> {
  // A manifest's blobs are collected after the manifest, and a manifest can refer to another.
  for (let pass = 0; pass < 3; pass += 1) await runPass(collectGarbage, midnight(60));
  expect((await storedStateOf(bucket)).garbage).toEqual([]);
}
