// The indexes of queries under the scheduled jobs: lifecycle rules change them, a restored or rebuilt database builds them
// again, and the check compares them with the objects.
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { backup } from "../../src/jobs/backup.ts";
import { buildQueryIndexes } from "../../src/jobs/build-query-indexes.ts";
import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { restore } from "../../src/jobs/restore.ts";
import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { jobContext, runPass } from "../support/jobs.ts";
import { clearRules, expiresAfter, midnight, prefixed, putLifecycle, rule } from "../support/lifecycle.ts";
import {
  EVERY_KIND,
  expectExactEntries,
  indexesOf,
  insertObjects,
  queryDocument,
  setIndexes,
} from "../support/query-indexes.ts";
import { found, queryTarget } from "../support/queries.ts";
import { loseDatabase, REBUILT, rebuilt } from "../support/rebuilding.ts";
import { bucketId } from "../support/stored-state.ts";
import { movesAfter } from "./lifecycle-transitions-fixture.ts";

const HEADERS = { "x-amz-tagging": "team=red", "x-amz-meta-tenant": "q" };

async function indexedBucket(): Promise<string> {
  const bucket = await freshBucket();
  await setIndexes(bucket, EVERY_KIND);
  for (const key of ["a", "b"]) await send("PUT", `/${bucket}/${key}`, { body: "x".repeat(200_000), headers: HEADERS });
  return bucket;
}

it("lifecycle rules change the entries with the objects", async () => {
  const bucket = await indexedBucket();
  await putLifecycle(bucket, rule(movesAfter(30), prefixed("a")), rule(expiresAfter(30), prefixed("b")));
  await runPass(lifecycle, midnight(31));
  expect(await found(bucket, { "storage-class": "STANDARD_IA" })).toEqual(["a"]);
  expect(await found(bucket, { "storage-class": "STANDARD" })).toEqual([]);
  expect(await found(bucket, { "tag.team": "red" })).toEqual(["a"]);
  await expectExactEntries(bucket);
  await clearRules();
});

describe("a lost database", () => {
  beforeEach(loseDatabase);
  afterEach(async () => {
    const { objects } = await env.BLOBS.list({ prefix: "cairn/backups/" });
    await env.BLOBS.delete(objects.map(({ key }) => key));
  });

  it("that is restored has the indexes, which the job completes", async () => {
    const bucket = await indexedBucket();
    await runPass(backup, Date.now());
    await runPass(restore, Date.now(), { DB: REBUILT, RESTORE: "latest" });
    await runPass(buildQueryIndexes, Date.now(), { DB: REBUILT });
    const id = await bucketId(bucket);
    const { results } = await REBUILT.prepare("SELECT kind, indexed_to FROM query_indexes WHERE bucket_id = ?")
      .bind(id)
      .all();
    expect(results.map((row) => row["indexed_to"])).toEqual([null, null, null, null, null, null]);
    await expectExactEntries(bucket, REBUILT);
    const text = await (await send("GET", queryTarget(bucket, { "tag.team": "red" }), {}, { DB: REBUILT })).text();
    expect(text).toContain("<KeyCount>2</KeyCount>");
  });

  it("that is rebuilt indexes again as soon as it is asked for", async () => {
    const bucket = await indexedBucket();
    const { world } = await rebuilt(bucket);
    expect((await send("GET", `/${bucket}?queryConfiguration`, {}, world)).status).toBe(404);
    const body = queryDocument(EVERY_KIND);
    expect((await send("PUT", `/${bucket}?queryConfiguration`, { body }, world)).status).toBe(200);
    await expectExactEntries(bucket, REBUILT);
    const text = await (await send("GET", queryTarget(bucket, { "meta.tenant": "q" }), {}, world)).text();
    expect(text).toContain("<KeyCount>2</KeyCount>");
  });
});

it("the check finds entries that are missing or outdated", async () => {
  const bucket = await indexedBucket();
  const id = await bucketId(bucket);
  const findings = async (): Promise<string[]> => {
    const text = await (await send("GET", "/?fsck")).text();
    return Array.from(text.matchAll(/the index [^<]*/g), ([finding]) => finding).filter((one) => one.includes(id));
  };
  expect(await findings()).toEqual([]);
  const ofBucket = "index_id IN (SELECT id FROM query_indexes WHERE bucket_id = ? AND kind = 'tag')";
  await env.DB.prepare(`UPDATE query_entries SET value = 'blue' WHERE ${ofBucket} AND key = 'a'`).bind(id).run();
  expect(await findings()).toEqual([
    `the index tag * of ${id} lacks an entry of a: delete its configuration and put it again`,
    `the index tag * of ${id} has an outdated entry of a: delete its configuration and put it again`,
  ]);
  await send("DELETE", `/${bucket}?queryConfiguration`);
  await setIndexes(bucket, EVERY_KIND);
  expect(await findings()).toEqual([]);
});

it("an index is built in bounded steps, which can be repeated", async () => {
  const bucket = await freshBucket();
  await insertObjects(bucket, 2500);
  const id = await bucketId(bucket);
  await env.DB.prepare(`UPDATE buckets SET query_index = '[["size",""]]' WHERE id = ?`).bind(id).run();
  const context = jobContext(Date.now());
  const position = async (): Promise<unknown> =>
    env.DB.prepare("SELECT indexed_to FROM query_indexes WHERE bucket_id = ?").bind(id).first("indexed_to");
  const step = async (): Promise<void> => {
    const before = await position();
    // The first steps may purge what other tests have left.
    for (let now = before; now !== null && now === before; now = await position()) {
      await buildQueryIndexes.step(context, null);
    }
  };
  await step();
  expect(await position()).toBe("k/001000");
  expect(await indexesOf(bucket)).toEqual(["Size Building"]);
  // As after a step whose outcome was lost.
  await env.DB.prepare("UPDATE query_indexes SET indexed_to = '' WHERE bucket_id = ?").bind(id).run();
  await step();
  await step();
  await step();
  expect(await position()).toBe(null);
  await expectExactEntries(bucket);
});
