// A snapshot shows the bucket at its moment through plain S3 calls, whatever later happens to the bucket and whatever
// the clocks show. Nothing that it shows can be purged while it exists.
import { afterEach, describe, expect, it, vi } from "vitest";

import { anonymous, deliver, presigned, send, type SendOptions } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectBytes, md5Base64, utf8 } from "../support/digests.ts";
import { expectHeadError, expectS3Error } from "../support/expect-s3-error.ts";
import { d1With, ONE_SHARD, withCoordinatorD1, type BatchFault } from "../support/faults.ts";
import { putAll } from "../support/fresh-bucket.ts";
import { createUpload, sendCompletion, uploadInParts } from "../support/multipart.ts";
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

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs an action once, just before the first commit of a coordinator. */
function beforeCommit(action: () => Promise<void>): BatchFault {
  let isFirst = true;
  return async (sql, pass) => {
    if (isFirst && sql.some((text) => text.includes("commit_guard"))) {
      isFirst = false;
      await action();
    }
    return pass();
  };
}

async function statusOf(method: string, target: string, options: SendOptions = {}): Promise<number> {
  const response = await send(method, target, options);
  await response.arrayBuffer();
  return response.status;
}

describe("a snapshot", () => {
  it("shows the bucket's objects, whatever was overwritten, deleted, purged or added since", async () => {
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
    await putVersion(bucket, "k", "1");
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

describe("a snapshot is exact", () => {
  it("under concurrent writes: it contains writes acknowledged before it, none that began after it, and is one moment", async () => {
    const bucket = await versionedBucket();
    const count = 4;
    const begun = Array.from({ length: count }, () => 0);
    const done = Array.from({ length: count }, () => 0);
    const writing = { isOver: false };
    // Each writer writes a number to one key and then to another: no moment has the second without the first.
    const write = async (writer: number): Promise<void> => {
      for (let value = 1; !writing.isOver; value += 1) {
        begun[writer] = value;
        await putVersion(bucket, `first-${writer}`, String(value));
        await putVersion(bucket, `second-${writer}`, String(value));
        done[writer] = value;
      }
    };
    const writers = Array.from({ length: count }, async (_, writer) => write(writer));
    const taken: { before: number[]; after: number[]; address: string }[] = [];
    for (let number = 0; number < 8; number += 1) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      const before = [...done];
      const address = await takeSnapshot(bucket, `s${number}`);
      taken.push({ before, after: [...begun], address });
    }
    writing.isOver = true;
    await Promise.all(writers);
    const valueOf = async (address: string, key: string): Promise<number> => {
      const text = await bodyOf(address, key);
      return text.startsWith("404") ? 0 : Number(text);
    };
    for (const { before, after, address } of taken) {
      for (let writer = 0; writer < count; writer += 1) {
        const first = await valueOf(address, `first-${writer}`);
        const second = await valueOf(address, `second-${writer}`);
        expect(second).toBeGreaterThanOrEqual(before[writer] ?? 0);
        expect(first).toBeLessThanOrEqual(after[writer] ?? 0);
        expect([0, 1]).toContain(first - second);
      }
    }
    expect(Math.min(...done)).toBeGreaterThan(2);
    await expectBalanced(bucket);
  }, 60_000);

  it("when it comes between a write's check and its commit: it excludes the write", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { over: "old", deleted: "old" });
    let number = 0;
    const onceBefore = async (write: () => Promise<Response>): Promise<string> => {
      const address = `${bucket}_s${number}`;
      const fault = beforeCommit(async () => {
        await takeSnapshot(bucket, `s${number}`);
      });
      const response = await withCoordinatorD1(bucket, fault, write);
      expect(response.ok).toBe(true);
      number += 1;
      return address;
    };
    const put = async (key: string) => send("PUT", `/${bucket}/${key}`, { body: "new" }, ONE_SHARD);
    expect(await bodyOf(await onceBefore(async () => put("over")), "over")).toBe("old");
    expect(await bodyOf(bucket, "over")).toBe("new");
    expect(await bodyOf(await onceBefore(async () => put("new")), "new")).toBe("404 NoSuchKey");
    const remove = async () => send("DELETE", `/${bucket}/deleted`, {}, ONE_SHARD);
    expect(await bodyOf(await onceBefore(remove), "deleted")).toBe("old");
    expect(await bodyOf(bucket, "deleted")).toBe("404 NoSuchKey");
    await expectBalanced(bucket);
  });

  it("when a write is acknowledged between the snapshot's read of the bucket and its commit: it includes the write", async () => {
    const bucket = await versionedBucket();
    let isFirst = true;
    const DB = d1With(async (sql, pass) => {
      if (!isFirst || !sql.some((text) => text.includes("INSERT INTO snapshots"))) return pass();
      isFirst = false;
      await putVersion(bucket, "k", "1");
      // A second write comes between as well, so the snapshot is retried on the new state.
      await takeSnapshot(bucket, "between");
      await putVersion(bucket, "k", "2");
      return pass();
    });
    expect((await send("PUT", `/${bucket}?snapshot=s`, {}, { DB })).status).toBe(200);
    await putVersion(bucket, "k", "3");
    expect(await bodyOf(`${bucket}_between`, "k")).toBe("1");
    expect(await bodyOf(`${bucket}_s`, "k")).toBe("2");
  });

  it("and fails when versioning is suspended meanwhile", async () => {
    const bucket = await versionedBucket();
    const DB = d1With(async (sql, pass) => {
      if (sql.some((text) => text.includes("INSERT INTO snapshots"))) await setVersioning(bucket, "Suspended");
      return pass();
    });
    await expectS3Error(await send("PUT", `/${bucket}?snapshot=s`, {}, { DB }), {
      status: 409,
      code: "InvalidBucketState",
      fields: { BucketName: bucket },
    });
    await expectS3Error(await send("GET", `/${bucket}_s/k`), {
      status: 404,
      code: "NoSuchSnapshot",
      fields: { BucketName: bucket, SnapshotName: "s" },
    });
  });

  it("whatever a coordinator's clock shows", async () => {
    const bucket = await versionedBucket();
    const now = Date.now.bind(Date);
    const at = async (ahead: number, action: () => Promise<unknown>): Promise<void> => {
      const clock = vi.spyOn(Date, "now").mockImplementation(() => now() + ahead);
      await action();
      clock.mockRestore();
    };
    const minutes = 60_000;
    await at(10 * minutes, async () => putVersion(bucket, "ahead", "before"));
    await at(-10 * minutes, async () => putVersion(bucket, "behind", "before"));
    const one = await takeSnapshot(bucket, "one");
    await at(-10 * minutes, async () => putVersion(bucket, "ahead", "between"));
    await at(-10 * minutes, async () => deleteKey(bucket, "behind"));
    await at(-10 * minutes, async () => putVersion(bucket, "new", "between"));
    await at(12 * minutes, async () => deleteKey(bucket, "far-ahead"));
    await at(12 * minutes, async () => putVersion(bucket, "far-ahead", "between"));
    const two = await takeSnapshot(bucket, "two");
    await at(-10 * minutes, async () => deleteKey(bucket, "far-ahead"));
    await putVersion(bucket, "new", "after");
    expect(await listAll(one)).toEqual(["ahead", "behind"]);
    expect(await bodyOf(one, "ahead")).toBe("before");
    expect(await bodyOf(one, "behind")).toBe("before");
    expect(await listAll(two)).toEqual(["ahead", "far-ahead", "new"]);
    expect(await bodyOf(two, "ahead")).toBe("between");
    expect(await bodyOf(two, "new")).toBe("between");
    expect(await listAll(bucket)).toEqual(["ahead", "new"]);
  });

  it("and costs writers no row: a PUT writes the same rows before and after it", async () => {
    const bucket = await versionedBucket();
    const put = async () => costOf(await send("PUT", `/${bucket}/k`, { body: "x" })).rowsWritten;
    expect(await put()).toBe(1);
    expect(await put()).toBe(2);
    await takeSnapshot(bucket, "s");
    expect(await put()).toBe(2);
    expect(await put()).toBe(2);
  });
});
