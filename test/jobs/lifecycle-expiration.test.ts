// Lifecycle rules with Expiration: current versions and delete markers.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";
import { expiresAfter, clearRules, midnight, prefixed, putLifecycle, rule } from "../support/lifecycle.ts";
import { expectBalanced } from "../support/rows.ts";
import { deleteKey, putVersion, setVersioning, versionedBucket, versionsOf } from "../support/versioning.ts";
import { MARKERS, evaluatePage, keysOf, shownVersions, tagged } from "./lifecycle-fixture.ts";

// Other tests' buckets are in the same database, and a pass covers all of them.
beforeEach(clearRules);

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
    // Later than the versions of this time: the marker is created today, at any evaluation time.
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
