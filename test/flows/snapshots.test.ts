// A snapshot shows the bucket at its moment through plain S3 calls and accepts no write.
import { afterEach, describe, expect, it, vi } from "vitest";

import { anonymous, deliver, presigned, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectBytes } from "../support/digests.ts";
import { expectHeadError, expectS3Error } from "../support/expect-s3-error.ts";
import { putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { createUpload, sendCompletion, uploadInParts } from "../support/multipart.ts";
import { readXml, textOf } from "../support/read-xml.ts";
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
import { statusOf } from "./snapshots-fixture.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a snapshot", () => {
  it("shows the bucket's objects of its moment after overwrites, deletions, purges and additions", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { changed: "old", deleted: "was here", kept: "same", twice: "1" });
    await putVersion(bucket, "twice", "2");
    await deleteKey(bucket, "gone-before");
    await putVersion(bucket, "gone-before", "x");
    await deleteKey(bucket, "gone-before");
    const address = await takeSnapshot(bucket, "s");
    await putVersion(bucket, "changed", "new");
    await deleteKey(bucket, "deleted");
    const added = await putVersion(bucket, "added", "later");
    await removeVersion(bucket, "added", added);
    await putAll(bucket, { "added-too": "", "gone-before": "again" });
    await putVersion(bucket, "twice", "3");
    expect(await listAll(address)).toEqual(["changed", "deleted", "kept", "twice"]);
    expect(await bodyOf(address, "changed")).toBe("old");
    expect(await bodyOf(address, "deleted")).toBe("was here");
    expect(await bodyOf(address, "kept")).toBe("same");
    expect(await bodyOf(address, "twice")).toBe("2");
    expect(await bodyOf(address, "added-too")).toBe("404 NoSuchKey");
    expect(await bodyOf(address, "gone-before")).toBe("404 NoSuchKey");
    expect(await bodyOf(bucket, "changed")).toBe("new");
  });

  it("shows the objects from before versioning was enabled", async () => {
    const bucket = await versionedBucket();
    await setVersioning(bucket, "Suspended");
    await putAll(bucket, { k: "null version" });
    await setVersioning(bucket, "Enabled");
    const address = await takeSnapshot(bucket, "s");
    await putVersion(bucket, "k", "next");
    expect(await bodyOf(address, "k")).toBe("null version");
    expect((await send("HEAD", `/${address}/k`)).headers.get("x-amz-version-id")).toBe("null");
  });

  it("exists next to others, each of its own moment", async () => {
    const bucket = await versionedBucket();
    for (const value of ["1", "2", "3"]) {
      await putVersion(bucket, "k", value);
      await takeSnapshot(bucket, `s${value}`);
    }
    await deleteKey(bucket, "k");
    await takeSnapshot(bucket, "s4");
    for (const value of ["1", "2", "3"]) expect(await bodyOf(`${bucket}_s${value}`, "k")).toBe(value);
    expect(await bodyOf(`${bucket}_s4`, "k")).toBe("404 NoSuchKey");
    expect(await listAll(`${bucket}_s4`)).toEqual([]);
  });

  it("can be read by every read operation: HEAD, ranges, conditions, attributes, tags, presigned", async () => {
    const bucket = await versionedBucket();
    const version = await putVersion(bucket, "dir/k", "0123456789", { "x-amz-tagging": "a=b", "x-amz-meta-m": "v" });
    const address = await takeSnapshot(bucket, "s");
    await putVersion(bucket, "dir/k", "other");
    const target = `/${address}/dir/k`;
    const head = await send("HEAD", target);
    expect(head.status).toBe(200);
    expect(head.headers.get("content-length")).toBe("10");
    expect(head.headers.get("x-amz-meta-m")).toBe("v");
    expect(head.headers.get("x-amz-version-id")).toBe(version);
    const range = await send("GET", target, { headers: { range: "bytes=2-4" } });
    expect(range.status).toBe(206);
    await expectBytes(range, "234");
    const etag = head.headers.get("etag") ?? "";
    expect(await statusOf("GET", target, { headers: { "if-none-match": etag } })).toBe(304);
    expect(await statusOf("GET", target, { headers: { "if-match": '"x"' } })).toBe(412);
    const attributes = await send("GET", `${target}?attributes`, {
      headers: { "x-amz-object-attributes": "ObjectSize" },
    });
    expect(textOf(readXml(await attributes.text()), "ObjectSize")).toBe("10");
    expect(await (await send("GET", `${target}?tagging`)).text()).toContain("<Key>a</Key><Value>b</Value>");
    await expectBytes(await deliver(await presigned("GET", target)), "0123456789");
    expect(await statusOf("HEAD", `/${address}`)).toBe(200);
    expect(await statusOf("GET", `/${address}?location`)).toBe(200);
    expect(await statusOf("GET", "/dir/k", { endpoint: `http://${address}.s3.example.com` })).toBe(200);
    await expectHeadError(await send("HEAD", `/${address}/missing`), 404);
  });

  it("shows multipart objects and their parts", async () => {
    const bucket = await versionedBucket();
    const pieces = ["a".repeat(5 * 1024 * 1024), "tail"];
    await uploadInParts(bucket, "big", pieces);
    const address = await takeSnapshot(bucket, "s");
    await putVersion(bucket, "big", "small");
    await expectBytes(await send("GET", `/${address}/big`), pieces.join(""));
    await expectBytes(await send("GET", `/${address}/big?partNumber=2`), "tail");
    await expectBytes(await send("GET", `/${address}/big`, { headers: { range: "bytes=-6" } }), "aatail");
  });

  it("can be a source of object and part copies", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "lost and found");
    const address = await takeSnapshot(bucket, "s");
    await putVersion(bucket, "k", "spoilt");
    for (const source of [`/${address}/k`, `${address}/k`, encodeURIComponent(`${address}/k`)]) {
      expect(await statusOf("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": source } })).toBe(200);
      expect(await bodyOf(bucket, "copy")).toBe("lost and found");
      await deleteKey(bucket, "copy");
    }
    // Restoring one key is a copy onto itself.
    expect(await statusOf("PUT", `/${bucket}/k`, { headers: { "x-amz-copy-source": `/${address}/k` } })).toBe(200);
    expect(await bodyOf(bucket, "k")).toBe("lost and found");
    const uploadId = await createUpload(bucket, "of-parts");
    const headers = { "x-amz-copy-source": `/${address}/k`, "x-amz-copy-source-range": "bytes=9-13" };
    const part = await send("PUT", `/${bucket}/of-parts?uploadId=${uploadId}&partNumber=1`, { headers });
    const etag = textOf(readXml(await part.text()), "ETag") ?? "";
    await sendCompletion(bucket, "of-parts", uploadId, [{ partNumber: 1, etag }]);
    expect(await bodyOf(bucket, "of-parts")).toBe("found");
    await expectBalanced(bucket);
  });

  it("costs the same to read as the bucket itself: one round trip, and the blob", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { k: "1" }, IN_STORE);
    const address = await takeSnapshot(bucket, "s");
    for (let version = 0; version < 30; version += 1) await putVersion(bucket, "k", "2");
    const { rowsRead, ...others } = costOf(await send("GET", `/${address}/k`));
    expect(others).toEqual({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 1 });
    expect(rowsRead).toBeLessThan(28);
    expect(costOf(await send("HEAD", `/${address}/k`))).toMatchObject({ roundTrips: 1, blobCalls: 0 });
  });
});

