// Lifecycle rules over time: what they delete, what they keep, and who wins against a concurrent client.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { applyActions } from "../../src/jobs/apply-lifecycle-actions.ts";
import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { lifecycleFromText } from "../../src/protocol/lifecycle/lifecycle.ts";
import { lookUpBucket } from "../../src/state/metadata/buckets.ts";
import { WALK_START, walkPage } from "../../src/state/lifecycle/lifecycle-walk.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { jobContext, runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";
import { DAY_MS, expiresAfter, forgetRules, midnight, prefixed, putLifecycle, rule } from "../support/lifecycle.ts";
import { createUpload, putPart } from "../support/multipart.ts";
import { expectBalanced } from "../support/rows.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { sendTagging, taggingOf } from "../support/tagging.ts";
import {
  bodyOf,
  deleteKey,
  putVersion,
  removeVersion,
  setVersioning,
  versionedBucket,
  versionsOf,
} from "../support/versioning.ts";

const noncurrentAfter = (days: number, newer?: number): string =>
  `<NoncurrentVersionExpiration><NoncurrentDays>${days}</NoncurrentDays>${newer === undefined ? "" : `<NewerNoncurrentVersions>${newer}</NewerNoncurrentVersions>`}</NoncurrentVersionExpiration>`;
const MARKERS = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
const abortAfter = (days: number): string =>
  `<AbortIncompleteMultipartUpload><DaysAfterInitiation>${days}</DaysAfterInitiation></AbortIncompleteMultipartUpload>`;
const tagged = (key: string, value: string): string => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;

async function keysOf(bucket: string): Promise<string[]> {
  const text = await (await send("GET", `/${bucket}?list-type=2`)).text();
  return Array.from(text.matchAll(/<Key>(.*?)<\/Key>/g), ([, key = ""]) => key);
}

/** `key` or `key (marker)`, in listing order, the latest with a star. */
async function shownVersions(bucket: string): Promise<string[]> {
  return (await versionsOf(bucket)).map(
    ({ kind, key, isLatest }) => `${key}${kind === "Version" ? "" : " marker"}${isLatest ? "*" : ""}`,
  );
}

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

/** A page of actions at a time; `applyActions` executes them after whatever happened in between. */
async function evaluatePage(bucketName: string, now: number, phase: "current" | "versions" | "uploads" = "current") {
  const context = jobContext(now);
  const { bucket } = await context.database.look(lookUpBucket(bucketName));
  const configuration = lifecycleFromText(bucket?.configurations.lifecycle ?? null);
  if (bucket === undefined || configuration === undefined) throw new Error("no rules");
  const walk = { database: context.database, bucket, configuration, now };
  const { evaluated } = await walkPage(walk, { ...WALK_START, phase });
  return { evaluated, applyActions: async () => (await applyActions(context, walk, evaluated)).report };
}

// Other tests' buckets are in the same database, and a pass covers all of them.
beforeEach(forgetRules);

