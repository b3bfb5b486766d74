// Small bodies that are written at the same moment: their rows share the batch of the group, and a batch that is cut off
// leaves each object with its bytes or not at all.
import { describe, expect, it } from "vitest";

import { expectSoundReferences } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { failingCommits, ONE_SHARD, withCoordinatorD1, type BatchFault } from "../support/faults.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { INLINE, smallBlobsOf } from "../support/inline.ts";
import { expectNothingLeftOver, storedStateOf } from "../support/stored-state.ts";

const SCOPE = { ...INLINE, ...ONE_SHARD };
const KEYS = Array.from({ length: 24 }, (_, index) => `k${index}`);

async function putTogether(bucket: string, bodyOf: (key: string) => string, fault: BatchFault): Promise<number[]> {
  return withCoordinatorD1(bucket, fault, async () =>
    Promise.all(KEYS.map(async (key) => (await send("PUT", `/${bucket}/${key}`, { body: bodyOf(key) }, SCOPE)).status)),
  );
}

async function bodies(bucket: string): Promise<string[]> {
  return Promise.all(KEYS.map(async (key) => (await send("GET", `/${bucket}/${key}`, {}, SCOPE)).text()));
}

describe("small bodies that are written together", () => {
  it("share commits, and each object has its own bytes", async () => {
    const bucket = await freshBucket();
    for (const turn of ["first", "second"]) {
      let commits = 0;
      const statuses = await putTogether(
        bucket,
        (key) => `${turn} ${key}`,
        async (sql, run) => {
          if (!sql.some((text) => text.includes("commit_guard"))) return run();
          commits += 1;
          // A database that takes its time, so that others arrive meanwhile.
          await scheduler.wait(20);
          return run();
        },
      );
      expect(new Set(statuses)).toEqual(new Set([200]));
      expect(commits).toBeLessThan(KEYS.length);
      expect(await bodies(bucket)).toEqual(KEYS.map((key) => `${turn} ${key}`));
    }
    expect(await smallBlobsOf(bucket)).toHaveLength(2 * KEYS.length);
    expectNothingLeftOver(await storedStateOf(bucket));
    await expectSoundReferences(bucket);
  });

  it.each(["before", "after"] as const)("are complete when an answer is lost %s the batch is applied", async (when) => {
    const bucket = await freshBucket();
    const statuses = await putTogether(bucket, (key) => `body of ${key}`, failingCommits(when, 3));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await bodies(bucket)).toEqual(KEYS.map((key) => `body of ${key}`));
    expect(await smallBlobsOf(bucket)).toHaveLength(KEYS.length);
    await expectSoundReferences(bucket);
  });

  it("fill a batch only up to a bound of bytes", async () => {
    const bucket = await freshBucket();
    const large = { INLINE_MAX_BYTES: "131072", ...ONE_SHARD };
    let longest = 0;
    const fault: BatchFault = async (sql, run) => {
      longest = Math.max(longest, sql.filter((text) => text.includes("INTO small_blobs")).length);
      return run();
    };
    const body = "x".repeat(120_000);
    const statuses = await withCoordinatorD1(bucket, fault, async () =>
      Promise.all(KEYS.map(async (key) => (await send("PUT", `/${bucket}/${key}`, { body }, large)).status)),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(longest).toBe(1);
    expect(new Set((await smallBlobsOf(bucket)).map(({ length }) => length))).toEqual(new Set([120_000]));
  });
});
