import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectBytes } from "../support/digests.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { putAll } from "../support/fresh-bucket.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { uploadInParts } from "../support/multipart.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { expectBalanced } from "../support/rows.ts";
import { listAll, takeSnapshot } from "../support/snapshots.ts";
import { bodyOf, deleteKey, putVersion, versionedBucket, versionsOf } from "../support/versioning.ts";

interface Report {
  readonly restored: number;
  readonly deleted: number;
  readonly requests: number;
}

/** Restores a bucket page by page, following the returned tokens. */
async function restore(bucket: string, name: string, query = ""): Promise<Report> {
  let [restored, deleted, requests] = [0, 0, 0];
  let token: string | undefined = "";
  while (token !== undefined) {
    const continuation: string = token === "" ? "" : `&continuation-token=${token}`;
    const response: Response = await send("POST", `/${bucket}?restoreSnapshot=${name}${query}${continuation}`);
    const text: string = await response.text();
    expect(response.status, text).toBe(200);
    const root = readXml(text);
    expect([root.name, textOf(root, "Bucket"), textOf(root, "Name")]).toEqual([
      "RestoreBucketSnapshotResult",
      bucket,
      name,
    ]);
    restored += Number(textOf(root, "ObjectsRestored"));
    deleted += Number(textOf(root, "ObjectsDeleted"));
    requests += 1;
    token = textOf(root, "NextContinuationToken");
    expect(textOf(root, "IsTruncated")).toBe(String(token !== undefined));
  }
  return { restored, deleted, requests };
}

