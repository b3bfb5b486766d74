// Delivery hosts of buckets in several databases: every bucket is delivered, and a host has one bucket whichever databases
// the buckets are in.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { completePlacements } from "../../src/jobs/complete-placements.ts";
import { discardLocation } from "../../src/state/metadata/bucket-locations.ts";
import { send, type RequestScope } from "../support/client.ts";
import { BINDINGS, bucketIn, databasesOf, failing, failingAt } from "../support/databases.ts";
import { seen, siteOf, visit, WILDCARD } from "../support/delivery.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { connectionLost } from "../support/faults.ts";
import { freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";
import { putWebsite, websiteDocument } from "../support/websites.ts";

const NAMES = BINDINGS.map(({ name }) => name);
const HOUR_MS = 3_600_000;
const scope = { DELIVERY: `*.${WILDCARD}` };
const DATABASE = env.DB;

/** A bucket in a database, whose object `a` contains the bucket's name. */
async function publicBucketIn(database: string): Promise<string> {
  const bucket = await bucketIn(database);
  expect(await databasesOf(bucket)).toEqual([database]);
  await putPolicy(bucket, publicReadPolicy(bucket));
  await putAll(bucket, { a: bucket });
  return bucket;
}

function freshHost(): string {
  return `${freshBucketName()}.${WILDCARD}`;
}

async function claim(bucket: string, hosts: readonly string[], more: RequestScope = {}): Promise<Response> {
  const elements = hosts.map((host) => `<Host>${host}</Host>`).join("");
  const body = `<DeliveryConfiguration>${elements}</DeliveryConfiguration>`;
  return send("PUT", `/${bucket}?delivery`, { body }, { ...scope, ...more });
}

async function claimedHosts(bucket: string): Promise<string[]> {
  const { results } = await DATABASE.prepare("SELECT host FROM delivery_hosts WHERE bucket_name = ? ORDER BY host")
    .bind(bucket)
    .all<{ host: string }>();
  return results.map(({ host }) => host);
}

async function expectTaken(bucket: string, host: string): Promise<void> {
  const fields = { Host: host };
  await expectS3Error(await claim(bucket, [host]), { status: 409, code: "DeliveryHostAlreadyInUse", fields });
}

describe.each(NAMES)("a bucket in %s", (database) => {
  it("is delivered by a host of the setting, by its name and by a host that it claims", async () => {
    const bucket = await publicBucketIn(database);
    expect(await seen(siteOf(bucket), "/a")).toEqual([200, bucket]);
    await putWebsite(bucket, websiteDocument());
    expect(await seen({ host: `${bucket}.${WILDCARD}`, scope }, "/a")).toEqual([200, bucket]);
    const host = freshHost();
    expect((await claim(bucket, [host])).status).toBe(200);
    // An isolate that has never seen the bucket.
    discardLocation(bucket);
    expect(await seen({ host, scope }, "/a")).toEqual([200, bucket]);
    await putAll(bucket, { a: "new" });
    expect((await send("POST", `/${bucket}?purge`)).status).toBe(200);
    expect(await seen({ host, scope }, "/a")).toEqual([200, "new"]);
  });

  it("has its claimed hosts alone until its configuration or the bucket is deleted", async () => {
    const bucket = await publicBucketIn(database);
    const others = await Promise.all(NAMES.map(publicBucketIn));
    const [one, two] = [freshHost(), freshHost()];
    expect((await claim(bucket, [one, two])).status).toBe(200);
    expect((await claim(bucket, [one, two])).status).toBe(200);
    for (const other of others) await expectTaken(other, one);
    expect((await claim(bucket, [two])).status).toBe(200);
    for (const other of others) {
      await expectTaken(other, two);
      expect((await claim(other, [one])).status).toBe(200);
      expect(await claimedHosts(other)).toEqual([one]);
      expect((await send("DELETE", `/${other}?delivery`)).status).toBe(204);
      expect(await claimedHosts(other)).toEqual([]);
    }
    await send("DELETE", `/${bucket}/a`);
    expect((await send("DELETE", `/${bucket}`)).status).toBe(204);
    const [heir = ""] = others;
    expect((await claim(heir, [two])).status).toBe(200);
    expect(await seen({ host: two, scope }, "/a")).toEqual([200, heir]);
  });

  it("cannot claim the name of a bucket in any database, and can claim its own", async () => {
    const bucket = await publicBucketIn(database);
    for (const other of NAMES) await expectTaken(bucket, `${await bucketIn(other)}.${WILDCARD}`);
    const own = `${bucket}.${WILDCARD}`;
    expect((await claim(bucket, [own])).status).toBe(200);
    expect(await seen({ host: own, scope }, "/a")).toEqual([200, bucket]);
  });
});

describe("concurrent claims", () => {
  it("of one host by buckets in all databases: one is stored, and its bucket is delivered", async () => {
    const buckets = await Promise.all([...NAMES, ...NAMES].map(publicBucketIn));
    const host = freshHost();
    const statuses = await Promise.all(buckets.map(async (bucket) => (await claim(bucket, [host])).status));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(buckets.length - 1);
    expect(await seen({ host, scope }, "/a")).toEqual([200, buckets[statuses.indexOf(200)]]);
  });

  it("of different hosts by one bucket: the claims are those of the stored configuration", async () => {
    const bucket = await publicBucketIn("META_1");
    const hosts = Array.from({ length: 4 }, freshHost);
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(hosts.map(async (host, index) => claim(bucket, [host, hosts[(index + round) % 4] ?? host])));
      const stored = await (await send("GET", `/${bucket}?delivery`)).text();
      const configured = hosts.filter((host) => stored.includes(host)).toSorted();
      const claimed = await claimedHosts(bucket);
      expect(configured.filter((host) => !claimed.includes(host))).toEqual([]);
      await runPass(completePlacements, Date.now() + HOUR_MS);
      expect(await claimedHosts(bucket)).toEqual(configured);
    }
  });
});

