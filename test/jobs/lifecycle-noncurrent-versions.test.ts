// Lifecycle rules with NoncurrentVersionExpiration.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";
import { DAY_MS, clearRules, midnight, putLifecycle, rule } from "../support/lifecycle.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { bodyOf, deleteKey, putVersion, setVersioning, versionedBucket, versionsOf } from "../support/versioning.ts";
import { MARKERS, noncurrentAfter, shownVersions, tagged } from "./lifecycle-fixture.ts";

/** Makes rows of a key the given number of days older, selected ones or all. */
async function age(bucket: string, key: string, days: number, versionId?: string): Promise<void> {
  const id = await bucketId(bucket);
  for (const table of ["objects", "versions"]) {
    await env.DB.prepare(
      `UPDATE ${table} SET modified_at = modified_at - ?3
       WHERE bucket_id = ?1 AND key = ?2 AND (?4 IS NULL OR version_id = ?4)`,
    )
      .bind(id, key, days * DAY_MS, versionId ?? null)
      .run();
  }
}

// Other tests' buckets are in the same database, and a pass covers all of them.
beforeEach(clearRules);

describe("noncurrent versions", () => {
  it("are purged the given days after their successor was created, independent of their own age", async () => {
    const bucket = await versionedBucket();
    const first = await putVersion(bucket, "k", "one");
    const second = await putVersion(bucket, "k", "two");
    await putVersion(bucket, "k", "three");
    await age(bucket, "k", 100, first);
    await age(bucket, "k", 10, second);
    await putLifecycle(bucket, rule(noncurrentAfter(20)));
    await runPass(lifecycle, midnight(11) - 1);
    expect(await versionsOf(bucket)).toHaveLength(3);
    await runPass(lifecycle, midnight(11));
    expect((await versionsOf(bucket)).map(({ versionId }) => versionId)).not.toContain(first);
    expect(await versionsOf(bucket)).toHaveLength(2);
    await runPass(lifecycle, midnight(21));
    expect(await shownVersions(bucket)).toEqual(["k*"]);
    expect(await bodyOf(bucket, "k")).toBe("three");
    await expectSoundReferences(bucket);
  });

  it("stay while fewer newer ones exist than the rule keeps", async () => {
    const bucket = await versionedBucket();
    for (const body of ["1", "2", "3", "4", "5"]) await putVersion(bucket, "k", body);
    await putVersion(bucket, "other", "1");
    await putVersion(bucket, "other", "2");
    await putLifecycle(bucket, rule(noncurrentAfter(1, 2)));
    const { report } = await runPass(lifecycle, midnight(900));
    expect(report).toMatchObject({ versionsRemoved: 2 });
    expect(await shownVersions(bucket)).toEqual(["k*", "k", "k", "other*", "other"]);
    expect(
      await Promise.all((await versionsOf(bucket)).slice(0, 3).map((v) => bodyOf(bucket, "k", v.versionId))),
    ).toEqual(["5", "4", "3"]);
  });

  it("are counted below a current delete marker, which is not one of them", async () => {
    const bucket = await versionedBucket();
    for (const body of ["1", "2", "3"]) await putVersion(bucket, "k", body);
    await deleteKey(bucket, "k");
    await putLifecycle(bucket, rule(noncurrentAfter(1, 2)));
    await runPass(lifecycle, midnight(900));
    expect(await shownVersions(bucket)).toEqual(["k marker*", "k", "k"]);
  });

  it("are purged with their delete markers, except one that is purged by its own rule", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "1");
    await deleteKey(bucket, "k");
    await deleteKey(bucket, "k");
    await putLifecycle(bucket, rule(noncurrentAfter(1) + MARKERS));
    await runPass(lifecycle, midnight(2));
    expect(await shownVersions(bucket)).toEqual(["k marker*"]);
    await runPass(lifecycle, midnight(3));
    expect(await shownVersions(bucket)).toEqual([]);
    await expectSoundReferences(bucket);
  });

  it("are evaluated by their own tags and sizes, and null versions like all others", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "null version" });
    await setVersioning(bucket, "Enabled");
    await putVersion(bucket, "k", "tagged", { "x-amz-tagging": "k=v" });
    await putVersion(bucket, "k", "small");
    await putVersion(bucket, "k", "current", { "x-amz-tagging": "k=v" });
    await putLifecycle(
      bucket,
      rule(noncurrentAfter(1), { filter: `<Filter>${tagged("k", "v")}</Filter>` }),
      rule(noncurrentAfter(1), { filter: "<Filter><ObjectSizeGreaterThan>11</ObjectSizeGreaterThan></Filter>" }),
    );
    await runPass(lifecycle, midnight(900));
    const left = await Promise.all((await versionsOf(bucket)).map(({ versionId }) => bodyOf(bucket, "k", versionId)));
    expect(left).toEqual(["current", "small"]);
  });

  it("stay while a snapshot shows them", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "1");
    await putVersion(bucket, "k", "2");
    const snapshot = await takeSnapshot(bucket, "s");
    await putVersion(bucket, "k", "3");
    await putVersion(bucket, "k", "4");
    await putLifecycle(bucket, rule(noncurrentAfter(1)));
    const { report } = await runPass(lifecycle, midnight(900));
    expect(report).toMatchObject({ versionsRemoved: 2 });
    expect(report["changedMeanwhile"]).toBeUndefined();
    expect(await versionsOf(bucket)).toHaveLength(2);
    expect(await (await send("GET", `/${snapshot}/k`)).text()).toBe("2");
    expect((await send("DELETE", `/${bucket}?snapshot=s`)).status).toBe(204);
    await runPass(lifecycle, midnight(900));
    expect(await shownVersions(bucket)).toEqual(["k*"]);
    await expectSoundReferences(bucket);
  });

  it("are evaluated in pages, also within one key", async () => {
    const bucket = await versionedBucket();
    await deleteKey(bucket, "many");
    await putVersion(bucket, "next", "1");
    await putVersion(bucket, "next", "2");
    const id = await bucketId(bucket);
    const marker = await env.DB.prepare("SELECT * FROM versions WHERE bucket_id = ? AND key = 'many'")
      .bind(id)
      .first<{ version_id: string }>();
    // Older delete markers: their ids sort after the existing one.
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2300)
       INSERT INTO versions (bucket_id, key, version_id, is_null_version, is_delete_marker, size, etag, modified_at, owner_id, storage_class)
       SELECT ?1, 'many', substr(?2, 1, 26) || 'v' || printf('%05d', i), 0, 1, 0, '', ?3 - i, 'o', 'STANDARD' FROM n`,
    )
      .bind(id, `${marker?.version_id.slice(0, 12)}v${"v".repeat(19)}`, Date.now())
      .run();
    await putLifecycle(bucket, rule(noncurrentAfter(1, 100)));
    const { report } = await runPass(lifecycle, midnight(900));
    expect(report["versionsRemoved"] ?? 0).toBe(0);
    expect(report["deleteMarkersRemoved"]).toBe(2200);
    expect(report["changedMeanwhile"] ?? 0).toBe(0);
    const { results } = await env.DB.prepare(
      "SELECT version_id FROM versions WHERE bucket_id = ? AND key = 'many' ORDER BY version_id",
    )
      .bind(id)
      .all<{ version_id: string }>();
    expect(results).toHaveLength(101);
    expect(results[0]?.version_id).toBe(marker?.version_id);
    expect(results.at(-1)?.version_id).toMatch(/00100$/);
  });
});
