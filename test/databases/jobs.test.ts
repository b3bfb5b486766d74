// Scheduled jobs, the check, backups and rebuilds with several databases.
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { backup } from "../../src/jobs/backup.ts";
import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { findDeletionHold } from "../../src/jobs/deletion-hold.ts";
import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { rebuild } from "../../src/jobs/rebuild/rebuild.ts";
import { restore } from "../../src/jobs/restore.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send, type RequestScope } from "../support/client.ts";
import { BINDINGS, bucketIn, createIn, databasesOf, placementOf } from "../support/databases.ts";
import { expectBytes } from "../support/digests.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { jobContext, runPass } from "../support/jobs.ts";
import { DAY_MS, expiresAfter, putLifecycle, rule } from "../support/lifecycle.ts";
import { legalHoldHeaders, putLocked } from "../support/object-lock.ts";
import { emptyTables } from "../support/rebuilding.ts";
import { storedStateOf } from "../support/stored-state.ts";

storeBodiesInBlobs();

const DATABASES = ["DB", "META_1", "META_2"];
// What the configuration bound.
// oxlint-disable typescript/no-unsafe-type-assertion
const EMPTY = Reflect.get(env, "REBUILT_DB") as D1Database;
const MIGRATIONS = Reflect.get(env, "TEST_MIGRATIONS") as D1Migration[];
// oxlint-enable typescript/no-unsafe-type-assertion

/** A scope in which the database META_1 is lost, and an empty one is bound in its place. */
const LOST: RequestScope = { META_1: EMPTY };

beforeEach(async () => {
  await applyD1Migrations(EMPTY, MIGRATIONS);
  const { results } = await EMPTY.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'",
  ).all<{ name: string }>();
  const tables = results.filter(({ name }) => name !== "d1_migrations");
  // What was restored into it has the locked versions of other files' buckets.
  await emptyTables(
    EMPTY,
    tables.map(({ name }) => name),
  );
});

/** A bucket in each database with one object. */
async function filledBuckets(): Promise<readonly string[]> {
  const buckets = await Promise.all(DATABASES.map(bucketIn));
  for (const bucket of buckets) await send("PUT", `/${bucket}/k`, { body: bucket });
  return buckets;
}

/** A bucket in a database with a version under legal hold, which no statement deletes. */
async function lockedIn(database: string): Promise<string> {
  const name = freshBucketName();
  const headers = { "x-amz-bucket-object-lock-enabled": "true" };
  expect((await createIn(database, name, { headers })).status).toBe(200);
  await putLocked(name, "k", legalHoldHeaders("ON"), "held");
  return name;
}

describe("jobs", () => {
  it("expire objects and collect garbage in every database", async () => {
    const buckets = await filledBuckets();
    for (const bucket of buckets) await putLifecycle(bucket, rule(expiresAfter(1)));
    const blobIds = await Promise.all(
      buckets.map(async (bucket) => (await storedStateOf(bucket)).objects["k"]?.blob_id ?? ""),
    );
    await runPass(lifecycle, Date.now() + 3 * DAY_MS);
    for (const bucket of buckets) expect((await send("HEAD", `/${bucket}/k`)).status).toBe(404);
    await runPass(collectGarbage, Date.now() + 6 * DAY_MS);
    for (const blobId of blobIds) expect(await env.BLOBS.head(blobId)).toBeNull();
    await expectSoundReferences(...buckets);
  });

  it("take each step on one database, and resume in the database where they stopped", async () => {
    const context = jobContext(Date.now() + 6 * DAY_MS);
    const cursors: (string | null)[] = [];
    let cursor: string | null = null;
    do {
      ({ cursor } = await collectGarbage.step(context, cursor));
      cursors.push(cursor);
    } while (cursor !== null);
    expect(cursors.filter((one) => one !== null && /^@META_\d+$/.test(one))).toEqual(["@META_1", "@META_2"]);
    expect(await collectGarbage.step(context, "@META_9")).toEqual({ cursor: null, report: {} });
  });
});

