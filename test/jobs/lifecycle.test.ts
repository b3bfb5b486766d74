// Lifecycle passes: uploads that are aborted, and what a pass reads and repeats.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { DATABASE_COUNT } from "../support/placement.ts";
import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { jobContext, runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";
import { expiresAfter, clearRules, midnight, prefixed, putLifecycle, rule } from "../support/lifecycle.ts";
import { createUpload, putPart } from "../support/multipart.ts";
import { expectBalanced } from "../support/rows.ts";
import { abortAfter, keysOf } from "./lifecycle-fixture.ts";

// Other tests' buckets are in the same database, and a pass covers all of them.
beforeEach(clearRules);

describe("uploads in progress", () => {
  it("are aborted by their age and prefix", async () => {
    const bucket = await freshBucket();
    for (const key of ["tmp/a", "tmp/a", "other"]) {
      const uploadId = await createUpload(bucket, key);
      await putPart(bucket, key, uploadId, 1, "part");
    }
    await putLifecycle(bucket, rule(abortAfter(7), prefixed("tmp/")));
    await runPass(lifecycle, midnight(8) - 1);
    expect((await (await send("GET", `/${bucket}?uploads`)).text()).match(/<UploadId>/g)).toHaveLength(3);
    const { report } = await runPass(lifecycle, midnight(8));
    expect(report).toMatchObject({ uploadsAborted: 2 });
    const left = await (await send("GET", `/${bucket}?uploads`)).text();
    expect(left.match(/<Key>.*?<\/Key>/g)).toEqual(["<Key>other</Key>"]);
    await expectBalanced(bucket);
  });

  it("are aborted in several steps when there are many", async () => {
    const bucket = await freshBucket();
    await Promise.all(Array.from({ length: 120 }, (_, index) => createUpload(bucket, `k${index % 7}`)));
    await putLifecycle(bucket, rule(abortAfter(1)));
    const { report } = await runPass(lifecycle, midnight(2));
    expect(report).toMatchObject({ uploadsAborted: 120 });
  });
});

describe("a pass", () => {
  it("costs nothing for buckets without rules", async () => {
    await putAll(await freshBucket(), { a: "1" });
    const { steps, counts } = await runPass(lifecycle, midnight(2));
    // Each database has a step of its own.
    expect(steps).toBe(DATABASE_COUNT);
    expect(counts.d1RowsRead).toBeLessThan(10 * DATABASE_COUNT);
    expect(counts).toMatchObject({
      d1RoundTrips: 2 * DATABASE_COUNT,
      d1RowsWritten: 0,
      coordinatorCalls: 0,
      blobCalls: 0,
    });
  });

  it("reads only the keys that its rules select, one row for each", async () => {
    const bucket = await freshBucket();
    const keys = ["a/1", "a/2", "b/1", "c/1", "c/2", "c/3", "d"];
    await putAll(bucket, Object.fromEntries(keys.map((key) => [key, "1"])));
    await putLifecycle(
      bucket,
      rule(expiresAfter(9), prefixed("c/")),
      rule(expiresAfter(9), prefixed("a/")),
      rule(expiresAfter(9), prefixed("c/2")),
    );
    const { report, counts } = await runPass(lifecycle, midnight(2));
    expect(report).toEqual({ seen: 5 });
    expect(counts.d1RowsRead).toBeLessThan(15 + 5 * (DATABASE_COUNT - 1));
  });

  it("goes page by page and repeats from its last cursor without harm", async () => {
    const bucket = await freshBucket();
    const id = await bucketId(bucket);
    await putAll(bucket, { first: "1" });
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
       INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, blob_id, storage_class)
       SELECT ?1, printf('k%05d', i), printf('%032d', i), 1, 0, '', ?2, 'o', ?1 || '/' || i, 'STANDARD' FROM n`,
    )
      .bind(id, Date.now() - (Date.now() % 2))
      .run();
    await putLifecycle(bucket, rule(expiresAfter(1), prefixed("k")));
    const context = jobContext(midnight(2));
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      // Each step as if its cursor had been lost once.
      await lifecycle.step(context, cursor);
      const step = await lifecycle.step(context, cursor);
      seen.push(step.report["seen"] ?? 0);
      ({ cursor } = step);
    } while (cursor !== null);
    expect(await keysOf(bucket)).toEqual(["first"]);
    expect(Math.max(...seen)).toBeLessThanOrEqual(1000);
  });

  it("covers many small prefixes in few steps", async () => {
    const bucket = await freshBucket();
    const keys = Array.from({ length: 60 }, (_, index) => `p${String(index).padStart(2, "0")}/k`);
    await putAll(bucket, Object.fromEntries(keys.map((key) => [key, "1"])));
    await putLifecycle(bucket, ...keys.map((key) => rule(expiresAfter(1), prefixed(key.slice(0, 4)))));
    const { steps } = await runPass(lifecycle, midnight(2));
    expect(await keysOf(bucket)).toEqual([]);
    expect(steps).toBeLessThan(8);
  });
});
