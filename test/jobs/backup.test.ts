import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import { backup, listBackups } from "../../src/jobs/backup.ts";
import { restore } from "../../src/jobs/restore.ts";
import { scheduleUnder } from "../../src/jobs/schedule.ts";
import { scanOrphans } from "../../src/jobs/scan-orphans.ts";
import { BACKED_UP, NOT_BACKED_UP, readBackupPage, FIRST_POSITION } from "../../src/state/repair/backup-pages.ts";
import type { BackupPosition } from "../../src/state/repair/backup-pages.ts";
import { FIRST_COUNT, restorePage, completeCounts, type CountPosition } from "../../src/state/repair/restore-pages.ts";
import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { jobContext, runPass } from "../support/jobs.ts";
import { joined, largePart, uploadInParts } from "../support/multipart.ts";
import { allow, freshUser } from "../support/query-api.ts";
import { loseDatabase, REBUILT, referencesIn } from "../support/rebuilding.ts";
import { legalHoldHeaders, lockedBucket, putLocked, retentionHeaders } from "../support/object-lock.ts";
import { deleteKey, putVersion, versionedBucket } from "../support/versioning.ts";

const EMPTY = { DB: REBUILT };
const HOUR_MS = 3_600_000;
const PARTED = new TextDecoder().decode(joined([largePart(1), new TextEncoder().encode("end")]));
const OF_IDENTITIES = ["users", "access_keys", "user_policies", "snapshots", "completed_uploads", "rename_tokens"];

async function rowsIn(database: D1Database, table: string): Promise<string[]> {
  // A backup has no small blob that only the garbage table refers to.
  const which = table === "small_blobs" ? "WHERE blob_id NOT IN (SELECT blob_id FROM garbage)" : "";
  const { results } = await database.prepare(`SELECT * FROM ${table} ${which}`).all();
  return results.map((row) => JSON.stringify(row)).toSorted();
}

async function empty(): Promise<void> {
  await loseDatabase();
  await REBUILT.batch(OF_IDENTITIES.map((table) => REBUILT.prepare(`DELETE FROM ${table}`)));
}