describe("the check", () => {
  it("finds a bucket that the registry does not have where it is", async () => {
    const name = await bucketIn("META_1");
    const clean = await (await send("GET", "/?fsck")).text();
    expect(clean).not.toContain(name);
    await env.DB.prepare("UPDATE bucket_placements SET database = 'META_2' WHERE name = ?").bind(name).run();
    const found = await (await send("GET", "/?fsck")).text();
    await env.DB.prepare("UPDATE bucket_placements SET database = 'META_1' WHERE name = ?").bind(name).run();
    expect(found).toContain(`bucket ${name} is in META_1, where the registry does not have it`);
  });

  it("finds a blob that rows of two databases reference", async () => {
    const [one, other] = [await bucketIn("META_1"), await bucketIn("META_2")];
    for (const bucket of [one, other]) await send("PUT", `/${bucket}/k`, { body: "v" });
    const { objects } = await storedStateOf(one);
    const mine = BINDINGS[2]?.d1.prepare("UPDATE objects SET blob_id = ?1 WHERE blob_id = ?2");
    const theirs = (await storedStateOf(other)).objects["k"]?.blob_id ?? "";
    const blobId = objects["k"]?.blob_id ?? "";
    await mine?.bind(blobId, theirs).run();
    const found = await (await send("GET", "/?fsck")).text();
    await mine?.bind(theirs, blobId).run();
    expect(found).toContain(`blob ${blobId} is referenced in more than one database`);
  });
});

describe("a lost database", () => {
  it("holds deletions, and one that was added does not", async () => {
    await filledBuckets();
    await env.BLOBS.delete("cairn/generation");
    await env.DB.prepare("DELETE FROM deletion_hold").run();
    const hold = () => findDeletionHold(jobContext(Date.now()), Date.now());
    await hold();
    await env.DB.prepare("DELETE FROM deletion_hold").run();
    expect(await hold()).toBeUndefined();
    const added = { META_3: EMPTY };
    expect(await findDeletionHold(jobContext(Date.now(), added), Date.now())).toBeUndefined();
    await EMPTY.prepare("DELETE FROM store_generation").run();
    const lost = await findDeletionHold(jobContext(Date.now(), LOST), Date.now());
    expect(lost).toContain("META_1");
    const unbound = { META_1: undefined };
    await env.DB.prepare("DELETE FROM deletion_hold").run();
    expect(await findDeletionHold(jobContext(Date.now(), unbound), Date.now())).toContain("META_1");
    for (const { d1 } of BINDINGS) await d1.prepare("DELETE FROM deletion_hold").run();
  });

  it("is rebuilt beside the others, with its own buckets only", async () => {
    const buckets = await filledBuckets();
    const locked = await lockedIn("META_1");
    await runPass(rebuild, Date.now(), LOST);
    await env.DB.prepare("DELETE FROM deletion_hold").run();
    for (const bucket of buckets) await expectBytes(await send("GET", `/${bucket}/k`, {}, LOST), bucket);
    await expectBytes(await send("GET", `/${locked}/k`, {}, LOST), "held");
    const rebuilt = await EMPTY.prepare("SELECT name FROM buckets").all<{ name: string }>();
    const names = rebuilt.results.map(({ name }) => name);
    expect(names).toContain(buckets[1]);
    expect(names).not.toContain(buckets[0]);
    expect(names).not.toContain(buckets[2]);
    for (const name of names) expect(await placementOf(name), name).toBe("META_1");
  });

  it("is restored from a backup of all databases, and the others stay as they are", async () => {
    const buckets = await filledBuckets();
    const locked = await lockedIn("META_1");
    await runPass(backup, Date.now());
    await send("PUT", `/${buckets[0]}/k`, { body: "later" });
    const scope = { ...LOST, RESTORE: "latest" };
    const { report } = await runPass(restore, Date.now(), scope);
    await env.DB.prepare("DELETE FROM deletion_hold").run();
    expect(report["refused"]).toBeUndefined();
    await expectBytes(await send("GET", `/${buckets[1]}/k`, {}, LOST), buckets[1] ?? "");
    await expectBytes(await send("GET", `/${locked}/k`, {}, LOST), "held");
    await expectBytes(await send("GET", `/${buckets[0]}/k`, {}, LOST), "later");
    expect(await databasesOf(buckets[1] ?? "")).toEqual(["META_1"]);
  });
});