describe("expiration", () => {
  it("occurs at the midnight after the given days, and not a moment before", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", "tmp/a": "1", "tmp/b": "1", tmp: "1" });
    await putLifecycle(bucket, rule(expiresAfter(3), prefixed("tmp/")));
    await runPass(lifecycle, midnight(4) - 1);
    expect(await keysOf(bucket)).toEqual(["a", "tmp", "tmp/a", "tmp/b"]);
    const { report } = await runPass(lifecycle, midnight(4));
    expect(report).toMatchObject({ objectsRemoved: 2 });
    expect(await keysOf(bucket)).toEqual(["a", "tmp"]);
    await expectBalanced(bucket);
    await expectSoundReferences(bucket);
  });

  it("counts from the midnight after the fifteenth of January", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "1" });
    await putLifecycle(bucket, rule(expiresAfter(3)));
    const made = Date.UTC(2027, 0, 15, 10, 30);
    await env.DB.prepare("UPDATE objects SET modified_at = ? WHERE bucket_id = ?")
      .bind(made, await bucketId(bucket))
      .run();
    await runPass(lifecycle, Date.UTC(2027, 0, 19) - 1);
    expect(await keysOf(bucket)).toEqual(["k"]);
    await runPass(lifecycle, Date.UTC(2027, 0, 19));
    expect(await keysOf(bucket)).toEqual([]);
  });

  it("with a date applies from that date on, also to later objects", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "1" });
    const date = new Date(midnight(10)).toISOString();
    await putLifecycle(bucket, rule(`<Expiration><Date>${date}</Date></Expiration>`));
    await runPass(lifecycle, midnight(10) - 1);
    expect(await keysOf(bucket)).toEqual(["k"]);
    await runPass(lifecycle, midnight(10));
    expect(await keysOf(bucket)).toEqual([]);
    await putAll(bucket, { later: "1" });
    await runPass(lifecycle, midnight(11));
    expect(await keysOf(bucket)).toEqual([]);
  });

  it("honours sizes and tags, with exclusive size bounds", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { four: "1234", five: "12345", six: "123456", none: "" });
    for (const [key, tags] of Object.entries({ t1: "k=v", t2: "k=w", t3: "k=v&l=w", t4: "K=v" })) {
      await send("PUT", `/${bucket}/${key}`, { body: "123456789", headers: { "x-amz-tagging": tags } });
    }
    const and = (inner: string): { filter: string } => ({ filter: `<Filter><And>${inner}</And></Filter>` });
    await putLifecycle(
      bucket,
      rule(
        expiresAfter(1),
        and("<ObjectSizeGreaterThan>4</ObjectSizeGreaterThan><ObjectSizeLessThan>6</ObjectSizeLessThan>"),
      ),
      rule(expiresAfter(1), { filter: `<Filter>${tagged("k", "v")}</Filter>` }),
      rule(expiresAfter(1), and(`${tagged("k", "w")}<Prefix>x</Prefix>`)),
    );
    await runPass(lifecycle, midnight(2));
    expect(await keysOf(bucket)).toEqual(["four", "none", "six", "t2", "t4"]);
  });

  it("ignores disabled rules, and deletes empty objects too", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "off/a": "1", "on/a": "" });
    await putLifecycle(
      bucket,
      rule(expiresAfter(1), { ...prefixed(""), status: "Disabled" }),
      rule(expiresAfter(1), prefixed("on/")),
    );
    await runPass(lifecycle, midnight(900));
    expect(await keysOf(bucket)).toEqual(["off/a"]);
  });

  it("uses the earliest of several rules", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", ab: "1" });
    await putLifecycle(bucket, rule(expiresAfter(30), prefixed("a")), rule(expiresAfter(2), prefixed("ab")));
    await runPass(lifecycle, midnight(3));
    expect(await keysOf(bucket)).toEqual(["a"]);
    await runPass(lifecycle, midnight(31));
    expect(await keysOf(bucket)).toEqual([]);
  });

  it("adds one delete marker when versioning is enabled", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "one");
    await putLifecycle(bucket, rule(expiresAfter(1)));
    const { report } = await runPass(lifecycle, midnight(2));
    expect(report).toMatchObject({ deleteMarkersMade: 1 });
    expect(await shownVersions(bucket)).toEqual(["k marker*", "k"]);
    await runPass(lifecycle, midnight(900));
    expect(await shownVersions(bucket)).toEqual(["k marker*", "k"]);
  });

  it("replaces the null version with a delete marker when versioning is suspended", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "null" });
    await setVersioning(bucket, "Enabled");
    await putVersion(bucket, "v", "kept");
    await setVersioning(bucket, "Suspended");
    await putLifecycle(bucket, rule(expiresAfter(1)));
    // Later than the versions of this time: the marker is created today, whatever the evaluation time.
    const { applyActions } = await evaluatePage(bucket, midnight(2));
    await applyActions();
    expect(await versionsOf(bucket)).toMatchObject([
      { key: "k", kind: "DeleteMarker", versionId: "null" },
      { key: "v", kind: "DeleteMarker", versionId: "null" },
      { key: "v", kind: "Version" },
    ]);
    await expectSoundReferences(bucket);
  });
});

