// Versions that a snapshot shows cannot be purged while it exists.
import { afterEach, describe, expect, it, vi } from "vitest";

import { send } from "../support/client.ts";
import { md5Base64, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { ONE_SHARD, withCoordinatorD1 } from "../support/faults.ts";
import { putAll } from "../support/fresh-bucket.ts";
import { childrenOf, readXml, textOf } from "../support/read-xml.ts";
import { expectBalanced } from "../support/rows.ts";
import { listAll, takeSnapshot } from "../support/snapshots.ts";
import {
  bodyOf,
  deleteKey,
  putVersion,
  removeVersion,
  setVersioning,
  versionedBucket,
  versionsOf,
} from "../support/versioning.ts";
import { beforeCommit, statusOf } from "./snapshots-fixture.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the content of a snapshot is protected", () => {
  it("from DELETE of its version, also of a delete marker; other versions can be purged", async () => {
    const bucket = await versionedBucket();
    const older = await putVersion(bucket, "k", "0");
    const shown = await putVersion(bucket, "k", "1");
    await putVersion(bucket, "hidden", "x");
    const marker = await deleteKey(bucket, "hidden");
    const address = await takeSnapshot(bucket, "s");
    const newer = await putVersion(bucket, "k", "2");
    for (const [key, version] of [
      ["k", shown],
      ["hidden", marker],
    ] as const) {
      await expectS3Error(await send("DELETE", `/${bucket}/${key}?versionId=${version}`), {
        status: 403,
        code: "AccessDenied",
        message: /snapshot s of the bucket shows this version/,
      });
    }
    await removeVersion(bucket, "k", older);
    await removeVersion(bucket, "k", newer);
    // With the newer versions purged it is current again, and still protected.
    expect(await statusOf("DELETE", `/${bucket}/k?versionId=${shown}`)).toBe(403);
    await deleteKey(bucket, "k");
    expect(await statusOf("DELETE", `/${bucket}/k?versionId=${shown}`)).toBe(403);
    expect(await bodyOf(address, "k")).toBe("1");
    expect(await listAll(address)).toEqual(["k"]);
    await expectBalanced(bucket);
  });

  it("from DeleteObjects, key by key, while the other entries succeed", async () => {
    const bucket = await versionedBucket();
    const [older, shown] = [await putVersion(bucket, "k", "0"), await putVersion(bucket, "k", "1")];
    await takeSnapshot(bucket, "s");
    const newer = await putVersion(bucket, "k", "2");
    const other = await putVersion(bucket, "other", "x");
    const targets = [
      ["k", older],
      ["k", shown],
      ["k", newer],
      ["other", other],
    ];
    const body = `<Delete>${targets.map(([key, id]) => `<Object><Key>${key}</Key><VersionId>${id}</VersionId></Object>`).join("")}</Delete>`;
    const headers = { "content-md5": md5Base64(utf8(body)) };
    const root = readXml(await (await send("POST", `/${bucket}?delete`, { body, headers })).text());
    expect(childrenOf(root, "Deleted").map((entry) => textOf(entry, "VersionId"))).toEqual([older, newer, other]);
    const errors = childrenOf(root, "Error");
    expect(errors.map((entry) => [textOf(entry, "VersionId"), textOf(entry, "Code")])).toEqual([
      [shown, "AccessDenied"],
    ]);
    expect(textOf(errors[0] ?? root, "Message")).toMatch(/snapshot s of the bucket/);
    expect((await versionsOf(bucket)).map(({ versionId }) => versionId)).toEqual([shown]);
    await expectBalanced(bucket);
  });

  it("from a concurrent purge: one of the two comes first", async () => {
    const outcomes = new Set<number>();
    for (let round = 0; round < 12; round += 1) {
      const bucket = await versionedBucket();
      const version = await putVersion(bucket, "k", "1");
      await putAll(bucket, { other: "x" });
      const [removed, made] = await Promise.all([
        statusOf("DELETE", `/${bucket}/k?versionId=${version}`),
        statusOf("PUT", `/${bucket}?snapshot=s`),
      ]);
      expect(made).toBe(200);
      outcomes.add(removed);
      expect([204, 403]).toContain(removed);
      expect(await listAll(`${bucket}_s`)).toEqual(removed === 204 ? ["other"] : ["k", "other"]);
      if (removed === 403) expect(await bodyOf(`${bucket}_s`, "k")).toBe("1");
    }
    expect(outcomes.size).toBeGreaterThan(0);
  });

  it("from a purge that was checked before the snapshot and would commit after it", async () => {
    const bucket = await versionedBucket();
    const version = await putVersion(bucket, "k", "1");
    const fault = beforeCommit(async () => {
      await takeSnapshot(bucket, "s");
    });
    const response = await withCoordinatorD1(bucket, fault, async () =>
      send("DELETE", `/${bucket}/k?versionId=${version}`, {}, ONE_SHARD),
    );
    await expectS3Error(response, { status: 403, code: "AccessDenied", message: /snapshot s of the bucket/ });
    expect(await bodyOf(`${bucket}_s`, "k")).toBe("1");
    expect(await bodyOf(bucket, "k")).toBe("1");
    await expectBalanced(bucket);
  });

  it("from the deletion of the bucket and the suspension of its versioning", async () => {
    const bucket = await versionedBucket();
    await takeSnapshot(bucket, "s");
    await expectS3Error(await send("DELETE", `/${bucket}`), {
      status: 409,
      code: "BucketNotEmpty",
      fields: { BucketName: bucket },
      message: /snapshots/,
    });
    const body = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    await expectS3Error(await send("PUT", `/${bucket}?versioning`, { body }), {
      status: 409,
      code: "InvalidBucketState",
      fields: { BucketName: bucket },
      message: /snapshots/,
    });
    await setVersioning(bucket, "Enabled");
    expect((await send("GET", `/${bucket}?versioning`)).status).toBe(200);
  });
});
