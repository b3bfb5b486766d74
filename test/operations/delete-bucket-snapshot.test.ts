import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { putAll } from "../support/fresh-bucket.ts";
import { expectBalanced } from "../support/rows.ts";
import { listAll, snapshotsOf, takeSnapshot } from "../support/snapshots.ts";
import { bodyOf, putVersion, removeVersion, setVersioning, versionedBucket } from "../support/versioning.ts";

describe("DeleteBucketSnapshot", () => {
  it("deletes the snapshot and keeps every version", async () => {
    const bucket = await versionedBucket();
    const first = await putVersion(bucket, "k", "1");
    await takeSnapshot(bucket, "s");
    await putVersion(bucket, "k", "2");
    const response = await send("DELETE", `/${bucket}?snapshot=s`);
    expect(response.status).toBe(204);
    expect(await response.text()).toBe("");
    expect(costOf(response)).toMatchObject({ roundTrips: 2, coordinatorCalls: 0, blobCalls: 0 });
    expect(await snapshotsOf(bucket)).toEqual([]);
    await expectS3Error(await send("GET", `/${bucket}_s/k`), {
      status: 404,
      code: "NoSuchSnapshot",
      fields: { BucketName: bucket, SnapshotName: "s" },
    });
    expect(await bodyOf(bucket, "k", first)).toBe("1");
    expect(await bodyOf(bucket, "k")).toBe("2");
  });

  it("ends its protection of versions, of the bucket's versioning and of the bucket", async () => {
    const bucket = await versionedBucket();
    const first = await putVersion(bucket, "k", "1");
    await takeSnapshot(bucket, "s");
    expect((await send("DELETE", `/${bucket}/k?versionId=${first}`)).status).toBe(403);
    expect((await send("DELETE", `/${bucket}?snapshot=s`)).status).toBe(204);
    await setVersioning(bucket, "Suspended");
    await setVersioning(bucket, "Enabled");
    await removeVersion(bucket, "k", first);
    await expectBalanced(bucket);
    expect((await send("DELETE", `/${bucket}`)).status).toBe(204);
  });

  it("frees the name for another snapshot, which shows the current content", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { old: "1" });
    await takeSnapshot(bucket, "s");
    expect((await send("DELETE", `/${bucket}?snapshot=s`)).status).toBe(204);
    await putAll(bucket, { new: "2" });
    await takeSnapshot(bucket, "s");
    expect(await listAll(`${bucket}_s`)).toEqual(["new", "old"]);
  });

  it("returns NoSuchSnapshot for a missing name and InvalidArgument for an invalid one", async () => {
    const bucket = await versionedBucket();
    await expectS3Error(await send("DELETE", `/${bucket}?snapshot=s`), {
      status: 404,
      code: "NoSuchSnapshot",
      fields: { BucketName: bucket, SnapshotName: "s" },
    });
    await expectS3Error(await send("DELETE", `/${bucket}?snapshot=A`), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "snapshot", ArgumentValue: "A" },
    });
  });

  it("returns AccessDenied to anonymous callers", async () => {
    const bucket = await versionedBucket();
    await takeSnapshot(bucket, "s");
    const response = await deliver(anonymous("DELETE", `/${bucket}?snapshot=s`));
    await expectS3Error(response, { status: 403, code: "AccessDenied" });
    expect(await snapshotsOf(bucket)).toEqual(["s"]);
  });
});
