// Transitions move bytes to another storage class while clients read the objects.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { digest } from "../../src/bytes/digest.ts";
import { toHex } from "../../src/bytes/hex-base64.ts";
import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { lifecycleFromText } from "../../src/protocol/lifecycle/lifecycle.ts";
import { parseRecoveryMetadata } from "../../src/protocol/objects/recovery-metadata.ts";
import { lookUpBucket } from "../../src/state/metadata/buckets.ts";
import { WALK_START, walkPage } from "../../src/state/lifecycle/lifecycle-walk.ts";
import { lookUpUnreferenced } from "../../src/state/repair/orphans.ts";
import { applyTransition, type CopyAllowance, type TransitionOutcome } from "../../src/state/lifecycle/transitions.ts";
import { expectSoundReferences, referencesOf } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { d1With, r2With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { jobContext, runPass } from "../support/jobs.ts";
import { bucketId, storedStateOf } from "../support/stored-state.ts";
import { expiresAfter, forgetRules, midnight, prefixed, putLifecycle, rule } from "../support/lifecycle.ts";
import { createUpload, joined, largePart, putPart, sendCompletion, uploadInParts } from "../support/multipart.ts";
import { expectBalanced } from "../support/rows.ts";
import { bodyOf, putVersion, setVersioning, versionedBucket } from "../support/versioning.ts";

const movesAfter = (days: number, storageClass = "STANDARD_IA"): string =>
  `<Transition><Days>${days}</Days><StorageClass>${storageClass}</StorageClass></Transition>`;
const noncurrentMovesAfter = (days: number, storageClass: string, newer = 1): string =>
  `<NoncurrentVersionTransition><NoncurrentDays>${days}</NoncurrentDays><NewerNoncurrentVersions>${newer}</NewerNoncurrentVersions><StorageClass>${storageClass}</StorageClass></NoncurrentVersionTransition>`;
const ANY_SIZE = { filter: "<Filter><ObjectSizeLessThan>1099511627776000</ObjectSizeLessThan></Filter>" };
const PARTS = [largePart(1), largePart(2, 12_345), new TextEncoder().encode("the last part")];

async function classOf(bucket: string, key: string, versionId = ""): Promise<string> {
  const query = versionId === "" ? "" : `?versionId=${versionId}`;
  const response = await send("HEAD", `/${bucket}/${key}${query}`);
  expect(response.status).toBe(200);
  return response.headers.get("x-amz-storage-class") ?? "STANDARD";
}

async function blobOf(bucket: string, key: string): Promise<string | null> {
  const row = await env.DB.prepare("SELECT blob_id FROM objects WHERE bucket_id = ? AND key = ?")
    .bind(await bucketId(bucket), key)
    .first<{ blob_id: string | null }>();
  return row?.blob_id ?? null;
}

/** Everything that a reader sees of an object except its storage class. */
async function seen(bucket: string, key: string): Promise<unknown> {
  const response = await send("GET", `/${bucket}/${key}`, { headers: { "x-amz-checksum-mode": "ENABLED" } });
  const headers = Array.from(response.headers).filter(
    ([name]) => !/^(x-amz-(request-id|id-2|storage-class|expiration)|date|server-timing)$/.test(name),
  );
  const bytes = await response.arrayBuffer();
  return { status: response.status, headers, length: bytes.byteLength, hash: await hashOf(bytes) };
}

async function hashOf(bytes: ArrayBuffer | Uint8Array = new Uint8Array()): Promise<string> {
  return toHex(await digest("SHA-256", new Uint8Array(bytes)));
}

/** Executes the first due transition of a bucket, in the smallest possible steps. */
async function moveFirst(bucketName: string, now: number, allowance: CopyAllowance): Promise<TransitionOutcome> {
  const context = jobContext(now);
  const { bucket } = await context.database.look(lookUpBucket(bucketName));
  const configuration = lifecycleFromText(bucket?.configurations.lifecycle ?? null);
  if (bucket === undefined || configuration === undefined) throw new Error("no rules");
  const { evaluated } = await walkPage({ database: context.database, bucket, configuration, now }, WALK_START);
  const first = evaluated.find(({ action }) => action.action === "transition");
  if (first === undefined || first.kind === "upload" || first.action.action !== "transition")
    throw new Error("nothing to move");
  const { version, action } = first;
  const transition = { bucket, revision: configuration.revision, version, storageClass: action.storageClass, now };
  return applyTransition(context, transition, allowance);
}

// Other tests' buckets are in the same database, and a pass covers all of them.
beforeEach(forgetRules);

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

  it("continues where it stopped, however small the steps", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "parts", PARTS);
    const before = await seen(bucket, "parts");
    await putLifecycle(bucket, rule(movesAfter(30)));
    const now = midnight(31);
    expect(await moveFirst(bucket, now, { blobs: 1, bytes: 1 })).toBe("unfinished");
    expect(await classOf(bucket, "parts")).toBe("STANDARD");
    expect(await moveFirst(bucket, now, { blobs: 0, bytes: 1 })).toBe("unfinished");
    expect(await seen(bucket, "parts")).toEqual(before);
    expect(await moveFirst(bucket, now, { blobs: 1, bytes: 1 })).toBe("unfinished");
    expect(await moveFirst(bucket, now, { blobs: 1, bytes: 1 })).toBe("moved");
    expect(await classOf(bucket, "parts")).toBe("STANDARD_IA");
    expect(await seen(bucket, "parts")).toEqual(before);
    const left = await env.DB.prepare("SELECT * FROM storage_class_transitions WHERE bucket_id = ?")
      .bind(await bucketId(bucket))
      .all();
    expect(left.results).toEqual([]);
    await expectSoundReferences(bucket);
  });

  it("makes each copy once, also when the record of it is lost", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "parts", PARTS);
    const before = await seen(bucket, "parts");
    await putLifecycle(bucket, rule(movesAfter(30)));
    const now = midnight(31);
    expect(await moveFirst(bucket, now, { blobs: 2, bytes: 1e9 })).toBe("unfinished");
    await env.DB.prepare("UPDATE storage_class_transitions SET slices_left = 3 WHERE bucket_id = ?")
      .bind(await bucketId(bucket))
      .run();
    expect(await moveFirst(bucket, now, { blobs: 9, bytes: 1e9 })).toBe("moved");
    expect(await seen(bucket, "parts")).toEqual(before);
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

  it("fails for a version whose bytes are missing, and continues with the others", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2" });
    await env.BLOBS.delete((await blobOf(bucket, "a")) ?? "");
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    expect((await runPass(lifecycle, midnight(31))).report).toMatchObject({ failed: 1, moved: 1 });
    expect([await classOf(bucket, "a"), await classOf(bucket, "b")]).toEqual(["STANDARD", "STANDARD_IA"]);
  });

  it("loses no byte when the blob store fails midway", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2" });
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    let calls = 0;
    const failing = r2With({
      put: async (key, body, options) => {
        calls += 1;
        if (calls === 1) throw new Error("put: We encountered an internal error. Please try again. (10001)");
        return env.BLOBS.put(key, body, options);
      },
    });
    expect((await runPass(lifecycle, midnight(31), { BLOBS: failing })).report).toMatchObject({ failed: 1, moved: 1 });
    expect((await runPass(lifecycle, midnight(32))).report).toMatchObject({ moved: 1 });
    expect([await bodyOf(bucket, "a"), await bodyOf(bucket, "b")]).toEqual(["1", "2"]);
  });

  it("loses no byte when the database's response is lost", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1" });
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    let lost = 0;
    const DB = d1With(async (sql, sendOn) => {
      const results = await sendOn();
      if (lost > 0 || !sql.some((text) => text.includes("judged_version_guard"))) return results;
      lost += 1;
      throw new Error("D1_ERROR: Network connection lost.");
    });
    expect((await runPass(lifecycle, midnight(31), { DB })).report).toMatchObject({ moved: 1 });
    expect(lost).toBe(1);
    expect([await bodyOf(bucket, "a"), await classOf(bucket, "a")]).toEqual(["1", "STANDARD_IA"]);
    await expectSoundReferences(bucket);
  });
});

