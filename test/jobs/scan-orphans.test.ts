// The orphan scan: what it finds, what it never treats as an orphan, and how it reacts to too many orphans.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { SCHEDULE } from "../../src/jobs/schedule.ts";
import { scanOrphans } from "../../src/jobs/scan-orphans.ts";
import { recoveryMetadata } from "../../src/protocol/objects/recovery-metadata.ts";
import { expectSoundReferences, referencesOf } from "../support/check-references.ts";
import { send, type RequestScope } from "../support/client.ts";
import { expectBytes } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { connectionLost, d1With, r2With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { jobContext, runPass, type Pass } from "../support/jobs.ts";
import { BINDINGS } from "../support/databases.ts";
import { bucketId, storedStateOf } from "../support/stored-state.ts";
import { createUpload, largePart, putPart, sendCompletion, uploadInParts } from "../support/multipart.ts";
import { measuredD1, PARAMETER_MAX_BYTES } from "../support/parameters.ts";
import { DATABASE_COUNT } from "../support/placement.ts";
import { setVersioning } from "../support/versioning.ts";

storeBodiesInBlobs();

const HOUR_MS = 3_600_000;
const AFTER_UPLOADS = 25 * HOUR_MS;
const AFTER_WINDOW = 50 * HOUR_MS;
/** All tests share the storage, which contains remains of injected faults. */
const ANY_SHARE = { ORPHAN_SHARE_PERCENT: "100" };

function scan(afterMs: number, scope: RequestScope = {}): Promise<Pass> {
  return runPass(scanOrphans, Date.now() + afterMs, { ...ANY_SHARE, ...scope });
}

/** Finds orphans, waits, and deletes them. */
async function scanTwice(scope: RequestScope = {}): Promise<void> {
  await scan(AFTER_UPLOADS, scope);
  await scan(AFTER_WINDOW, scope);
}

/** A blob of `key`, as a PUT leaves it that dies before its commit. */
async function orphanOf(bucket: string, key = "k"): Promise<string> {
  const id = await bucketId(bucket);
  const blobId = `${id}/orphan-${crypto.randomUUID()}`;
  const metadata = { contentType: undefined, systemMetadata: {}, userMetadata: {} };
  const customMetadata = recoveryMetadata({ bucketId: id, bucketName: bucket, key, metadata });
  await env.BLOBS.put(blobId, "x", { customMetadata });
  return blobId;
}

async function isStored(blobId: string): Promise<boolean> {
  return (await env.BLOBS.head(blobId)) !== null;
}

async function exists(table: string, blobId: string): Promise<boolean> {
  return (await env.DB.prepare(`SELECT 1 FROM ${table} WHERE blob_id = ?`).bind(blobId).first()) !== null;
}

/** Deletes the orphans that a scan has found and keeps, as it keeps locked ones. */
async function deleteKept(): Promise<void> {
  for (const { d1 } of BINDINGS) {
    const { results } = await d1.prepare("SELECT blob_id FROM orphans").all<{ blob_id: string }>();
    await Promise.all(results.map(async ({ blob_id: blobId }) => env.BLOBS.delete(blobId)));
    await d1.prepare("DELETE FROM orphans").run();
  }
}

// The counts would include remains of other tests.
beforeEach(async () => {
  await scan(AFTER_WINDOW);
  await scan(2 * AFTER_WINDOW);
  await deleteKept();
});

describe("an orphan", () => {
  it("stays while its upload can still run, then for the recovery window, and is then deleted", async () => {
    const bucket = await freshBucket();
    const orphan = await orphanOf(bucket);
    await scan(23 * HOUR_MS);
    expect(await exists("orphans", orphan)).toBe(false);
    await scan(AFTER_UPLOADS);
    await scan(48 * HOUR_MS);
    expect(await exists("orphans", orphan)).toBe(true);
    expect(await isStored(orphan)).toBe(true);
    const { report } = await scan(AFTER_WINDOW);
    expect(report).toMatchObject({ deleted: 1, cleared: 0 });
    expect(await isStored(orphan)).toBe(false);
    expect(await exists("scan_tombstones", orphan)).toBe(true);
    expect(await exists("orphans", orphan)).toBe(false);
    await expectSoundReferences(bucket);
  });

  it("can be the blob of a key with other versions", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "current" });
    await setVersioning(bucket, "Enabled");
    await putAll(bucket, { k: "newer" });
    const orphan = await orphanOf(bucket);
    const before = Object.keys((await storedStateOf(bucket)).blobs).filter((id) => id !== orphan);
    await scanTwice();
    expect(Object.keys((await storedStateOf(bucket)).blobs)).toEqual(before);
  });

  it("that turns out to be referenced loses its mark", async () => {
    const bucket = await freshBucket();
    const orphan = await orphanOf(bucket);
    await scan(AFTER_UPLOADS);
    await putAll(bucket, { k: "x" });
    await env.DB.prepare("UPDATE objects SET blob_id = ? WHERE bucket_id = ?")
      .bind(orphan, await bucketId(bucket))
      .run();
    const { report } = await scan(AFTER_WINDOW);
    expect(report).toMatchObject({ deleted: 0, cleared: 1 });
    expect(await isStored(orphan)).toBe(true);
    expect(await exists("orphans", orphan)).toBe(false);
    await expectBytes(await send("GET", `/${bucket}/k`), "x");
  });

  it("is never an object that Cairn did not store", async () => {
    const bucket = await freshBucket();
    const id = await bucketId(bucket);
    const strange = [`${id}/without-certificate`, `elsewhere-${crypto.randomUUID()}`];
    const metadata = { bucket: id, key: '"k"' };
    await env.BLOBS.put(strange[0] ?? "", "x");
    await env.BLOBS.put(strange[1] ?? "", "x", { customMetadata: metadata });
    const { report } = await scan(AFTER_UPLOADS);
    expect(report["strange"]).toBeGreaterThanOrEqual(2);
    await scan(AFTER_WINDOW);
    for (const blobId of strange) expect(await isStored(blobId)).toBe(true);
    await env.BLOBS.delete(strange);
  });
});

