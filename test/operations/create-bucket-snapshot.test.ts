import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { connectionLost, d1With } from "../support/faults.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { childrenOf, readXml, textOf } from "../support/read-xml.ts";
import { listAll, snapshotsOf, takeSnapshot } from "../support/snapshots.ts";
import { setVersioning, versionedBucket } from "../support/versioning.ts";

describe("CreateBucketSnapshot", () => {
  it("returns the snapshot's name, address and time", async () => {
    const bucket = await versionedBucket();
    const response = await send("PUT", `/${bucket}?snapshot=before-the-move`);
    expect(response.status).toBe(200);
    expect(response.headers.get("location")).toBe(`/${bucket}_before-the-move`);
    const root = readXml(await response.text());
    expect(root.name).toBe("CreateBucketSnapshotResult");
    expect(textOf(root, "Bucket")).toBe(bucket);
    expect(textOf(root, "Name")).toBe("before-the-move");
    expect(textOf(root, "Address")).toBe(`${bucket}_before-the-move`);
    expect(Math.abs(Date.parse(textOf(root, "CreationDate") ?? "") - Date.now())).toBeLessThan(60_000);
  });

  it("costs the same for any content of the bucket", async () => {
    const bucket = await versionedBucket();
    const costs = [];
    for (const keys of [0, 40]) {
      await putAll(bucket, Object.fromEntries(Array.from({ length: keys }, (_, index) => [`k${index}`, ""])));
      const response = await send("PUT", `/${bucket}?snapshot=with-${keys}`);
      await response.text();
      costs.push(costOf(response));
    }
    for (const { rowsRead, ...others } of costs) {
      expect(others).toEqual({ roundTrips: 2, rowsWritten: 3, coordinatorCalls: 0, blobCalls: 0 });
      expect(rowsRead).toBeLessThan(20);
    }
  });

  it("returns InvalidBucketState unless the bucket's versioning is enabled", async () => {
    const bucket = await freshBucket();
    const refused = async (): Promise<void> => {
      await expectS3Error(await send("PUT", `/${bucket}?snapshot=s`), {
        status: 409,
        code: "InvalidBucketState",
        fields: { BucketName: bucket },
        message: /versioning is enabled/,
      });
    };
    await refused();
    await setVersioning(bucket, "Suspended");
    await refused();
    await setVersioning(bucket, "Enabled");
    await takeSnapshot(bucket, "s");
  });

  it.each(["", "UPPER", "under_score", "a.b", "a".repeat(64), "%20", "%C3%A4"])("rejects the name %j", async (name) => {
    const bucket = await versionedBucket();
    await expectS3Error(await send("PUT", `/${bucket}?snapshot=${name}`), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "snapshot", ArgumentValue: decodeURIComponent(name) },
    });
  });

  it("accepts names of 1 and of 63 characters, and each only once", async () => {
    const bucket = await versionedBucket();
    for (const name of ["-", "a".repeat(63)]) {
      expect(await takeSnapshot(bucket, name)).toBe(`${bucket}_${name}`);
      await expectS3Error(await send("PUT", `/${bucket}?snapshot=${name}`), {
        status: 409,
        code: "SnapshotAlreadyExists",
        fields: { BucketName: bucket, SnapshotName: name },
      });
    }
    await takeSnapshot(await versionedBucket(), "-");
  });

  it("rejects more than 100 per bucket", async () => {
    const bucket = await versionedBucket();
    for (let number = 0; number < 100; number += 1) await takeSnapshot(bucket, `s${number}`);
    await expectS3Error(await send("PUT", `/${bucket}?snapshot=one-more`), {
      status: 400,
      code: "TooManySnapshots",
      fields: { MaxSnapshots: "100" },
    });
    expect((await send("DELETE", `/${bucket}?snapshot=s50`)).status).toBe(204);
    await takeSnapshot(bucket, "one-more");
    expect((await snapshotsOf(bucket)).length).toBe(100);
  });

  it("returns NoSuchBucket for a missing bucket, and AccessDenied to anonymous callers", async () => {
    const missing = freshBucketName();
    await expectS3Error(await send("PUT", `/${missing}?snapshot=s`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await versionedBucket();
    await expectS3Error(await deliver(anonymous("PUT", `/${bucket}?snapshot=s`)), {
      status: 403,
      code: "AccessDenied",
    });
    expect(await snapshotsOf(bucket)).toEqual([]);
  });

  it("creates one snapshot when the response of its commit is lost", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { k: "1" });
    for (const when of ["before", "after"] as const) {
      let left = 1;
      const DB = d1With(async (sql, pass) => {
        if (left === 0 || !sql.some((text) => text.includes("INSERT INTO snapshots"))) return pass();
        left -= 1;
        if (when === "after") await pass();
        throw connectionLost();
      });
      const response = await send("PUT", `/${bucket}?snapshot=${when}`, {}, { DB });
      expect(response.status).toBe(200);
      expect(await listAll(`${bucket}_${when}`)).toEqual(["k"]);
    }
    expect((await snapshotsOf(bucket)).toSorted()).toEqual(["after", "before"]);
  });

  it("creates every one of several concurrent snapshots", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { k: "1" });
    const names = ["a", "b", "c"];
    await Promise.all(names.map(async (name) => takeSnapshot(bucket, name)));
    expect((await snapshotsOf(bucket)).toSorted()).toEqual(names);
    for (const name of names) expect(await listAll(`${bucket}_${name}`)).toEqual(["k"]);
  });

  it("creates one of several concurrent snapshots with the same name", async () => {
    // Repeated, so that some of them share a millisecond.
    for (let round = 0; round < 10; round += 1) {
      const bucket = await versionedBucket();
      const statuses = await Promise.all(
        Array.from({ length: 4 }, async () => (await send("PUT", `/${bucket}?snapshot=s`)).status),
      );
      expect(statuses.map(String).toSorted()).toEqual(["200", "409", "409", "409"]);
      const root = readXml(await (await send("GET", `/${bucket}?snapshots`)).text());
      expect(childrenOf(root, "Snapshot").length).toBe(1);
    }
  });
});
