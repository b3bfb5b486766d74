// The records of Object Lock in the blob store: a restored database has the locks that were changed after its backup, and
// the collector deletes the records with the bytes of their versions.
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { backup } from "../../src/jobs/backup.ts";
import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { restore } from "../../src/jobs/restore.ts";
import { send } from "../support/client.ts";
import { runPass } from "../support/jobs.ts";
import { createUpload, putPart, sendCompletion } from "../support/multipart.ts";
import {
  BYPASS,
  deleteVersion,
  inDays,
  legalHoldHeaders,
  lockedBucket,
  putLock,
  putLocked,
  retentionHeaders,
  retentionUntil,
  setLegalHold,
} from "../support/object-lock.ts";
import { loseDatabase, REBUILT } from "../support/rebuilding.ts";
import { bucketId } from "../support/stored-state.ts";
import { putVersion, versionedBucket } from "../support/versioning.ts";

const ENABLED = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
const AFTER_WINDOW = 48 * 3_600_000;

async function locksIn(database: D1Database, bucket: string): Promise<unknown> {
  const columns = "key, version_id, retention_mode, retain_until, legal_hold";
  const of = "WHERE bucket_id = ?1";
  const sql = `SELECT ${columns} FROM objects ${of} UNION ALL SELECT ${columns} FROM versions ${of} ORDER BY 1, 2`;
  return (
    await database
      .prepare(sql)
      .bind(await bucketId(bucket))
      .all()
  ).results;
}

async function recordsOf(bucket: string): Promise<string[]> {
  const prefix = `cairn/locks/${await bucketId(bucket)}/`;
  const { objects } = await env.BLOBS.list({ prefix });
  return objects.map(({ key }) => key.slice(prefix.length));
}

describe("a restored database", () => {
  beforeEach(loseDatabase);
  afterEach(async () => {
    const { objects } = await env.BLOBS.list({ prefix: "cairn/backups/" });
    await env.BLOBS.delete(objects.map(({ key }) => key));
  });

  async function restored(): Promise<void> {
    await runPass(restore, Date.now(), { DB: REBUILT, RESTORE: "latest" });
  }

  it("has the locks that were extended, lifted and set after its backup, also of noncurrent versions", async () => {
    const [bucket, late] = [await lockedBucket(), await versionedBucket()];
    await putLocked(bucket, "extended", retentionHeaders("COMPLIANCE", 1));
    const first = await putLocked(bucket, "versions", retentionHeaders("GOVERNANCE", 1), "first");
    await putLocked(bucket, "versions", retentionHeaders("GOVERNANCE", 9), "second");
    await putLocked(bucket, "lifted", legalHoldHeaders("ON"));
    await putLocked(bucket, "held", {});
    await putVersion(late, "k", "x");
    await runPass(backup, Date.now());
    const longer = retentionUntil("COMPLIANCE", inDays(100));
    expect((await putLock(bucket, "extended", "retention", longer)).status).toBe(200);
    const older = await send("PUT", `/${bucket}/versions?retention&versionId=${first}`, {
      body: retentionUntil("GOVERNANCE", inDays(50)),
    });
    expect(older.status).toBe(200);
    const shorter = await send("PUT", `/${bucket}/versions?retention`, {
      body: retentionUntil("GOVERNANCE", inDays(2)),
      headers: BYPASS,
    });
    expect(shorter.status).toBe(200);
    await setLegalHold(bucket, "lifted", "OFF");
    await setLegalHold(bucket, "held", "ON");
    expect((await send("PUT", `/${late}?object-lock`, { body: ENABLED })).status).toBe(200);
    await setLegalHold(late, "k", "ON");
    await restored();
    for (const name of [bucket, late]) expect(await locksIn(REBUILT, name)).toEqual(await locksIn(env.DB, name));
    const row = await REBUILT.prepare("SELECT versioning, object_lock FROM buckets WHERE name = ?").bind(late).first();
    expect(row).toEqual({ versioning: "Enabled", object_lock: "{}" });
    for (const [name, key] of [
      [bucket, "extended"],
      [bucket, "held"],
      [late, "k"],
    ] as const) {
      const purge = REBUILT.prepare("DELETE FROM objects WHERE bucket_id = ? AND key = ?").bind(
        await bucketId(name),
        key,
      );
      await expect(purge.run()).rejects.toThrow("commit refused: version locked");
    }
  });

  it("keeps the lock of its backup where the record is older, or would shorten a COMPLIANCE retention", async () => {
    const bucket = await lockedBucket();
    await putLocked(bucket, "k", retentionHeaders("COMPLIANCE", 5));
    await putLocked(bucket, "old", {});
    await setLegalHold(bucket, "k", "OFF");
    await setLegalHold(bucket, "old", "ON");
    const prefix = `cairn/locks/${await bucketId(bucket)}/`;
    for (const name of await recordsOf(bucket)) {
      if (name === "bucket.json") continue;
      const record: Record<string, unknown> = JSON.parse((await (await env.BLOBS.get(prefix + name))?.text()) ?? "{}");
      const changed =
        record["key"] === "k"
          ? { retention: { mode: "COMPLIANCE", retainUntil: Date.now() + 60_000 }, changedAt: Date.now() + 1000 }
          : { legalHold: "OFF", changedAt: 1 };
      await env.BLOBS.put(prefix + name, JSON.stringify({ ...record, ...changed }));
    }
    await runPass(backup, Date.now());
    await restored();
    expect(await locksIn(REBUILT, bucket)).toEqual(await locksIn(env.DB, bucket));
  });
});

describe("the collector", () => {
  it("deletes the records of purged versions with their bytes, and no others", async () => {
    const bucket = await lockedBucket();
    const gone = await putLocked(bucket, "gone", {});
    await setLegalHold(bucket, "gone", "ON");
    await setLegalHold(bucket, "gone", "OFF");
    await putLocked(bucket, "stays", {});
    await setLegalHold(bucket, "stays", "ON");
    const uploadId = await createUpload(bucket, "parts");
    const completed = await sendCompletion(bucket, "parts", uploadId, [
      await putPart(bucket, "parts", uploadId, 1, "x"),
    ]);
    await setLegalHold(bucket, "parts", "OFF");
    expect(await recordsOf(bucket)).toHaveLength(4);
    expect(await deleteVersion(bucket, "gone", gone)).toBe(204);
    const parts = completed.headers.get("x-amz-version-id") ?? "";
    expect(await deleteVersion(bucket, "parts", parts)).toBe(204);
    // A database that is restored from within the window needs them.
    await runPass(collectGarbage, Date.now());
    expect(await recordsOf(bucket)).toHaveLength(4);
    await runPass(collectGarbage, Date.now() + AFTER_WINDOW);
    const left = await recordsOf(bucket);
    expect(left).toHaveLength(2);
    expect(left).toContain("bucket.json");
  });

  it("deletes more records than one step does", async () => {
    const bucket = await lockedBucket();
    const versions = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => [`k${index}`, await putLocked(bucket, `k${index}`, {})] as const),
    );
    for (const [key] of versions) await setLegalHold(bucket, key, "OFF");
    for (const [key, version] of versions) expect(await deleteVersion(bucket, key, version)).toBe(204);
    expect(await recordsOf(bucket)).toHaveLength(61);
    const { counts, steps } = await runPass(collectGarbage, Date.now() + AFTER_WINDOW);
    expect(await recordsOf(bucket)).toEqual(["bucket.json"]);
    expect(counts.blobCalls / steps).toBeLessThanOrEqual(110);
  });
});
