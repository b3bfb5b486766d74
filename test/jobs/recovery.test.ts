// Ways to recover: in a versioned bucket by plain S3 calls after a deletion or an overwrite; without versions, from a
// database restored to an earlier moment. Here a second database, copied at that moment, plays that part.
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { scanOrphans } from "../../src/jobs/scan-orphans.ts";
import { checkReferences } from "../../src/state/repair/check-references.ts";
import { scopeOfBucket } from "../../src/state/repair/consistency.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import { send } from "../support/client.ts";
import { expectBytes } from "../support/digests.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";
import { joined, largePart, uploadInParts } from "../support/multipart.ts";
import { emptyTables } from "../support/rebuilding.ts";
import { bodyOf, deleteKey, putVersion, removeVersion, versionedBucket } from "../support/versioning.ts";

storeBodiesInBlobs();

const HOUR_MS = 3_600_000;

describe("with versioning", () => {
  it("a deleted object returns when its delete marker is deleted", async () => {
    const bucket = await versionedBucket();
    const version = await putVersion(bucket, "k", "bytes");
    const marker = await deleteKey(bucket, "k");
    expect(await bodyOf(bucket, "k")).toBe("404 NoSuchKey");
    await runPass(collectGarbage, Date.now() + 1000 * HOUR_MS);
    await removeVersion(bucket, "k", marker);
    expect(await bodyOf(bucket, "k")).toBe("bytes");
    expect((await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-version-id")).toBe(version);
  });

  it("an earlier version becomes current again through a copy, which moves no bytes", async () => {
    const bucket = await versionedBucket();
    const version = await putVersion(bucket, "k", "good");
    await putVersion(bucket, "k", "bad");
    await runPass(collectGarbage, Date.now() + 1000 * HOUR_MS);
    const headers = { "x-amz-copy-source": `/${bucket}/k?versionId=${version}` };
    expect((await send("PUT", `/${bucket}/k`, { headers })).status).toBe(200);
    expect(await bodyOf(bucket, "k")).toBe("good");
  });
});

describe("a database restored to an earlier moment", () => {
  // What the configuration bound.
  // oxlint-disable typescript/no-unsafe-type-assertion
  const RESTORED = Reflect.get(env, "REBUILT_DB") as D1Database;
  const MIGRATIONS = Reflect.get(env, "TEST_MIGRATIONS") as D1Migration[];
  // oxlint-enable typescript/no-unsafe-type-assertion
  const TABLES = [
    "buckets",
    "objects",
    "versions",
    "uploads",
    "parts",
    "manifests",
    "shared_blobs",
    "garbage",
    "orphans",
  ];

  beforeEach(async () => {
    await applyD1Migrations(RESTORED, MIGRATIONS);
  });

  /** Makes the second database a copy of the first. */
  async function copyDatabase(): Promise<void> {
    await emptyTables(RESTORED, TABLES);
    for (const table of TABLES) {
      const { results } = await env.DB.prepare(`SELECT * FROM ${table}`).all();
      const columns = Object.keys(results[0] ?? {});
      if (columns.length === 0) continue;
      const insert = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
      await RESTORED.batch(results.map((row) => RESTORED.prepare(insert).bind(...Object.values(row))));
    }
  }

  /** A bucket with everything that can be overwritten and deleted. */
  async function furnishedBucket(): Promise<string> {
    const bucket = await freshBucket();
    await putAll(bucket, { overwritten: "before", deleted: "deleted", copied: "copied", moved: "moved", kept: "kept" });
    await uploadInParts(bucket, "parted", [largePart(1), "end"]);
    await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/copied` } });
    return bucket;
  }

  /** Deletes all of it, as far as the metadata goes. */
  async function ruin(bucket: string): Promise<void> {
    await putAll(bucket, { overwritten: "after", "written-since": "new" });
    for (const key of ["deleted", "copied", "copy", "parted"]) await deleteKey(bucket, key);
    const rename = { headers: { "x-amz-rename-source": `/${bucket}/moved` } };
    expect((await send("PUT", `/${bucket}/elsewhere?renameObject`, rename)).status).toBe(200);
    await deleteKey(bucket, "elsewhere");
  }

  it("finds all bytes within the recovery window, however busy the collector was", async () => {
    const bucket = await furnishedBucket();
    await copyDatabase();
    await ruin(bucket);
    await runPass(collectGarbage, Date.now() + 23 * HOUR_MS);
    const world = { DB: RESTORED };
    const expected = {
      overwritten: "before",
      deleted: "deleted",
      copied: "copied",
      copy: "copied",
      moved: "moved",
      kept: "kept",
    };
    for (const [key, text] of Object.entries(expected)) {
      await expectBytes(await send("GET", `/${bucket}/${key}`, {}, world), text);
    }
    const parted = joined([largePart(1), new TextEncoder().encode("end")]);
    await expectBytes(await send("GET", `/${bucket}/parted`, {}, world), parted);
    expect((await send("GET", `/${bucket}/written-since`, {}, world)).status).toBe(404);
    expect((await check(bucket)).findings).toEqual([]);
  });

  it("lacks bytes after the window, and the check lists them", async () => {
    const bucket = await furnishedBucket();
    await copyDatabase();
    await ruin(bucket);
    // Garbage created by the release of a manifest is due in the next step.
    await runPass(collectGarbage, Date.now() + 25 * HOUR_MS);
    const { findings } = await check(bucket);
    expect(findings.filter((finding) => finding.endsWith("is missing"))).toHaveLength(6);
  });

  it("keeps later writes for the recovery window, counted from the scan that first finds them orphaned", async () => {
    const bucket = await furnishedBucket();
    await copyDatabase();
    await ruin(bucket);
    const world = { DB: RESTORED, ORPHAN_SHARE_PERCENT: "100" };
    const { orphans } = await check(bucket);
    expect(orphans).toHaveLength(2);
    const areThere = async (): Promise<boolean[]> =>
      Promise.all(orphans.map(async (blobId) => (await env.BLOBS.head(blobId)) !== null));
    // The restored moment is long past, so all later writes are old enough to be orphans at once.
    const now = Date.now() + 30 * 24 * HOUR_MS;
    await runPass(scanOrphans, now, world);
    await runPass(scanOrphans, now + 23 * HOUR_MS, world);
    expect(await areThere()).toEqual([true, true]);
    await runPass(scanOrphans, now + 25 * HOUR_MS, world);
    expect(await areThere()).toEqual([false, false]);
  });

  async function check(bucket: string): ReturnType<typeof checkReferences> {
    const id = await bucketId(bucket);
    const { objects } = await env.BLOBS.list({ prefix: `${id}/` });
    const blobs = objects.map(({ key, size }) => ({ blobId: key, size }));
    const database = new Database(RESTORED, new Counts());
    return checkReferences(database, () => Promise.resolve({ blobs, cursor: undefined }), scopeOfBucket(id));
  }
});