describe("a snapshot cannot be changed", () => {
  it.each([
    ["PUT", "/k", {}],
    ["PUT", "/k?tagging", {}],
    ["PUT", "/k?acl", {}],
    ["DELETE", "/k", {}],
    ["DELETE", "/k?tagging", {}],
    ["POST", "/k?uploads", {}],
    ["PUT", "/k", { "x-amz-copy-source": "/b/k" }],
    ["PUT", "/k?renameObject", { "x-amz-rename-source": "k" }],
    ["POST", "?delete", {}],
    ["DELETE", "", {}],
    ["PUT", "?versioning", {}],
    ["PUT", "?snapshot=t", {}],
    ["DELETE", "?snapshot=s", {}],
    ["POST", "?restoreSnapshot=s", {}],
    ["GET", "?versions", {}],
    ["GET", "?uploads", {}],
    ["GET", "?versioning", {}],
    ["GET", "?snapshots", {}],
    ["GET", "?usage", {}],
  ] as const)("%s %s %j is MethodNotAllowed", async (method, target, headers) => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "1");
    const address = await takeSnapshot(bucket, "s");
    const response = await send(method, `/${address}${target}`, { headers });
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    await expectS3Error(response, {
      status: 405,
      code: "MethodNotAllowed",
      fields: { Method: method, ResourceType: "SNAPSHOT" },
      message: /can be asked only of the bucket/,
    });
    expect((await versionsOf(bucket)).length).toBe(1);
    expect(await listAll(address)).toEqual(["k"]);
  });

  it("or created as a bucket of its name", async () => {
    const bucket = await versionedBucket();
    const address = await takeSnapshot(bucket, "s");
    for (const name of [address, `${bucket}_new`]) {
      await expectS3Error(await send("PUT", `/${name}`), {
        status: 400,
        code: "InvalidBucketName",
        fields: { BucketName: name },
      });
    }
  });
});

describe("an invalid snapshot address", () => {
  it("returns NoSuchSnapshot, NoSuchBucket or InvalidBucketName", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "1");
    const fields = { BucketName: bucket, SnapshotName: "missing" };
    for (const target of [`/${bucket}_missing/k`, `/${bucket}_missing`, `/${bucket}_missing?list-type=2`]) {
      await expectS3Error(await send("GET", target), { status: 404, code: "NoSuchSnapshot", fields });
    }
    await expectHeadError(await send("HEAD", `/${bucket}_missing`), 404);
    const headers = { "x-amz-copy-source": `/${bucket}_missing/k` };
    await expectS3Error(await send("PUT", `/${bucket}/copy`, { headers }), {
      status: 404,
      code: "NoSuchSnapshot",
      fields,
    });
    await expectS3Error(await send("GET", "/no-such-bucket-at-all_s/k"), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: "no-such-bucket-at-all" },
    });
    for (const name of [`${bucket}_`, `${bucket}_S`, `${bucket}_a_b`, "ab_s"]) {
      const expected = { status: 400, code: "InvalidBucketName", fields: { BucketName: name } };
      await expectS3Error(await send("GET", `/${name}/k`), expected);
    }
  });

  it("is a version id in a snapshot, which shows one version of each key", async () => {
    const bucket = await versionedBucket();
    const version = await putVersion(bucket, "k", "1");
    const address = await takeSnapshot(bucket, "s");
    const expected = { status: 400, code: "InvalidRequest", message: /one version of each key/ };
    await expectS3Error(await send("GET", `/${address}/k?versionId=${version}`), expected);
    const headers = { "x-amz-copy-source": `/${address}/k?versionId=${version}` };
    await expectS3Error(await send("PUT", `/${bucket}/copy`, { headers }), expected);
  });

  it("returns AccessDenied to anonymous callers", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "1");
    const address = await takeSnapshot(bucket, "s");
    for (const target of [`/${address}/k`, `/${address}`, `/${bucket}_missing/k`]) {
      await expectS3Error(await deliver(anonymous("GET", target)), { status: 403, code: "AccessDenied" });
    }
  });
});