describe("delete markers", () => {
  it("are purged by ExpiredObjectDeleteMarker when nothing is under them", async () => {
    const bucket = await versionedBucket();
    await deleteKey(bucket, "sole");
    await putVersion(bucket, "k", "1");
    await deleteKey(bucket, "k");
    await deleteKey(bucket, "twice");
    await deleteKey(bucket, "twice");
    await putLifecycle(bucket, rule(MARKERS));
    const { report } = await runPass(lifecycle, Date.now());
    expect(report).toMatchObject({ deleteMarkersRemoved: 1 });
    expect(await shownVersions(bucket)).toEqual(["k marker*", "k", "twice marker*", "twice marker"]);
  });

  it("stay when the flag is false", async () => {
    const bucket = await versionedBucket();
    await deleteKey(bucket, "sole");
    await putLifecycle(bucket, rule(MARKERS.replace("true", "false")));
    await runPass(lifecycle, midnight(900));
    expect(await shownVersions(bucket)).toEqual(["sole marker*"]);
  });

  it("are purged by age when the rule has days, and never by rules with tags or sizes", async () => {
    const bucket = await versionedBucket();
    await deleteKey(bucket, "a/sole");
    await deleteKey(bucket, "b/sole");
    await putLifecycle(
      bucket,
      rule(expiresAfter(5), prefixed("a/")),
      rule(expiresAfter(1), { filter: "<Filter><ObjectSizeLessThan>9</ObjectSizeLessThan></Filter>" }),
      rule(expiresAfter(1), { filter: `<Filter>${tagged("k", "v")}</Filter>` }),
    );
    await runPass(lifecycle, midnight(6) - 1);
    expect(await shownVersions(bucket)).toEqual(["a/sole marker*", "b/sole marker*"]);
    await runPass(lifecycle, midnight(6));
    expect(await shownVersions(bucket)).toEqual(["b/sole marker*"]);
  });
});