/** A bucket with one of everything that rows can be, and what its keys must read as. */
async function furnish(): Promise<Record<string, string>> {
  const bucket = await freshBucket();
  await putAll(bucket, { plain: "plain", source: "copied", moved: "moved", gone: "gone" });
  // As JSON, the payload would exceed the size of an SQL parameter.
  const annotation = { body: '"'.repeat(1024 * 1024) };
  expect((await send("PUT", `/${bucket}/plain?annotation&annotationName=a`, annotation)).status).toBe(200);
  await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/source` } });
  const headers = { "x-amz-rename-source": `/${bucket}/moved` };
  expect((await send("PUT", `/${bucket}/renamed?renameObject`, { headers })).status).toBe(200);
  await uploadInParts(bucket, "parted", [largePart(1), "end"]);
  await send("PUT", `/${bucket}/parted-copy`, { headers: { "x-amz-copy-source": `/${bucket}/parted` } });
  await send("DELETE", `/${bucket}/gone`);
  const versioned = await versionedBucket();
  await putVersion(versioned, "k", "first");
  await putVersion(versioned, "k", "second");
  await putVersion(versioned, "deleted", "before");
  await deleteKey(versioned, "deleted");
  const locked = await lockedBucket();
  await putLocked(locked, "k", retentionHeaders("COMPLIANCE", 1), "retained");
  await putLocked(locked, "k", legalHoldHeaders("ON"), "held");
  await freshUser(allow("s3:*"));
  return {
    [`/${locked}/k`]: "held",
    [`/${bucket}/plain`]: "plain",
    [`/${bucket}/copy`]: "copied",
    [`/${bucket}/renamed`]: "moved",
    [`/${bucket}/parted`]: PARTED,
    [`/${bucket}/parted-copy`]: PARTED,
    [`/${versioned}/k`]: "second",
  };
}

async function expectReadable(expected: Readonly<Record<string, string>>): Promise<void> {
  for (const [target, text] of Object.entries(expected)) {
    const response = await send("GET", target, {}, EMPTY);
    expect(response.status, target).toBe(200);
    expect((await response.text()) === text, target).toBe(true);
  }
}

describe("a backup", () => {
  beforeEach(empty);

  // Other files share the blob store and look at all that is in it.
  afterEach(async () => {
    const { objects } = await env.BLOBS.list({ prefix: "cairn/backups/" });
    await env.BLOBS.delete(objects.map(({ key }) => key));
  });

  it("brings back every row of every table that clients depend on, soundly, and holds deletions", async () => {
    const expected = await furnish();
    const { report } = await runPass(backup, Date.now());
    expect(report["rows"]).toBeGreaterThan(10);
    const restored = await runPass(restore, Date.now(), { ...EMPTY, RESTORE: "latest" });
    expect(restored.report["rows"]).toBeGreaterThan(10);
    for (const table of BACKED_UP) {
      expect(await rowsIn(REBUILT, table), table).toEqual(await rowsIn(env.DB, table));
    }
    expect((await referencesIn({ BLOBS: blobsOnly() })).findings).toEqual([]);
    await expectReadable(expected);
    // The restored database obeys Object Lock.
    for (const table of ["objects", "versions"]) {
      await expect(REBUILT.prepare(`DELETE FROM ${table}`).run()).rejects.toThrow("commit refused: version locked");
    }
    const held = await REBUILT.prepare("SELECT reason FROM deletion_hold").first<{ reason: string }>();
    expect(held?.reason).toMatch(/^the database was restored from the backup \d{8}T\d{6}Z$/);
    // What was renamed or copied is still found by the orphan scan: nothing is taken for an orphan but what was deleted.
    const scan = await runPass(scanOrphans, Date.now() + 48 * HOUR_MS, EMPTY);
    const collected = await env.DB.prepare("SELECT count(*) AS n FROM garbage WHERE blob_id NOT LIKE '%-small'").first<{
      n: number;
    }>();
    expect(scan.report["orphans"]).toBe(collected?.n);
  });

  it("knows every table of the schema: what is not backed up is named", async () => {
    const { results } = await env.DB.prepare(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'
         AND name NOT GLOB 'd1_migrations*' ORDER BY name`,
    ).all<{ name: string }>();
    expect(results.map(({ name }) => name)).toEqual([...BACKED_UP, ...NOT_BACKED_UP].toSorted());
  });

  it("is sound though every kind of write happens between its pages", async () => {
    const bucket = await freshBucket();
    const versioned = await versionedBucket();
    await putAll(bucket, { a: "a", m: "m", z: "renamed meanwhile", old: "old" });
    await uploadInParts(bucket, "parted", [largePart(1), "end"]);
    await putVersion(versioned, "k", "first");
    const marker = await deleteKey(versioned, "k");
    const context = jobContext(Date.now());
    const pages = [];
    const began = Date.now();
    let isDisturbed = false;
    for (let at: BackupPosition | undefined = FIRST_POSITION; at !== undefined;) {
      const { page, next } = await readBackupPage(context.database, at, began);
      pages.push(page);
      if (at.phase === "keys" && !isDisturbed) {
        isDisturbed = true;
        // Right after its keys were read, or while the next page is due.
        const headers = { "x-amz-rename-source": `/${bucket}/z` };
        expect((await send("PUT", `/${bucket}/0?renameObject`, { headers })).status).toBe(200);
        await send("PUT", `/${bucket}/a`, { body: "a again" });
        await send("DELETE", `/${bucket}/m`);
        await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/parted` } });
        await send("DELETE", `/${bucket}/parted`);
        await send("DELETE", `/${versioned}/k?versionId=${marker}`);
        await putVersion(versioned, "k", "second");
      }
      at = next;
    }
    const target = jobContext(Date.now(), EMPTY);
    for (const page of pages.toReversed()) {
      await restorePage(target.database, page);
      // A page that is written again changes nothing.
      expect(await restorePage(target.database, page)).toBe(0);
    }
    for (let at: CountPosition | undefined = FIRST_COUNT; at !== undefined;)
      at = await completeCounts(target.database, at);
    expect((await referencesIn({ BLOBS: blobsOnly() })).findings).toEqual([]);
    await expectReadable({
      [`/${bucket}/0`]: "renamed meanwhile",
      [`/${bucket}/a`]: "a again",
      [`/${bucket}/old`]: "old",
      [`/${bucket}/copy`]: PARTED,
      [`/${versioned}/k`]: "second",
    });
  });

  it("remains up to the configured number, counts only when complete, and is not listed among blobs", async () => {
    const start = Date.now();
    const context = jobContext(start);
    const unfinished = jobContext(start - 9 * HOUR_MS);
    await backup.step(unfinished, null);
    for (const age of [4, 3, 2, 1]) await runPass(backup, start - age * HOUR_MS, { BACKUPS_KEPT: "2" });
    const kept = await listBackups(context);
    expect(kept).toHaveLength(2);
    expect(await context.blobs.listReservedFolders("cairn/backups/")).toEqual(kept);
    const { blobs } = await context.blobs.list(undefined, 1000);
    expect(blobs.filter(({ blobId }) => blobId.startsWith("cairn/"))).toEqual([]);
  });

  it("is not restored into a database that holds something, nor where there is none", async () => {
    await furnish();
    const { report } = await runPass(restore, Date.now(), { RESTORE: "latest" });
    expect(report).toEqual({ refused: 1 });
    await expect(runPass(restore, Date.now(), { ...EMPTY, RESTORE: "20200101T000000Z" })).rejects.toThrow(
      "there is no complete backup 20200101T000000Z",
    );
  });

  it("is off unless it is asked for, and waits while deletions are on hold or a database is brought back", () => {
    const period = (settings: object, hold?: string): number | undefined =>
      scheduleUnder(hold, "*/5 * * * *")
        .find(({ job }) => job === backup)
        ?.periodMs(readSettings(settings));
    expect(period({})).toBeUndefined();
    expect(period({ BACKUP_EVERY_HOURS: "6" })).toBe(6 * HOUR_MS);
    expect(period({ BACKUP_EVERY_HOURS: "6" }, "a reason")).toBeUndefined();
    for (const recovery of [{ RESTORE: "latest" }, { REBUILD: "true" }]) {
      expect(period({ BACKUP_EVERY_HOURS: "6", ...recovery })).toBeUndefined();
    }
  });
});

/** R2 without the backups, for the check, which takes a listing of all that is there for blobs. */
function blobsOnly(): R2Bucket {
  return new Proxy(env.BLOBS, {
    get(target, property) {
      if (property !== "list") {
        const value: unknown = Reflect.get(target, property);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      }
      return async (options: R2ListOptions) => {
        const page = await target.list(options);
        return { ...page, objects: page.objects.filter(({ key }) => !key.startsWith("cairn/")) };
      };
    },
  });
}
