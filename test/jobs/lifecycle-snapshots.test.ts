// Lifecycle rules in a bucket with snapshots: no rule purges a version that a snapshot shows; it is purged after the
// snapshot's deletion.
import { beforeEach, describe, expect, it } from "vitest";

import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { send } from "../support/client.ts";
import { runPass } from "../support/jobs.ts";
import { DAY_MS, expiresAfter, clearRules, putLifecycle, rule } from "../support/lifecycle.ts";
import { expectBalanced } from "../support/rows.ts";
import { listAll, takeSnapshot } from "../support/snapshots.ts";
import { bodyOf, deleteKey, putVersion, versionedBucket, versionsOf } from "../support/versioning.ts";

const NONCURRENT = "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
const MARKERS = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";

beforeEach(clearRules);

describe("lifecycle rules", () => {
  it("keep the versions that a snapshot shows, and purge the others", async () => {
    const bucket = await versionedBucket();
    const older = await putVersion(bucket, "k", "0");
    const shown = await putVersion(bucket, "k", "1");
    const address = await takeSnapshot(bucket, "s");
    const newer = await putVersion(bucket, "k", "2");
    const current = await putVersion(bucket, "k", "3");
    await putVersion(bucket, "deleted", "was here");
    await deleteKey(bucket, "deleted");
    await putLifecycle(bucket, rule(NONCURRENT), rule(MARKERS));
    await runPass(lifecycle, Date.now() + 100 * DAY_MS);
    await runPass(lifecycle, Date.now() + 200 * DAY_MS);
    expect((await versionsOf(bucket)).map(({ versionId }) => versionId)).toEqual([current, shown]);
    expect([older, newer]).not.toContain(shown);
    expect(await bodyOf(address, "k")).toBe("1");
    await expectBalanced(bucket);

    expect((await send("DELETE", `/${bucket}?snapshot=s`)).status).toBe(204);
    await runPass(lifecycle, Date.now() + 300 * DAY_MS);
    expect((await versionsOf(bucket)).map(({ versionId }) => versionId)).toEqual([current]);
    await expectBalanced(bucket);
  });

  it("expire current objects as usual, and the snapshot still shows them", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "1");
    const address = await takeSnapshot(bucket, "s");
    await putLifecycle(bucket, rule(expiresAfter(1)), rule(NONCURRENT));
    await runPass(lifecycle, Date.now() + 100 * DAY_MS);
    await runPass(lifecycle, Date.now() + 200 * DAY_MS);
    expect(await listAll(bucket)).toEqual([]);
    expect(await listAll(address)).toEqual(["k"]);
    expect(await bodyOf(address, "k")).toBe("1");
    expect((await send("POST", `/${bucket}?restoreSnapshot=s`)).status).toBe(200);
    expect(await bodyOf(bucket, "k")).toBe("1");
    await expectBalanced(bucket);
  });
});
