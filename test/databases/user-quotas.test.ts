// A user's quota over several databases: each enforces it with what the job last wrote to it of the others.
import { describe, expect, it } from "vitest";

import { countQuotas } from "../../src/jobs/count-quotas.ts";
import { send } from "../support/client.ts";
import { BINDINGS, createIn } from "../support/databases.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { succeed } from "../support/query-api.ts";
import { tagUser } from "../support/quotas.ts";
import { freshUser, type TestUser } from "../support/users.ts";

const NAMES = BINDINGS.map(({ name }) => name);

async function bucketsOf({ credentials }: TestUser): Promise<string[]> {
  const buckets: string[] = [];
  for (const database of NAMES) {
    const name = freshBucketName();
    expect((await createIn(database, name, { credentials })).status).toBe(200);
    buckets.push(name);
  }
  return buckets;
}

async function statusesOfPuts(buckets: readonly string[], key: string, body: string): Promise<number[]> {
  const statuses: number[] = [];
  for (const bucket of buckets) statuses.push((await send("PUT", `/${bucket}/${key}`, { body })).status);
  return statuses;
}

const share = async () => runPass(countQuotas, Date.now());
const EVERYTHING = { Effect: "Allow", Action: "s3:*", Resource: "*" };

describe("a user's quota over several databases", () => {
  it("is enforced everywhere after a pass of the job, and ends everywhere after another", async () => {
    const user = await freshUser(EVERYTHING);
    const buckets = await bucketsOf(user);
    expect(await statusesOfPuts(buckets, "a", "12345")).toEqual(buckets.map(() => 200));
    await tagUser(user.name, { "cairn:max-bytes": String(5 * buckets.length + 1) });
    // The first pass copies the limits, on which the buckets are counted; the second one adds up what they store.
    await share();
    await share();
    expect(await statusesOfPuts(buckets, "b", "12")).toEqual(buckets.map(() => 403));
    expect((await send("DELETE", `/${buckets.at(-1) ?? ""}/a`)).status).toBe(204);
    await share();
    expect(await statusesOfPuts(buckets.slice(0, 1), "b", "12")).toEqual([200]);
    await succeed("iam", "UntagUser", { UserName: user.name, "TagKeys.member.1": "cairn:max-bytes" });
    await share();
    expect(await statusesOfPuts(buckets, "c", "12345678901234567890")).toEqual(buckets.map(() => 200));
  });

  it("holds within each database between the passes", async () => {
    const user = await freshUser(EVERYTHING);
    await tagUser(user.name, { "cairn:max-objects": "1" });
    await share();
    const buckets = await bucketsOf(user);
    expect(await statusesOfPuts(buckets, "a", "1")).toEqual(buckets.map(() => 200));
    expect(await statusesOfPuts(buckets, "b", "1")).toEqual(buckets.map(() => 403));
  });

  it("writes no row in a pass that changes nothing", async () => {
    await share();
    const { counts } = await share();
    expect(counts.d1RowsWritten).toBe(0);
  });
});
