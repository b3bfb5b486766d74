// Many conditional writers of one key at a time: one of them wins, and the others cost the database next to nothing.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { connectionLost, coordinatorOf, coordinatorsWith, ONE_SHARD, withCoordinatorD1 } from "../support/faults.ts";
import { mockErrorLog } from "../support/error-log.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { md5Hex } from "../support/digests.ts";
import { versionedBucket } from "../support/versioning.ts";

mockErrorLog();

const RACERS = 100;
/** How long a call takes at most to reach the coordinator. */
const ARRIVAL_MS = 300;

interface Race {
  readonly statuses: readonly number[];
  readonly winners: readonly string[];
  /** Batches with a guard. */
  readonly commits: number;
}

/**
 * Lets writers race for a key, whose coordinator loses the answer of the first commit. That commit waits until all writers
 * have called the coordinator: one that calls later may need a guard of its own, which chance decides.
 */
async function race(
  bucket: string,
  headers: Record<string, string>,
  lost: "before" | "after" | undefined,
): Promise<Race> {
  let commits = 0;
  let calls = 0;
  const haveAllCalled = () => calls >= RACERS;
  const COORDINATORS = coordinatorsWith(async (_, call) => {
    calls += 1;
    return call();
  });
  const results = await withCoordinatorD1(
    bucket,
    async (sql, send_) => {
      if (!sql.some((text) => text.includes("commit_guard"))) return send_();
      commits += 1;
      if (commits === 1) {
        while (!haveAllCalled()) await scheduler.wait(5);
        await scheduler.wait(ARRIVAL_MS);
      }
      if (lost === undefined || commits > 1) return send_();
      if (lost === "after") await send_();
      throw connectionLost();
    },
    async () =>
      Promise.all(
        Array.from({ length: RACERS }, async (_, racer) => {
          const body = `${JSON.stringify(headers)} ${racer}`;
          const scope = { ...ONE_SHARD, COORDINATORS };
          return { body, status: (await send("PUT", `/${bucket}/k`, { body, headers }, scope)).status };
        }),
      ),
  );
  const winners = results.filter(({ status }) => status === 200).map(({ body }) => body);
  return { statuses: results.map(({ status }) => status), winners, commits };
}

describe.each([
  ["unversioned", freshBucket],
  ["versioned", versionedBucket],
] as const)("100 writers of one key of an %s bucket", (_, create) => {
  it.each([undefined, "before", "after"] as const)("have one winner, with answers lost %s", async (lost) => {
    const bucket = await create();
    await coordinatorOf(bucket);
    const created = await race(bucket, { "if-none-match": "*" }, lost);
    expect(created.winners).toHaveLength(1);
    expect(created.statuses.filter((status) => ![200, 409, 412].includes(status))).toEqual([]);
    const replaced = await race(bucket, { "if-match": md5Hex(created.winners[0] ?? "") }, lost);
    expect(replaced.winners).toHaveLength(1);
    const current = await send("GET", `/${bucket}/k`);
    expect(await current.text()).toBe(replaced.winners[0]);
    // Without refusals from the winner's commit, each of the others would need a guard of its own.
    expect(created.commits + replaced.commits).toBeLessThan(RACERS / 2);
  });

  it("without conditions are all done", async () => {
    const bucket = await create();
    const { statuses } = await race(bucket, {}, undefined);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});