describe("two concurrent passes", () => {
  it("have the effect of one", async () => {
    const bucket = await freshBucket();
    const keys = Array.from({ length: 20 }, (_, index) => String(index).padStart(2, "0"));
    await putAll(
      bucket,
      Object.fromEntries(
        keys.flatMap((key) => [
          [`gone/${key}`, key],
          [`moved/${key}`, key],
        ]),
      ),
    );
    await putLifecycle(
      bucket,
      rule(expiresAfter(1), prefixed("gone/")),
      rule(movesAfter(1, "GLACIER_IR"), {
        filter: "<Filter><And><Prefix>moved/</Prefix><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan></And></Filter>",
      }),
    );
    const passes = await Promise.all([1, 2, 3].map(() => runPass(lifecycle, midnight(2))));
    const sum = (name: string): number => passes.reduce((total, { report }) => total + (report[name] ?? 0), 0);
    expect([sum("moved"), sum("failed")]).toEqual([20, 0]);
    const text = await (await send("GET", `/${bucket}?list-type=2`)).text();
    expect(text.match(/<StorageClass>GLACIER_IR</g)).toHaveLength(20);
    expect(text).toContain("<KeyCount>20</KeyCount>");
    for (const key of keys.slice(0, 5)) expect(await bodyOf(bucket, `moved/${key}`)).toBe(key);
    // Late copies are orphans, which the orphan scan deletes.
    const { findings } = await referencesOf(bucket);
    expect(findings).toEqual([]);
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
    await send("PUT", `/${bucket}/standard`, { body: "1" }, { BLOBS });
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

describe("a request that has read the old location", () => {
  /** D1 that executes a bucket's transitions after the first look-up, before its results are returned. */
  function movedAfterLookup(marker: string): D1Database {
    let isMoved = false;
    return d1With(async (sql, sendOn) => {
      const results = await sendOn();
      if (!isMoved && sql.some((text) => text.includes(marker))) {
        isMoved = true;
        await runPass(lifecycle, midnight(31));
      }
      return results;
    });
  }

  it("copies the current location at its commit", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "bytes" });
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    const headers = { "x-amz-copy-source": `/${bucket}/k` };
    const response = await send("PUT", `/${bucket}/copy`, { headers }, { DB: movedAfterLookup("objects o") });
    expect(response.status).toBe(200);
    expect(await classOf(bucket, "k")).toBe("STANDARD_IA");
    expect(await blobOf(bucket, "copy")).toBe(await blobOf(bucket, "k"));
    await expectSoundReferences(bucket);
  });

  it("renames the current location at its commit", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "bytes" });
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    const headers = { "x-amz-rename-source": `/${bucket}/k` };
    const response = await send(
      "PUT",
      `/${bucket}/new?renameObject`,
      { headers },
      { DB: movedAfterLookup("objects o") },
    );
    expect(response.status).toBe(200);
    expect([await bodyOf(bucket, "new"), await classOf(bucket, "new")]).toEqual(["bytes", "STANDARD_IA"]);
    await expectSoundReferences(bucket);
  });

  it("copies a part from the current location at its commit", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "bytes" });
    const uploadId = await createUpload(bucket, "up");
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    const headers = { "x-amz-copy-source": `/${bucket}/k` };
    const target = `/${bucket}/up?partNumber=1&uploadId=${uploadId}`;
    expect((await send("PUT", target, { headers }, { DB: movedAfterLookup("uploads u") })).status).toBe(200);
    expect(await classOf(bucket, "k")).toBe("STANDARD_IA");
    await expectSoundReferences(bucket);
  });

  it("wins with its own concurrent write", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "1" });
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    let isFirst = true;
    const BLOBS = r2With({
      put: async (key, body, options) => {
        if (isFirst) await putAll(bucket, { a: "2" });
        isFirst = false;
        return env.BLOBS.put(key, body, options);
      },
    });
    expect((await runPass(lifecycle, midnight(31), { BLOBS })).report).toMatchObject({ changedMeanwhile: 1, moved: 1 });
    expect([await bodyOf(bucket, "a"), await classOf(bucket, "a")]).toEqual(["2", "STANDARD"]);
  });
});

