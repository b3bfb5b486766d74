import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { childrenOf, readXml, textOf } from "../support/read-xml.ts";
import { snapshotsOf, takeSnapshot } from "../support/snapshots.ts";
import { versionedBucket } from "../support/versioning.ts";

describe("ListBucketSnapshots", () => {
  it("lists a bucket's own snapshots, the newest first", async () => {
    const bucket = await versionedBucket();
    const other = await versionedBucket();
    await takeSnapshot(other, "of-the-other");
    for (const name of ["b", "c", "a"]) await takeSnapshot(bucket, name);
    const response = await send("GET", `/${bucket}?snapshots`);
    expect(response.status).toBe(200);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
    const root = readXml(await response.text());
    expect(root.name).toBe("ListBucketSnapshotsResult");
    expect(textOf(root, "Bucket")).toBe(bucket);
    const snapshots = childrenOf(root, "Snapshot");
    expect(snapshots.map((snapshot) => textOf(snapshot, "Name"))).toEqual(["a", "c", "b"]);
    expect(snapshots.map((snapshot) => textOf(snapshot, "Address"))).toEqual([
      `${bucket}_a`,
      `${bucket}_c`,
      `${bucket}_b`,
    ]);
    const times = snapshots.map((snapshot) => Date.parse(textOf(snapshot, "CreationDate") ?? ""));
    expect(times).toEqual(times.toSorted((one, another) => another - one));
  });

  it("lists none for a bucket without snapshots, versioned or not", async () => {
    expect(await snapshotsOf(await freshBucket())).toEqual([]);
    expect(await snapshotsOf(await versionedBucket())).toEqual([]);
  });

  it("lists none of the previous bucket with the name", async () => {
    const bucket = await versionedBucket();
    await takeSnapshot(bucket, "s");
    expect((await send("DELETE", `/${bucket}?snapshot=s`)).status).toBe(204);
    expect((await send("DELETE", `/${bucket}`)).status).toBe(204);
    expect((await send("PUT", `/${bucket}`)).status).toBe(200);
    expect(await snapshotsOf(bucket)).toEqual([]);
  });

  it("returns NoSuchBucket for a missing bucket, and AccessDenied to anonymous callers", async () => {
    const missing = freshBucketName();
    await expectS3Error(await send("GET", `/${missing}?snapshots`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await versionedBucket();
    await expectS3Error(await deliver(anonymous("GET", `/${bucket}?snapshots`)), { status: 403, code: "AccessDenied" });
  });
});
