// Many clients on few keys. "Rivals" is a state that a deployment must survive and should never have: several live
// coordinators for one key, which only the guards of their commits separate.
import { describe, expect, it } from "vitest";

import { expectSoundReferences } from "../support/check-references.ts";
import { send, type RequestScope } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { bytesAsText, Clients } from "./clients.ts";

const CLIENTS = 8;
const REQUESTS = 16;
const INCREMENTS = 3;
const VERSIONINGS = [undefined, "Enabled", "Suspended"] as const;

/** Under different numbers of shards, one key maps to different coordinators. */
const SURROUNDINGS = {
  "one coordinator for each key": () => ({}),
  rivals: (client: number): RequestScope => ({ COORDINATOR_SHARDS: String(1 + (client % 5)) }),
};

describe.each(Object.entries(SURROUNDINGS))("with %s", (name, scopeOf) => {
  const mayGiveUp = name === "rivals";

  /**
   * Runs clients concurrently, and asserts that none of them received a server error. @returns the number of retryable
   * responses
   */
  async function work(
    clients: Clients,
    act: (dice: (sides: number) => number, around: RequestScope) => Promise<void>,
  ): Promise<number> {
    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, client) => {
        const dice = diceOf(client);
        for (let request = 0; request < REQUESTS; request += 1) await act(dice, scopeOf(client));
      }),
    );
    expect(Array.from(clients.statuses).filter(([status]) => status >= 500 && status !== 503)).toEqual([]);
    return clients.statuses.get(503) ?? 0;
  }

  it.each(VERSIONINGS)(
    "puts, completions, deletions and gets of a key are linearizable (versioning %s)",
    async (versioning) => {
      const bucket = await bucketOf(versioning);
      const clients = new Clients(bucket);
      const deferred = await work(clients, async (dice, around) => {
        const key = ["k", "l"][dice(2)] ?? "k";
        const action = dice(12);
        if (action < 4) await clients.get(key, around);
        else if (action < 6) await clients.put(key, "none", around);
        else if (action < 7) await clients.put(key, "absent", around);
        else if (action < 9) await clients.put(key, "match", around);
        else if (action < 10) await clients.delete(key, "none", around);
        else if (action < 11) await clients.delete(key, "match", around);
        else await clients.complete(key, around);
      });
      if (!mayGiveUp) expect(deferred).toBe(0);
      for (const key of ["k", "l"]) clients.expectLinearizable([key]);
      await expectSoundReferences(bucket);
    },
  );

  it("renames and copies affect both of their keys atomically", async () => {
    const bucket = await freshBucket();
    const clients = new Clients(bucket);
    const deferred = await work(clients, async (dice, around) => {
      const [from = "k", to = "l"] = dice(2) === 0 ? ["k", "l"] : ["l", "k"];
      const action = dice(9);
      if (action < 3) await clients.get(from, around);
      else if (action < 5) await clients.put(from, dice(2) === 0 ? "none" : "absent", around);
      else if (action < 7) await clients.rename(from, to, around);
      else if (action < 8) await clients.copy(from, to, around);
      else await clients.delete(from, "none", around);
    });
    // A request that reads one key and writes another may find the first changed again and again.
    expect(deferred).toBeLessThan((CLIENTS * REQUESTS) / 4);
    clients.expectLinearizable(["k", "l"]);
    await expectSoundReferences(bucket);
  });

  it("increments through If-Match lose none", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/counter`, { body: "0" });
    const increment = async (around: RequestScope): Promise<boolean> => {
      const before = await send("GET", `/${bucket}/counter`);
      const body = String(Number(await bytesAsText(before)) + 1);
      const headers = { "if-match": before.headers.get("etag") ?? "" };
      const { status } = await send("PUT", `/${bucket}/counter`, { body, headers }, around);
      // A rival that was aborted has written nothing.
      expect(mayGiveUp ? [200, 409, 412, 503] : [200, 409, 412]).toContain(status);
      return status === 200;
    };
    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, client) => {
        for (let done = 0; done < INCREMENTS;) if (await increment(scopeOf(client))) done += 1;
      }),
    );
    expect(await bytesAsText(await send("GET", `/${bucket}/counter`))).toBe(String(CLIENTS * INCREMENTS));
    await expectSoundReferences(bucket);
  });

  it("exactly one of many If-None-Match: * wins", async () => {
    const bucket = await freshBucket();
    for (let round = 0; round < 5; round += 1) {
      const headers = { "if-none-match": "*" };
      const racers = Array.from({ length: 2 * CLIENTS }, async (_, client) => {
        const body = `racer ${client}`;
        const { status } = await send("PUT", `/${bucket}/k${round}`, { body, headers }, scopeOf(client));
        return { body, status };
      });
      const results = await Promise.all(racers);
      const winners = results.filter(({ status }) => status === 200);
      expect(winners).toHaveLength(1);
      expect(results.filter(({ status }) => ![200, 409, 412].includes(status))).toEqual([]);
      expect(await bytesAsText(await send("GET", `/${bucket}/k${round}`))).toBe(winners[0]?.body);
    }
    await expectSoundReferences(bucket);
  });
});

async function bucketOf(versioning: (typeof VERSIONINGS)[number]): Promise<string> {
  const bucket = await freshBucket();
  if (versioning === undefined) return bucket;
  const body = `<VersioningConfiguration><Status>${versioning}</Status></VersioningConfiguration>`;
  expect((await send("PUT", `/${bucket}?versioning`, { body })).status).toBe(200);
  return bucket;
}

/** The same throws for the same client: a failure is likely, though not certain, to recur. */
function diceOf(client: number): (sides: number) => number {
  let state = client + 1;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}
