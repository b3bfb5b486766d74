// The scrub finds every defect of stored bytes, for every kind of reference, and reports nothing about intact ones.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { toBase64 } from "../../src/bytes/hex-base64.ts";
import { FrameLayout } from "../../src/bytes/frame-layout.ts";
import { scrub } from "../../src/jobs/scrub/scrub.ts";
import { send, type RequestScope } from "../support/client.ts";
import { checksum, md5Base64, noise, utf8 } from "../support/digests.ts";
import { r2With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { jobContext, runPass } from "../support/jobs.ts";
import { bucketId, storedStateOf } from "../support/stored-state.ts";
import { createUpload, largePart, putPart, sendCompletion, uploadInParts } from "../support/multipart.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { versionedBucket } from "../support/versioning.ts";

storeBodiesInBlobs();

const NOW = Date.now();

const SEALED_SECRET_BYTES = new FrameLayout("secret".length).encryptedLength;
const CUSTOMER_KEY_BYTES = noise(32);
const CUSTOMER_KEY = {
  "x-amz-server-side-encryption-customer-algorithm": "AES256",
  "x-amz-server-side-encryption-customer-key": toBase64(CUSTOMER_KEY_BYTES),
  "x-amz-server-side-encryption-customer-key-md5": md5Base64(CUSTOMER_KEY_BYTES),
};

interface Finding {
  readonly finding: string;
  readonly found_at: number;
}

/** Scrubs everything and returns the findings on a bucket's blobs, by blob id. */
async function findingsOf(bucket: string, now = NOW, scope: RequestScope = {}): Promise<Record<string, Finding>> {
  // All in one tick, including what other tests have stored.
  await runPass(scrub, now, { SCRUB_MEGABYTES_PER_TICK: "10000", ...scope });
  const id = await bucketId(bucket);
  const { results } = await env.DB.prepare("SELECT * FROM scrub_findings WHERE blob_id >= ?1 AND blob_id < ?2")
    .bind(`${id}/`, `${id}0`)
    .all<Finding & { blob_id: string }>();
  return Object.fromEntries(results.map((row) => [row.blob_id, row]));
}

/** The blobs of a bucket in upload order, except completion proofs, which no row describes. */
async function blobsOf(bucket: string): Promise<string[]> {
  return Object.keys((await storedStateOf(bucket)).blobs).filter((blobId) => !blobId.endsWith("-proof"));
}

/** The blobs of objects by key. */
async function blobsByKey(bucket: string): Promise<Readonly<Record<string, string>>> {
  const { objects } = await storedStateOf(bucket);
  return Object.fromEntries(Object.entries(objects).map(([key, { blob_id: blobId }]) => [key, blobId]));
}

/** Replaces a blob's bytes and keeps its recovery metadata. */
async function replace(blobId: string, bytes: string | Uint8Array): Promise<void> {
  const customMetadata = (await env.BLOBS.head(blobId))?.customMetadata ?? {};
  await env.BLOBS.put(blobId, bytes, { customMetadata });
}

function parsed(json: string | undefined): unknown {
  return JSON.parse(json ?? "null");
}

/** A bucket with an object, a noncurrent version, multipart objects, an open upload, and a copy. */
async function furnishedBucket(): Promise<string> {
  const bucket = await versionedBucket();
  await putAll(bucket, { k: "old" });
  await putAll(bucket, { k: "new", empty: "" });
  await send("PUT", `/${bucket}/sha`, {
    body: "abc",
    headers: { "x-amz-checksum-sha256": checksum("SHA256", utf8("abc")) },
  });
  await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/k` } });
  await uploadInParts(bucket, "several", [largePart(1), "two"]);
  await send("PUT", `/${bucket}/secret`, { body: "secret", headers: CUSTOMER_KEY });
  // A range from the beginning of another blob covers only some of its bytes.
  const ranged = await createUpload(bucket, "ranged");
  const range = { "x-amz-copy-source": `/${bucket}/k`, "x-amz-copy-source-range": "bytes=0-1" };
  const copied = await send("PUT", `/${bucket}/ranged?partNumber=1&uploadId=${ranged}`, { headers: range });
  const etag = textOf(readXml(await copied.text()), "ETag") ?? "";
  expect((await sendCompletion(bucket, "ranged", ranged, [{ partNumber: 1, etag }])).status).toBe(200);
  await uploadInParts(bucket, "one", ["one"]);
  await putPart(bucket, "open", await createUpload(bucket, "open"), 1, "open");
  return bucket;
}

describe("the scrub", () => {
  it("finds nothing when all blobs are intact", async () => {
    const bucket = await furnishedBucket();
    expect(await blobsOf(bucket)).toHaveLength(9);
    expect(await findingsOf(bucket)).toEqual({});
  });

  it("finds changed bytes, for every kind of reference", async () => {
    const bucket = await furnishedBucket();
    const blobs = await blobsOf(bucket);
    for (const blobId of blobs) {
      const bytes = new Uint8Array(await ((await env.BLOBS.get(blobId))?.arrayBuffer() ?? new ArrayBuffer(0)));
      // Of encrypted bytes the row knows only the length.
      const isEncrypted = bytes.length === SEALED_SECRET_BYTES;
      await replace(blobId, bytes.length === 0 || isEncrypted ? "x" : bytes.map((byte) => byte ^ 1));
    }
    const findings = await findingsOf(bucket);
    expect(Object.keys(findings)).toEqual(blobs);
    for (const { finding } of Object.values(findings))
      expect(finding).toMatch(/^its \w+ is \S+, its row says|bytes, its row/);
  });

  it("finds bytes that the store itself no longer returns as they were put", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "right", short: "too short" });
    const { k = "", short = "" } = await blobsByKey(bucket);
    const BLOBS = r2With({
      async get(key, options) {
        const found = await env.BLOBS.get(key, options);
        if (found === null || (key !== k && key !== short)) return found;
        const bytes = key === k ? "wrong" : "too";
        return new Proxy(found, {
          get: (target, name) => (name === "body" ? new Response(bytes).body : (Reflect.get(target, name) as unknown)),
        });
      },
    });
    const findings = await findingsOf(bucket, NOW, { BLOBS });
    expect(findings[k]?.finding).toMatch(/^its MD5 is \w{32}, the store says/);
    expect(findings[short]?.finding).toBe("3 bytes can be read, the store says 9");
  });

  it("finds unreadable blobs after two attempts, and continues after them", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "lost", b: "broken off once", c: "sound" });
    const blobs = await blobsByKey(bucket);
    let failures = 0;
    const BLOBS = r2With({
      async get(key, options) {
        if (key === blobs["a"] || (key === blobs["b"] && ++failures === 1))
          throw new Error("get: internal error (10001)");
        return env.BLOBS.get(key, options);
      },
    });
    const findings = await findingsOf(bucket, NOW, { BLOBS });
    expect(Object.keys(findings)).toEqual([blobs["a"]]);
    expect(findings[blobs["a"] ?? ""]?.finding).toBe("it cannot be read: get: internal error (10001)");
    expect(await findingsOf(bucket)).toEqual({});
  });

  it("finds every unreadable blob in one tick, among readable ones", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "bad", b: "sound", c: "bad", d: "wrong", e: "bad" });
    const { a = "", c = "", d = "", e = "" } = await blobsByKey(bucket);
    await replace(d, "WRONG");
    const bad = new Set([a, c, e]);
    const asked: string[] = [];
    const BLOBS = r2With({
      async get(key, options) {
        asked.push(key);
        if (bad.has(key)) throw new Error("get: internal error (10001)");
        return env.BLOBS.get(key, options);
      },
    });
    const ticks: unknown[] = [];
    let cursor: string | null = JSON.stringify({ began: NOW, after: `${await bucketId(bucket)}/`, tick: 0, bytes: 0 });
    while (cursor !== null) {
      const step = await scrub.step(jobContext(NOW, { BLOBS, SCRUB_MEGABYTES_PER_TICK: "10000" }), cursor);
      ticks.push(step.endsTick);
      ({ cursor } = step);
    }
    expect(ticks).not.toContain(true);
    // One more attempt each, and no third.
    for (const blobId of bad) expect(asked.filter((id) => id === blobId)).toHaveLength(2);
    const { results } = await env.DB.prepare("SELECT blob_id FROM scrub_findings WHERE blob_id IN (?, ?, ?, ?)")
      .bind(a, c, d, e)
      .all();
    expect(results).toHaveLength(4);
  });

  it("finds blobs that the store lists without bytes", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "listed", other: "sound" });
    const { k = "" } = await blobsByKey(bucket);
    const BLOBS = r2With({ get: async (key, options) => (key === k ? null : env.BLOBS.get(key, options)) });
    expect(await findingsOf(bucket, NOW, { BLOBS })).toMatchObject({
      [k]: { finding: "the store lists it and has no bytes of it" },
    });
  });

  it("finds missing blobs, for every kind of row, until no row needs them", async () => {
    const bucket = await furnishedBucket();
    const blobs = await blobsOf(bucket);
    await env.BLOBS.delete(blobs);
    const findings = await findingsOf(bucket);
    expect(Object.keys(findings)).toEqual(blobs);
    const kinds = Object.values(findings).map(
      ({ finding }) => /^it is missing, and (\w+) .+ needs it$/.exec(finding)?.[1],
    );
    expect(new Set(kinds)).toEqual(new Set(["object", "version", "part", "manifest"]));
    const again = await send("GET", `/?fsck`);
    expect(again.status).toBe(200);
    const id = await bucketId(bucket);
    for (const table of ["objects", "versions", "uploads"])
      await env.DB.prepare(`DELETE FROM ${table} WHERE bucket_id = ?`).bind(id).run();
    await env.DB.prepare("DELETE FROM manifests WHERE manifest_id LIKE ? || '/%'").bind(id).run();
    await env.DB.prepare("DELETE FROM parts WHERE holding_id LIKE ? || '/%'").bind(id).run();
    expect(await findingsOf(bucket, NOW + 1000)).toEqual({});
  });

  it("makes no more calls than the tick's budget allows, and continues where it stopped", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`k${index}`, "x"])));
    const blobs = Object.values(await blobsByKey(bucket));
    await env.BLOBS.delete(blobs);
    const id = await bucketId(bucket);
    let cursor: string | null = JSON.stringify({
      began: NOW,
      tick: NOW,
      bytes: 0,
      need: { table: "objects", after: [id, "", ""] },
    });
    const asked: number[] = [];
    for (let tick = 0; tick < 3 && cursor !== null; tick += 1) {
      let left = 10;
      const context = jobContext(NOW);
      const head = async (key: string): Promise<R2Object | null> => {
        left -= 1;
        return env.BLOBS.head(key);
      };
      const { blobs: store } = jobContext(NOW, { BLOBS: r2With({ head }) });
      const budget = { callsLeft: () => Math.max(0, left), isSpent: () => left <= 0 };
      const step = await scrub.step({ ...context, blobs: store, budget }, cursor);
      asked.push(step.report["needed"] ?? 0);
      if (tick < 2) expect(step.endsTick).toBe(true);
      ({ cursor } = step);
    }
    expect(asked.slice(0, 2)).toEqual([10, 10]);
    const { results } = await env.DB.prepare(
      "SELECT blob_id FROM scrub_findings WHERE blob_id >= ?1 || '/' AND blob_id < ?1 || '0'",
    )
      .bind(id)
      .all();
    expect(results).toHaveLength(25);
  });

  it("stores a lost completion proof again, which the check reports until then", async () => {
    const bucket = await furnishedBucket();
    const proofs = Object.keys((await storedStateOf(bucket)).blobs).filter((blobId) => blobId.endsWith("-proof"));
    expect(proofs.length).toBeGreaterThanOrEqual(3);
    const stored = await Promise.all(proofs.map(async (blobId) => (await env.BLOBS.get(blobId))?.text()));
    await env.BLOBS.delete(proofs);
    const said = await (await send("GET", "/?fsck")).text();
    for (const blobId of proofs)
      expect(said).toMatch(new RegExp(`blob ${blobId} is missing: version .+ is intact, but could not be rebuilt`));
    const failing = r2With({
      put: async (key, ...rest) => {
        if (key.endsWith("-proof")) throw new Error("put: internal error (10001)");
        return env.BLOBS.put(key, ...rest);
      },
    });
    const findings = await findingsOf(bucket, NOW, { BLOBS: failing });
    expect(Object.keys(findings)).toEqual(proofs);
    for (const { finding } of Object.values(findings))
      expect(finding).toMatch(
        /^it is missing: object .+ is intact, but could not be rebuilt; storing it again failed: /,
      );
    expect(await findingsOf(bucket, NOW + 1000)).toEqual({});
    const again = await Promise.all(proofs.map(async (blobId) => (await env.BLOBS.get(blobId))?.text()));
    expect(again.map(parsed)).toEqual(stored.map(parsed));
    expect(await (await send("GET", "/?fsck")).text()).not.toContain(await bucketId(bucket));
  });

  it("keeps the time of the first finding, and deletes findings that are repaired or purged", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "a", b: "b", c: "c" });
    const { a = "", b = "", c = "" } = await blobsByKey(bucket);
    for (const blobId of [a, b, c]) await replace(blobId, "wrong");
    expect(Object.keys(await findingsOf(bucket, NOW))).toEqual(await blobsOf(bucket));
    await replace(a, "a");
    await send("DELETE", `/${bucket}/b`);
    await env.BLOBS.delete(b);
    const later = await findingsOf(bucket, NOW + 1000);
    expect(Object.keys(later)).toEqual([c]);
    expect(later[c]?.found_at).toBe(NOW);
  });

  it("deletes nothing and changes no row", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "right" });
    const [blobId = ""] = await blobsOf(bucket);
    await replace(blobId, "wrong");
    const before = await storedStateOf(bucket);
    await findingsOf(bucket);
    expect(await storedStateOf(bucket)).toEqual(before);
  });

  it("reads a bounded number of bytes per tick and continues in the next", async () => {
    await runPass(scrub, NOW, { SCRUB_MEGABYTES_PER_TICK: "10000" });
    const bucket = await freshBucket();
    for (const key of ["a", "b", "c"]) await send("PUT", `/${bucket}/${key}`, { body: new Uint8Array(700_000) });
    const seen: number[] = [];
    let cursor: string | null = JSON.stringify({ began: NOW, after: `${await bucketId(bucket)}/`, tick: 0, bytes: 0 });
    for (let tick = 1; tick < 4 && cursor !== null; tick += 1) {
      const context = jobContext(NOW + tick, { SCRUB_MEGABYTES_PER_TICK: "1" });
      const step = await scrub.step(context, cursor);
      seen.push(step.report["bytes"] ?? 0);
      if (step.cursor !== null) {
        expect(step.endsTick).toBe(true);
        const again = await scrub.step(context, step.cursor);
        expect(again).toMatchObject({ cursor: step.cursor, report: { blobs: 0 }, endsTick: true });
      }
      ({ cursor } = step);
    }
    expect(seen[0]).toBe(1_400_000);
    expect(seen[1]).toBeGreaterThanOrEqual(700_000);
  });

  it("reads nothing in Infrequent Access again unless configured", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "right" });
    const [blobId = ""] = await blobsOf(bucket);
    await replace(blobId, "wrong");
    const BLOBS = allInInfrequentAccess();
    expect(await findingsOf(bucket, NOW, { BLOBS })).toEqual({});
    const asked = { BLOBS, SCRUB_INFREQUENT_ACCESS: "true" };
    expect(Object.keys(await findingsOf(bucket, NOW, asked))).toEqual([blobId]);
  });
});

/** R2 that lists every blob as Infrequent Access; the simulator stores no storage class. */
function allInInfrequentAccess(): R2Bucket {
  const infrequent = (object: R2Object): R2Object =>
    new Proxy(object, {
      get: (target, property): unknown =>
        property === "storageClass" ? "InfrequentAccess" : (Reflect.get(target, property, target) as unknown),
    });
  return new Proxy(env.BLOBS, {
    get(target, property) {
      if (property === "list") {
        return async (options: R2ListOptions) => {
          const page = await target.list(options);
          return { ...page, objects: page.objects.map(infrequent) };
        };
      }
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