describe("400 days", () => {
  it("archive after 30, expire after 180, and abort unfinished uploads", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "data/k": "1", "tmp/k": "1", "kept/k": "1" });
    await createUpload(bucket, "data/upload");
    await putLifecycle(
      bucket,
      rule(movesAfter(30, "GLACIER_IR") + expiresAfter(180), {
        id: "archive",
        filter: "<Filter><And><Prefix>data/</Prefix><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan></And></Filter>",
      }),
      rule(expiresAfter(1), prefixed("tmp/")),
      rule(
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
      ),
    );
    const id = await bucketId(bucket);
    const changes: string[] = [];
    let before = "";
    for (let day = 0; day <= 400; day += 1) {
      await runPass(lifecycle, midnight(day));
      const { results } = await env.DB.prepare(
        `SELECT key || ' ' || storage_class AS shown FROM objects WHERE bucket_id = ?1
         UNION ALL SELECT key FROM uploads WHERE bucket_id = ?1`,
      )
        .bind(id)
        .all<{ shown: string }>();
      const now = results.map(({ shown }) => shown).join(", ");
      if (now !== before) changes.push(`${day} ${now}`);
      before = now;
    }
    expect(changes).toEqual([
      "0 data/k STANDARD, kept/k STANDARD, tmp/k STANDARD, data/upload",
      "2 data/k STANDARD, kept/k STANDARD, data/upload",
      "8 data/k STANDARD, kept/k STANDARD",
      "31 data/k GLACIER_IR, kept/k STANDARD",
      "181 kept/k STANDARD",
    ]);
    await expectSoundReferences(bucket);
  }, 120_000);
});

/** Deletes all garbage, as if the recovery window had passed. */
async function collectPast(bucket: string): Promise<void> {
  // A manifest's blobs are collected after the manifest, and a manifest can refer to another.
  for (let pass = 0; pass < 3; pass += 1) await runPass(collectGarbage, midnight(60));
  expect((await storedStateOf(bucket)).garbage).toEqual([]);
}