describe("RestoreBucketSnapshot", () => {
  it("restores the snapshot's content, and loses nothing of the bucket's current content", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { changed: "old", deleted: "was here", kept: "same" });
    await takeSnapshot(bucket, "s");
    const changed = await putVersion(bucket, "changed", "new");
    const marker = await deleteKey(bucket, "deleted");
    const added = await putVersion(bucket, "added", "later");
    await deleteKey(bucket, "added-and-gone");
    expect(await restore(bucket, "s")).toEqual({ restored: 2, deleted: 1, requests: 1 });
    expect(await listAll(bucket)).toEqual(["changed", "deleted", "kept"]);
    expect(await bodyOf(bucket, "changed")).toBe("old");
    expect(await bodyOf(bucket, "deleted")).toBe("was here");
    expect(await bodyOf(bucket, "added")).toBe("404 NoSuchKey");
    expect(await bodyOf(bucket, "changed", changed)).toBe("new");
    expect(await bodyOf(bucket, "added", added)).toBe("later");
    expect((await versionsOf(bucket)).map(({ versionId }) => versionId)).toContain(marker);
    await expectBalanced(bucket);
  });

  it("restores metadata, tags and multipart objects, and moves no bytes", async () => {
    const bucket = await versionedBucket();
    const headers = { "x-amz-meta-m": "v", "content-type": "text/x-own", "x-amz-tagging": "a=b", "cache-control": "c" };
    await putVersion(bucket, "k", "1", headers);
    const pieces = ["a".repeat(5 * 1024 * 1024), "tail"];
    await uploadInParts(bucket, "big", pieces);
    await takeSnapshot(bucket, "s");
    await putVersion(bucket, "k", "2");
    await deleteKey(bucket, "big");
    const blobs = Object.keys((await storedStateOf(bucket)).blobs).length;
    const response = await send("POST", `/${bucket}?restoreSnapshot=s`);
    expect(response.status).toBe(200);
    expect(costOf(response)).toMatchObject({ blobCalls: 0, coordinatorCalls: 2 });
    expect(Object.keys((await storedStateOf(bucket)).blobs).length).toBe(blobs);
    const head = await send("HEAD", `/${bucket}/k`);
    expect(head.headers.get("x-amz-meta-m")).toBe("v");
    expect(head.headers.get("content-type")).toBe("text/x-own");
    expect(head.headers.get("cache-control")).toMatch(/^c\b/);
    expect(head.headers.get("x-amz-tagging-count")).toBe("1");
    await expectBytes(await send("GET", `/${bucket}/big`), pieces.join(""));
    await expectBytes(await send("GET", `/${bucket}/big?partNumber=2`), "tail");
    await expectBalanced(bucket);
  });

  it("restores SSE-C objects without their key, and they stay readable only with it", async () => {
    const bucket = await versionedBucket();
    const headers = keyHeaders(customerKey(1));
    await putVersion(bucket, "k", "sealed", headers);
    const address = await takeSnapshot(bucket, "s");
    await putVersion(bucket, "k", "open");
    expect(await restore(bucket, "s")).toEqual({ restored: 1, deleted: 0, requests: 1 });
    for (const place of [bucket, address]) {
      await expectBytes(await send("GET", `/${place}/k`, { headers }), "sealed");
      expect((await send("GET", `/${place}/k`)).status).toBe(400);
      expect((await send("GET", `/${place}/k`, { headers: keyHeaders(customerKey(2)) })).status).toBe(403);
    }
  });

  it("does nothing when nothing differs, also when repeated", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { a: "1", b: "2" });
    await takeSnapshot(bucket, "s");
    expect(await restore(bucket, "s")).toEqual({ restored: 0, deleted: 0, requests: 1 });
    await putVersion(bucket, "a", "other");
    expect(await restore(bucket, "s")).toEqual({ restored: 1, deleted: 0, requests: 1 });
    const versions = await versionsOf(bucket);
    expect(await restore(bucket, "s")).toEqual({ restored: 0, deleted: 0, requests: 1 });
    expect(await versionsOf(bucket)).toEqual(versions);
  });

  it("does not change the snapshot, and can be undone with another", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { k: "1" });
    await takeSnapshot(bucket, "one");
    await putAll(bucket, { k: "2", l: "2" });
    await takeSnapshot(bucket, "two");
    await restore(bucket, "one");
    expect([await bodyOf(bucket, "k"), await listAll(bucket)]).toEqual(["1", ["k"]]);
    await restore(bucket, "two");
    expect([await bodyOf(bucket, "k"), await listAll(bucket)]).toEqual(["2", ["k", "l"]]);
    expect(await bodyOf(`${bucket}_one`, "k")).toBe("1");
    expect(await listAll(`${bucket}_one`)).toEqual(["k"]);
    await expectBalanced(bucket);
  });

  it("restores only the keys of a prefix", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { "in/a": "1", out: "1" });
    await takeSnapshot(bucket, "s");
    await putAll(bucket, { "in/a": "2", "in/b": "2", out: "2" });
    expect(await restore(bucket, "s", "&prefix=in/")).toEqual({ restored: 1, deleted: 1, requests: 1 });
    expect(await listAll(bucket)).toEqual(["in/a", "out"]);
    expect(await bodyOf(bucket, "out")).toBe("2");
  });

  it("takes several requests for many keys", async () => {
    const bucket = await versionedBucket();
    const keys = Array.from({ length: 230 }, (_, index) => `k${String(index).padStart(3, "0")}`);
    const objects = Object.fromEntries(keys.map((key) => [key, "1"]));
    await putAll(bucket, objects);
    await takeSnapshot(bucket, "s");
    for (const key of keys.slice(0, 120)) await deleteKey(bucket, key);
    await putAll(bucket, Object.fromEntries(keys.map((key) => [`${key}-new`, "2"])));
    expect(await restore(bucket, "s")).toEqual({ restored: 120, deleted: 230, requests: 2 });
    expect(await listAll(bucket)).toEqual(keys);
    await expectBalanced(bucket);
  });

  it("returns NoSuchSnapshot, InvalidArgument, and AccessDenied to anonymous callers", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { k: "1" });
    await expectS3Error(await send("POST", `/${bucket}?restoreSnapshot=s`), {
      status: 404,
      code: "NoSuchSnapshot",
      fields: { BucketName: bucket, SnapshotName: "s" },
    });
    await expectS3Error(await send("POST", `/${bucket}?restoreSnapshot=`), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "snapshot", ArgumentValue: "" },
    });
    await takeSnapshot(bucket, "s");
    await expectS3Error(await send("POST", `/${bucket}?restoreSnapshot=s&continuation-token=x`), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "continuation-token", ArgumentValue: "x" },
    });
    await putVersion(bucket, "k", "2");
    await expectS3Error(await deliver(anonymous("POST", `/${bucket}?restoreSnapshot=s`)), {
      status: 403,
      code: "AccessDenied",
    });
    expect(await bodyOf(bucket, "k")).toBe("2");
  });
});
