// A snapshot is one moment of its bucket under concurrent writes, and independent of clocks.
import { afterEach, describe, expect, it, vi } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { d1With, ONE_SHARD, withCoordinatorD1 } from "../support/faults.ts";
import { putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { expectBalanced } from "../support/rows.ts";
import { listAll, takeSnapshot } from "../support/snapshots.ts";
import { bodyOf, deleteKey, putVersion, setVersioning, versionedBucket } from "../support/versioning.ts";
import { beforeCommit } from "./snapshots-fixture.ts";

afterEach(() => {
  vi.restoreAllMocks();
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
      // Some writers are between the two writes of a pair, whatever the machine's speed.
      await vi.waitUntil(() => Math.max(...done) > number, { timeout: 20_000, interval: 5 });
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
    expect(Math.max(...done)).toBeGreaterThan(7);
    await expectBalanced(bucket);
  });

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

  it("when coordinators' clocks are ahead or behind", async () => {
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
    const put = async () => costOf(await send("PUT", `/${bucket}/k`, { body: "x" }, IN_STORE)).rowsWritten;
    expect(await put()).toBe(1);
    expect(await put()).toBe(2);
    await takeSnapshot(bucket, "s");
    expect(await put()).toBe(2);
    expect(await put()).toBe(2);
  });
});
