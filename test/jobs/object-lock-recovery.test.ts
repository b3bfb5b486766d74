// Object Lock after the loss of the database: in a rebuilt database, in a restored one, and in the orphan scan.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { scanOrphans } from "../../src/jobs/scan-orphans.ts";
import { recoveryMetadata } from "../../src/protocol/objects/recovery-metadata.ts";
import type { LockRecord } from "../../src/protocol/objects/object-lock-configuration.ts";
import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { runPass } from "../support/jobs.ts";
import { createUpload, putPart, sendCompletion } from "../support/multipart.ts";
import {
  inDays,
  legalHoldHeaders,
  lockedBucket,
  putLock,
  putLocked,
  retentionHeaders,
  retentionUntil,
  setDefaultRetention,
  setLegalHold,
} from "../support/object-lock.ts";
import { loseDatabase, REBUILT, rebuilt, referencesIn } from "../support/rebuilding.ts";
import { bucketId } from "../support/stored-state.ts";
import { putVersion, versionedBucket } from "../support/versioning.ts";

storeBodiesInBlobs();

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface LockRow {
  readonly key: string;
  readonly retention_mode: string | null;
  readonly retain_until: number | null;
  readonly legal_hold: string | null;
}

const LOCKS = "key, retention_mode, retain_until, legal_hold";

async function locksIn(database: D1Database, table: string, id: string): Promise<LockRow[]> {
  const sql = `SELECT ${LOCKS} FROM ${table} WHERE bucket_id = ? ORDER BY key, version_id`;
  return (await database.prepare(sql).bind(id).all<LockRow>()).results;
}

describe("a rebuilt database", () => {
  beforeEach(loseDatabase);

  it("has the locks that objects were uploaded with, and enforces them", async () => {
    const bucket = await lockedBucket();
    const id = await bucketId(bucket);
    await putLocked(bucket, "governed", retentionHeaders("GOVERNANCE", 5));
    await putLocked(bucket, "held", legalHoldHeaders("ON"));
    await putLocked(bucket, "plain", {});
    const uploadId = await createUpload(bucket, "parts", retentionHeaders("COMPLIANCE", 9));
    const part = await putPart(bucket, "parts", uploadId, 1, "x");
    await sendCompletion(bucket, "parts", uploadId, [part]);
    const { world } = await rebuilt(bucket);
    expect(await locksIn(REBUILT, "objects", id)).toEqual(await locksIn(env.DB, "objects", id));
    expect(await REBUILT.prepare("SELECT versioning, object_lock FROM buckets").first()).toEqual({
      versioning: "Enabled",
      object_lock: "{}",
    });
    for (const key of ["governed", "held", "parts"]) {
      const purge = REBUILT.prepare("DELETE FROM objects WHERE key = ?").bind(key);
      await expect(purge.run()).rejects.toThrow("commit refused: version locked");
    }
    expect((await referencesIn(world)).findings).toEqual([]);
  });

  it("has the default retention, of the bucket and of its objects", async () => {
    const bucket = await lockedBucket();
    const id = await bucketId(bucket);
    await setDefaultRetention(bucket, "<Mode>COMPLIANCE</Mode><Days>7</Days>");
    await putVersion(bucket, "k", "x");
    await rebuilt(bucket);
    const [[before], [after]] = [await locksIn(env.DB, "objects", id), await locksIn(REBUILT, "objects", id)];
    expect(after?.retention_mode).toBe("COMPLIANCE");
    expect(Math.abs((after?.retain_until ?? 0) - (before?.retain_until ?? 0))).toBeLessThan(60_000);
    expect(await REBUILT.prepare("SELECT object_lock FROM buckets").first("object_lock")).toBe(
      `{"default":{"mode":"COMPLIANCE","days":7}}`,
    );
  });

  it("has locks that were changed after the upload: extended, lifted, and in a bucket that was locked later", async () => {
    const bucket = await versionedBucket();
    const id = await bucketId(bucket);
    await putVersion(bucket, "late", "x");
    const body = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    expect((await send("PUT", `/${bucket}?object-lock`, { body })).status).toBe(200);
    await setLegalHold(bucket, "late", "ON");
    await putLocked(bucket, "extended", retentionHeaders("COMPLIANCE", 1));
    const extended = retentionUntil("COMPLIANCE", inDays(100));
    expect((await putLock(bucket, "extended", "retention", extended)).status).toBe(200);
    await putLocked(bucket, "lifted", legalHoldHeaders("ON"));
    await setLegalHold(bucket, "lifted", "OFF");
    await rebuilt(bucket);
    expect(await locksIn(REBUILT, "objects", id)).toEqual(await locksIn(env.DB, "objects", id));
  });

  it("has older versions that were locked", async () => {
    const bucket = await lockedBucket();
    const id = await bucketId(bucket);
    await putLocked(bucket, "k", retentionHeaders("COMPLIANCE", 5), "first");
    await putLocked(bucket, "k", legalHoldHeaders("ON"), "second");
    await putLocked(bucket, "k", {}, "unlocked");
    const uploadId = await createUpload(bucket, "k", retentionHeaders("GOVERNANCE", 9));
    const part = await putPart(bucket, "k", uploadId, 1, "parts");
    await sendCompletion(bucket, "k", uploadId, [part]);
    await putLocked(bucket, "k", {}, "newest");
    const { world } = await rebuilt(bucket);
    const read = await send("GET", `/${bucket}/k`, {}, world);
    expect(await read.text()).toBe("newest");
    const rows = await locksIn(REBUILT, "versions", id);
    expect(rows.map((row) => row.retention_mode ?? row.legal_hold)).toEqual(["GOVERNANCE", "ON", "COMPLIANCE"]);
    expect((await referencesIn(world)).findings).toEqual([]);
    await expect(REBUILT.prepare("DELETE FROM versions").run()).rejects.toThrow("commit refused: version locked");
  });

  it("has no versioning and no lock for a bucket without Object Lock", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    await rebuilt(bucket);
    expect(await REBUILT.prepare("SELECT versioning, object_lock FROM buckets").first()).toEqual({
      versioning: null,
      object_lock: null,
    });
  });
});