describe("a referenced blob", () => {
  it("stays, for every kind of reference", async () => {
    const [bucket, unversioned] = [await freshBucket(), await freshBucket()];
    await putAll(bucket, { single: "single", old: "old", copied: "copied", gone: "gone" });
    await setVersioning(bucket, "Enabled");
    await putAll(bucket, { old: "new" });
    await send("DELETE", `/${bucket}/gone`);
    await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/copied` } });
    await setVersioning(bucket, "Suspended");
    await send("DELETE", `/${bucket}/copied`);
    await putAll(unversioned, { a: "renamed", replaced: "waits" });
    const rename = { headers: { "x-amz-rename-source": `/${unversioned}/a` } };
    expect((await send("PUT", `/${unversioned}/b?renameObject`, rename)).status).toBe(200);
    await putAll(unversioned, { replaced: "current" });
    await uploadInParts(bucket, "several", [largePart(1), "2"]);
    await uploadInParts(bucket, "one", ["1"]);
    await uploadInParts(unversioned, "several", [largePart(3), "4"]);
    await send("DELETE", `/${unversioned}/several`);
    await putPart(bucket, "open", await createUpload(bucket, "open"), 1, "open");

    const stored = async (): Promise<string[][]> =>
      Promise.all([bucket, unversioned].map(async (name) => Object.keys((await storedStateOf(name)).blobs)));
    const before = await stored();
    await scanTwice();
    expect(await stored()).toEqual(before);
    await expectSoundReferences(bucket, unversioned);
    await expectBytes(await send("GET", `/${bucket}/copy`), "copied");
    await expectBytes(await send("GET", `/${unversioned}/b`), "renamed");
  });

  it("is found by reading a few rows", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, "x"])));
    await uploadInParts(bucket, "parted", [largePart(1), "2"]);
    const { report, counts } = await scan(AFTER_UPLOADS);
    expect(report["seen"]).toBeGreaterThan(52);
    // The list of blobs in the query counts as rows read, in each database.
    expect(counts.d1RowsRead).toBeLessThan(7 * DATABASE_COUNT * (report["seen"] ?? 0));
    expect(counts.d1RowsWritten).toBe(0);
  });
});

describe("a slow upload", () => {
  /** R2 that stores a blob, and delays its response until the scan has run. */
  const slow = r2With({
    async put(key, body, options) {
      const stored = await env.BLOBS.put(key, body, options);
      await scanTwice();
      return stored;
    },
  });

  it("whose blob got a tombstone meanwhile returns 503 and shows nothing", async () => {
    const bucket = await freshBucket();
    const refused = await send("PUT", `/${bucket}/k`, { body: "slow" }, { BLOBS: slow });
    await expectS3Error(refused, { status: 503, code: "ServiceUnavailable" });
    expect(await storedStateOf(bucket)).toEqual({ objects: {}, blobs: {}, garbage: [] });
    await putAll(bucket, { k: "again" });
    await scanTwice();
    await expectBytes(await send("GET", `/${bucket}/k`), "again");
  });

  it("of a part returns 503 as well, and the part can be sent again", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const target = `/${bucket}/k?partNumber=1&uploadId=${uploadId}`;
    const refused = await send("PUT", target, { body: "slow" }, { BLOBS: slow });
    await expectS3Error(refused, { status: 503, code: "ServiceUnavailable" });
    const part = await putPart(bucket, "k", uploadId, 1, "again");
    expect((await sendCompletion(bucket, "k", uploadId, [part])).status).toBe(200);
    await scanTwice();
    await expectBytes(await send("GET", `/${bucket}/k`), "again");
  });

  it("that commits between the scan's check and its deletion keeps its bytes", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const orphan = await orphanOf(bucket);
    await scan(AFTER_UPLOADS);
    const id = await bucketId(bucket);
    const DB = d1With(async (sql, send_) => {
      const results = await send_();
      if (sql.some((text) => /^SELECT [^(]+FROM orphans/.test(text))) {
        await env.DB.prepare("UPDATE objects SET blob_id = ? WHERE bucket_id = ?").bind(orphan, id).run();
      }
      return results;
    });
    await scan(AFTER_WINDOW, { DB });
    expect(await isStored(orphan)).toBe(true);
    expect(await exists("scan_tombstones", orphan)).toBe(false);
  });
});

describe("a scan", () => {
  it.each(["the blobs' deletion", "the rows' deletion"])("that dies at %s finishes the next time", async (where) => {
    const bucket = await freshBucket();
    const orphan = await orphanOf(bucket);
    await scan(AFTER_UPLOADS);
    const failing: RequestScope =
      where === "the blobs' deletion"
        ? { BLOBS: r2With({ delete: () => Promise.reject(connectionLost()) }) }
        : {
            DB: d1With(async (sql, send_) => {
              if (sql.some((text) => text.startsWith("DELETE FROM orphans"))) throw connectionLost();
              return send_();
            }),
          };
    await expect(scan(AFTER_WINDOW, failing)).rejects.toThrow("Network connection lost");
    expect(await exists("scan_tombstones", orphan)).toBe(true);
    expect((await referencesOf(bucket)).findings).toEqual([]);
    await scan(AFTER_WINDOW);
    expect(await isStored(orphan)).toBe(false);
    expect(await exists("orphans", orphan)).toBe(false);
  });

  it("deletes nothing when too many blobs look orphaned, and logs it", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, "x"])));
    const orphans = await Promise.all(Array.from({ length: 11 }, () => orphanOf(bucket)));
    await scan(AFTER_UPLOADS);
    const share = { ORPHAN_SHARE_PERCENT: "0" };
    const stopped = await scan(AFTER_WINDOW, share);
    expect(stopped.report).toMatchObject({ orphans: 11, stopped: 1 });
    for (const orphan of orphans) expect(await isStored(orphan)).toBe(true);
    await env.BLOBS.delete(orphans[0] ?? "");
    const few = await scan(AFTER_WINDOW, share);
    expect(few.report).toMatchObject({ orphans: 10, deleted: 11 });
  });

  it.each(["dry-run", "tru"])("under the setting %j only counts", async (setting) => {
    const bucket = await freshBucket();
    const orphan = await orphanOf(bucket);
    for (const after of [AFTER_UPLOADS, AFTER_WINDOW]) {
      const { report } = await scan(after, { ORPHAN_SCAN: setting });
      expect(report).toMatchObject({ orphans: 1, orphanBytes: 1 });
    }
    expect(await isStored(orphan)).toBe(true);
    expect(await exists("orphans", orphan)).toBe(false);
  });

  it("does not run when disabled, and otherwise runs once a day", () => {
    const period = (scope: RequestScope): number | undefined =>
      SCHEDULE.find(({ job }) => job === scanOrphans)?.periodMs(jobContext(0, scope).settings);
    expect(period({ ORPHAN_SCAN: "false" })).toBeUndefined();
    expect(period({})).toBe(24 * HOUR_MS);
  });

  it("sends parameters within D1's limits, however long keys are as JSON", async () => {
    const bucket = await freshBucket();
    await Promise.all(Array.from({ length: 750 }, (_, index) => orphanOf(bucket, `${index}`.padEnd(1024, "\u0001"))));
    const { DB, longest } = measuredD1();
    await scanTwice({ DB });
    expect((await storedStateOf(bucket)).blobs).toEqual({});
    expect(longest()).toBeGreaterThan(1_000_000);
    expect(longest()).toBeLessThan(PARAMETER_MAX_BYTES);
  });

  it("pages through many orphans", async () => {
    const prefix = `pages-${crypto.randomUUID()}/`;
    const ids = Array.from({ length: 1001 }, (_, index) => prefix + index);
    await env.DB.prepare("INSERT INTO orphans SELECT value, 'nowhere', 'k', NULL, 0 FROM json_each(?)")
      .bind(JSON.stringify(ids))
      .run();
    const { report } = await scan(AFTER_WINDOW);
    expect(report["deleted"]).toBe(1001);
    await env.DB.prepare("DELETE FROM scan_tombstones WHERE blob_id LIKE ? || '%'").bind(prefix).run();
  });
});
