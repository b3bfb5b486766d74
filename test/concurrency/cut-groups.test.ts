// Puts, completions, copies, renames and deletions of several keys of one coordinator, whose groups of commits are cut in the middle: D1 loses answers before or after
// it applies a batch, applies one late, or the coordinator is reset. Every acknowledged write must have happened.
import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";

import { referencesOf } from "../support/check-references.ts";
import { mockErrorLog } from "../support/error-log.ts";
import {
  connectionLost,
  coordinatorOf,
  guardedKeys,
  ONE_SHARD,
  withCoordinatorD1,
  type BatchFault,
} from "../support/faults.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { versionedBucket } from "../support/versioning.ts";
import { Clients } from "./clients.ts";

mockErrorLog();

/** Copies and renames stay within a pair. A third key, which never changes, is copied, too. */
const PAIRS = [
  ["k", "l", "k0"],
  ["m", "n", "m0"],
  ["o", "p", "o0"],
] as const;
const KEYS = PAIRS.flat();
const CLIENTS = 10;
const REQUESTS = 8;

/** Numbers below `sides`, the same in each run. */
function diceOf(seed: number): (sides: number) => number {
  let state = seed * 7919 + 17;
  return (sides) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * sides);
  };
}

/** Loses some answers of commits, before or after they are applied, and applies some after their answer was lost. */
function losing(seed: number): { fault: BatchFault; lost: { commits: number; groups: number } } {
  const dice = diceOf(seed);
  const lost = { commits: 0, groups: 0 };
  const fault: BatchFault = async (sql, send, parameters) => {
    const keys = guardedKeys(sql, parameters);
    if (keys === 0) return send();
    // A database that takes its time, so that others arrive meanwhile.
    await scheduler.wait(10);
    // A rename alone names two.
    const isGroup = keys > 2;
    // The first commit and the first group are lost in any case.
    const outcome = lost.commits === 0 || (isGroup && lost.groups === 0) ? seed % 3 : dice(8);
    if (outcome < 3) lost.commits += 1;
    if (outcome < 3 && isGroup) lost.groups += 1;
    if (outcome === 0) throw connectionLost();
    if (outcome === 1) {
      await send();
      throw connectionLost();
    }
    if (outcome === 2) {
      setTimeout(() => void send().catch(() => undefined), 20 * dice(8));
      throw connectionLost();
    }
    return send();
  };
  return { fault, lost };
}

/** Writes and reads the keys from several clients at a time. */
async function work(clients: Clients, seed: number, isVersioned: boolean): Promise<void> {
  for (const [, , fixed] of PAIRS) await clients.put(fixed, "none", ONE_SHARD);
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      const dice = diceOf(seed + client);
      for (let request = 0; request < REQUESTS; request += 1) {
        const [one, other, fixed] = PAIRS[dice(PAIRS.length)] ?? PAIRS[0];
        const [key, to] = dice(2) === 0 ? [one, other] : [other, one];
        // A copy in a versioned bucket is of the version that was current when it began.
        const from = isVersioned || dice(2) === 0 ? fixed : key;
        const action = dice(12);
        if (action < 2) await clients.get(key, ONE_SHARD);
        else if (action < 5) await clients.put(key, "none", ONE_SHARD);
        else if (action < 6) await clients.put(key, "absent", ONE_SHARD);
        else if (action < 7) await clients.put(key, "match", ONE_SHARD);
        else if (action < 8) await clients.delete(key, "match", ONE_SHARD);
        else if (action < 9) await clients.delete(key, "none", ONE_SHARD);
        else if (action < 10 && !isVersioned) await clients.rename(key, to, ONE_SHARD);
        else if (action < 11) await clients.copy(from, to, ONE_SHARD);
        else await clients.complete(key, ONE_SHARD);
      }
    }),
  );
  expect(Array.from(clients.statuses.keys()).filter((status) => status >= 500 && status !== 503)).toEqual([]);
}

describe.each([
  ["an unversioned", freshBucket],
  ["a versioned", versionedBucket],
] as const)("groups of commits of all kinds in %s bucket", (name, create) => {
  const isVersioned = name === "a versioned";

  it.each([1, 2, 3])("whose answers D1 loses are linearizable, and all outcomes are exact (%i)", async (seed) => {
    const bucket = await create();
    const clients = new Clients(bucket);
    const { fault, lost } = losing(seed);
    await withCoordinatorD1(bucket, fault, async () => work(clients, 100 * seed, isVersioned));
    // How many of them were groups depends on the machine's speed.
    expect(lost.commits).toBeGreaterThan(0);
    // Reads after all late batches have arrived.
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const key of KEYS) await clients.get(key, ONE_SHARD);
    for (const pair of PAIRS) clients.expectLinearizable(pair);
    const { findings, orphans } = await referencesOf(bucket);
    expect(findings).toEqual([]);
    // A write whose outcome stays unknown keeps its blob.
    expect(orphans.length).toBeLessThanOrEqual(clients.statuses.get(503) ?? 0);
  });

  it.each([1, 2])("whose coordinator is reset again and again are linearizable (%i)", async (seed) => {
    const bucket = await create();
    const clients = new Clients(bucket);
    const over = new AbortController();
    const resets = (async () => {
      const dice = diceOf(seed);
      while (!over.signal.aborted) {
        await new Promise((resolve) => setTimeout(resolve, 10 + dice(40)));
        await evictDurableObject(await coordinatorOf(bucket)).catch(() => undefined);
      }
    })();
    await work(clients, 1000 * seed, isVersioned);
    over.abort();
    await resets;
    for (const key of KEYS) await clients.get(key, ONE_SHARD);
    for (const pair of PAIRS) clients.expectLinearizable(pair);
    expect((await referencesOf(bucket)).findings).toEqual([]);
  });
});
