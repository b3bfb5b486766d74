// Clients that write between a lifecycle rule's evaluation and its commit.
import { beforeEach, describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expiresAfter, clearRules, midnight, putLifecycle, rule } from "../support/lifecycle.ts";
import { createUpload } from "../support/multipart.ts";
import { sendTagging, taggingOf } from "../support/tagging.ts";
import { bodyOf, deleteKey, putVersion, removeVersion, versionedBucket } from "../support/versioning.ts";
import {
  MARKERS,
  abortAfter,
  evaluatePage,
  keysOf,
  noncurrentAfter,
  shownVersions,
  tagged,
} from "./lifecycle-fixture.ts";

// Other tests' buckets are in the same database, and a pass covers all of them.
beforeEach(clearRules);

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