describe("the orphan scan", () => {
  const ANY_SHARE = { ORPHAN_SHARE_PERCENT: "100" };
  const scan = (hours: number) => runPass(scanOrphans, Date.now() + hours * HOUR_MS, ANY_SHARE);

  async function orphanWith(bucket: string, lock: LockRecord | undefined): Promise<string> {
    const id = await bucketId(bucket);
    const blobId = `${id}/orphan-${crypto.randomUUID()}`;
    const metadata = { contentType: undefined, systemMetadata: {}, userMetadata: {} };
    const customMetadata = recoveryMetadata({ bucketId: id, bucketName: bucket, key: "lost", metadata, lock });
    await env.BLOBS.put(blobId, "x", { customMetadata });
    return blobId;
  }

  it("keeps a blob whose recovery metadata has a lock, whatever the Worker's clock, and purges others", async () => {
    await scan(50);
    await scan(100);
    const bucket = await freshBucket();
    const retention = { mode: "COMPLIANCE", retainUntil: Date.now() + DAY_MS } as const;
    const kept = [
      await orphanWith(bucket, { retention }),
      await orphanWith(bucket, { legalHold: "ON" }),
      await orphanWith(bucket, { default: { mode: "GOVERNANCE", days: 1 } }),
    ];
    const purged = [
      await orphanWith(bucket, undefined),
      await orphanWith(bucket, { retention: { ...retention, retainUntil: Date.now() - 1 } }),
      await orphanWith(bucket, { legalHold: "OFF" }),
    ];
    await scan(25);
    await scan(50);
    await scan(50_000);
    const isStored = async (blobId: string): Promise<boolean> => (await env.BLOBS.head(blobId)) !== null;
    expect(await Promise.all(kept.map(isStored))).toEqual([true, true, true]);
    expect(await Promise.all(purged.map(isStored))).toEqual([false, false, false]);
    // No scan would ever delete them.
    await env.BLOBS.delete(kept);
  });
});