describe("noncurrent versions", () => {
  it("are purged the given days after their successor was created, whatever their own age", async () => {
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

describe("a client that writes between an evaluation and its commit", () => {
  it("keeps its overwrite of an object, with the same bytes or others", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "1", c: "1" });
    await putLifecycle(bucket, rule(expiresAfter(1)));
    const { evaluated, applyActions } = await evaluatePage(bucket, midnight(2));
    expect(evaluated).toHaveLength(3);
    await putAll(bucket, { a: "1", b: "2" });
    expect(await applyActions()).toEqual({ objectsRemoved: 1, changedMeanwhile: 2 });
    expect(await keysOf(bucket)).toEqual(["a", "b"]);
  });

  it("keeps its new version when versioning is enabled", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "1");
    await putLifecycle(bucket, rule(expiresAfter(1)));
    const { applyActions } = await evaluatePage(bucket, midnight(2));
    await putVersion(bucket, "k", "2");
    expect(await applyActions()).toEqual({ changedMeanwhile: 1 });
    expect(await shownVersions(bucket)).toEqual(["k*", "k"]);
  });

  it("keeps its new tags", async () => {
    const bucket = await freshBucket();
    for (const key of ["a", "b"])
      await send("PUT", `/${bucket}/${key}`, { body: "1", headers: { "x-amz-tagging": "k=v" } });
    await putLifecycle(bucket, rule(expiresAfter(1), { filter: `<Filter>${tagged("k", "v")}</Filter>` }));
    const { applyActions } = await evaluatePage(bucket, midnight(2));
    await sendTagging(`/${bucket}/a?tagging`, taggingOf({ keep: "me" }));
    expect(await applyActions()).toEqual({ objectsRemoved: 1, changedMeanwhile: 1 });
    expect(await keysOf(bucket)).toEqual(["a"]);
  });

  it("keeps everything when it deletes the rules or sets them again", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1" });
    await createUpload(bucket, "u");
    for (const phase of ["current", "uploads"] as const) {
      await putLifecycle(bucket, rule(expiresAfter(1) + abortAfter(1)));
      const { evaluated, applyActions } = await evaluatePage(bucket, midnight(2), phase);
      expect(evaluated).toHaveLength(1);
      if (phase === "current") await putLifecycle(bucket, rule(expiresAfter(1) + abortAfter(1)));
      else await send("DELETE", `/${bucket}?lifecycle`);
      expect(await applyActions()).toEqual({ changedMeanwhile: 1 });
    }
    expect(await keysOf(bucket)).toEqual(["a"]);
    expect((await (await send("GET", `/${bucket}?uploads`)).text()).match(/<UploadId>/g)).toHaveLength(1);
  });

  it("keeps a bucket that it recreated under the name", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1" });
    await putLifecycle(bucket, rule(expiresAfter(1)));
    const { applyActions } = await evaluatePage(bucket, midnight(2));
    await send("DELETE", `/${bucket}/a`);
    await send("DELETE", `/${bucket}`);
    await send("PUT", `/${bucket}`);
    await putAll(bucket, { a: "2" });
    expect(await applyActions()).toEqual({ changedMeanwhile: 1 });
    expect(await bodyOf(bucket, "a")).toBe("2");
  });

  it("sees no deletion undone by the purge of a delete marker that has become current", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "1");
    await deleteKey(bucket, "k");
    const third = await putVersion(bucket, "k", "3");
    await putLifecycle(bucket, rule(noncurrentAfter(1)));
    const { evaluated, applyActions } = await evaluatePage(bucket, midnight(2), "versions");
    expect(evaluated).toHaveLength(2);
    await removeVersion(bucket, "k", third);
    expect(await applyActions()).toEqual({ changedMeanwhile: 1, versionsRemoved: 1 });
    expect(await shownVersions(bucket)).toEqual(["k marker*"]);
  });

  it("keeps as many newer versions as the rule states, also after it purged one of them", async () => {
    const bucket = await versionedBucket();
    for (const body of ["1", "2", "3"]) await putVersion(bucket, "k", body);
    const fourth = await putVersion(bucket, "k", "4");
    await putVersion(bucket, "k", "5");
    await putLifecycle(bucket, rule(noncurrentAfter(1, 2)));
    const { evaluated, applyActions } = await evaluatePage(bucket, midnight(2), "versions");
    expect(evaluated).toHaveLength(2);
    await removeVersion(bucket, "k", fourth);
    // The oldest still has two newer ones.
    expect(await applyActions()).toEqual({ changedMeanwhile: 1, versionsRemoved: 1 });
    expect(await shownVersions(bucket)).toEqual(["k*", "k", "k"]);
  });

  it("keeps its new object above a delete marker that was the only version", async () => {
    const bucket = await versionedBucket();
    await deleteKey(bucket, "a");
    await deleteKey(bucket, "b");
    await putLifecycle(bucket, rule(MARKERS));
    const { evaluated, applyActions } = await evaluatePage(bucket, midnight(2), "versions");
    expect(evaluated).toHaveLength(2);
    await putVersion(bucket, "a", "1");
    expect(await applyActions()).toEqual({ changedMeanwhile: 1, deleteMarkersRemoved: 1 });
    expect(await shownVersions(bucket)).toEqual(["a*", "a marker"]);
  });
});

describe("a pass", () => {
  it("costs nothing for buckets without rules", async () => {
    await putAll(await freshBucket(), { a: "1" });
    const { steps, counts } = await runPass(lifecycle, midnight(2));
    expect(steps).toBe(1);
    expect(counts.d1RowsRead).toBeLessThan(10);
    expect(counts).toMatchObject({
      d1RoundTrips: 2,
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
    expect(counts.d1RowsRead).toBeLessThan(15);
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