describe("a crash", () => {
  it("between the claim and the configuration delivers nothing; the job or another attempt ends it", async () => {
    const [bucket, other] = [await publicBucketIn("META_1"), await publicBucketIn("META_2")];
    const [host, again] = [freshHost(), freshHost()];
    const lost = failing("META_1", failingAt("UPDATE buckets SET delivery", connectionLost));
    expect((await claim(bucket, [host, again], lost)).status).toBeGreaterThanOrEqual(500);
    expect((await visit({ host, scope }, "/a")).status).toBe(404);
    await expectTaken(other, host);
    expect((await claim(bucket, [again])).status).toBe(200);
    expect((await claim(other, [host])).status).toBe(200);
    const unconfirmed = freshHost();
    expect((await claim(bucket, [unconfirmed], lost)).status).toBeGreaterThanOrEqual(500);
    await runPass(completePlacements, Date.now());
    await expectTaken(other, unconfirmed);
    await runPass(completePlacements, Date.now() + HOUR_MS);
    expect(await claimedHosts(bucket)).toEqual([again]);
    expect((await claim(other, [unconfirmed])).status).toBe(200);
  });

  it("between the configuration and the release delivers the new hosts; the job releases the old ones", async () => {
    const bucket = await publicBucketIn("META_1");
    const [before, after] = [freshHost(), freshHost()];
    await claim(bucket, [before]);
    const lost = failing("DB", failingAt("DELETE FROM delivery_hosts", connectionLost));
    expect((await claim(bucket, [after], lost)).status).toBe(200);
    expect((await visit({ host: before, scope }, "/a")).status).toBe(404);
    expect(await seen({ host: after, scope }, "/a")).toEqual([200, bucket]);
    await runPass(completePlacements, Date.now() + HOUR_MS);
    expect(await claimedHosts(bucket)).toEqual([after]);
  });
});

describe("the job complete-placements", () => {
  it("claims again what the first database has lost, unless another bucket has claimed it since", async () => {
    const [bucket, other] = [await publicBucketIn("META_1"), await publicBucketIn("META_2")];
    const [lost, taken] = [freshHost(), freshHost()];
    await claim(bucket, [lost, taken]);
    await DATABASE.prepare("DELETE FROM delivery_hosts WHERE bucket_name = ?").bind(bucket).run();
    expect((await claim(other, [taken])).status).toBe(200);
    expect((await visit({ host: lost, scope }, "/a")).status).toBe(404);
    await runPass(completePlacements, Date.now() + HOUR_MS);
    expect([await claimedHosts(bucket), await claimedHosts(other)]).toEqual([[lost], [taken]]);
    expect(await seen({ host: taken, scope }, "/a")).toEqual([200, other]);
  });
});
