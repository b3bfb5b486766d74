// How many reads of D1 and R2 a load costs in which few keys are hot: the S3 endpoint asks D1 each time and R2 once for each
// object; a delivery host asks each once for each object and lifetime.
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";

import { zipfReads } from "../bench/edge/zipf.ts";
import { send } from "../support/client.ts";
import { CountingD1, publicSite, textOf, visit, type Site } from "../support/delivery.ts";
import { freshLocation, get } from "../support/edge-cache.ts";
import { r2With } from "../support/faults.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";

storeBodiesInBlobs();

const KEYS = 40;
const READS = 240;
const SEQUENCE = zipfReads(KEYS, READS);
const DISTINCT = new Set(SEQUENCE).size;

afterEach(() => {
  vi.useRealTimers();
});

function countingR2(): { readonly BLOBS: R2Bucket; readonly reads: () => number } {
  let reads = 0;
  const BLOBS = r2With({
    get: async (key, options) => {
      reads += 1;
      return env.BLOBS.get(key, options);
    },
  });
  return { BLOBS, reads: () => reads };
}

async function siteWithKeys(cacheControl?: string): Promise<Site> {
  const site = await publicSite();
  const headers = cacheControl === undefined ? {} : { "cache-control": cacheControl };
  for (let key = 0; key < KEYS; key += 1) await send("PUT", `/${site.bucket}/${key}`, { body: `${key}`, headers });
  return site;
}

/** Visits the sequence's keys at this rate, and returns the reads of D1 and R2. */
async function visitAll(site: Site, readsPerSecond: number): Promise<{ readonly d1: number; readonly r2: number }> {
  const d1 = new CountingD1();
  const { BLOBS, reads } = countingR2();
  const scope = { DB: d1.DB, BLOBS, ...freshLocation() };
  const start = Date.now();
  for (const [index, key] of SEQUENCE.entries()) {
    vi.useFakeTimers({ toFake: ["Date"], now: start + Math.floor(index / readsPerSecond) * 1000 });
    const response = await visit(site, `/${key}`, { scope });
    expect([response.status, await textOf(response)]).toEqual([200, `${key}`]);
  }
  return { d1: d1.batches, r2: reads() };
}

describe("a load by Zipf's law", () => {
  it("reads few of its keys often and most of them rarely", () => {
    const counts = Array.from({ length: KEYS }, (_, key) => SEQUENCE.filter((read) => read === key).length);
    expect(counts[0]).toBeGreaterThan(READS / 8);
    expect(counts.slice(KEYS / 2).every((count) => count < READS / 40)).toBe(true);
    expect(zipfReads(KEYS, READS)).toEqual(SEQUENCE);
  });

  it("costs the S3 endpoint one read of D1 for each GET and one of R2 for each object", async () => {
    const { bucket } = await siteWithKeys();
    const d1 = new CountingD1();
    const { BLOBS, reads } = countingR2();
    const scope = { DB: d1.DB, BLOBS, ...freshLocation() };
    for (const key of SEQUENCE) expect((await get(`/${bucket}/${key}`, {}, scope)).text).toBe(`${key}`);
    expect([d1.batches, reads()]).toEqual([READS, DISTINCT]);
  });

  it("costs a delivery host one read of each for each object, within one lifetime", async () => {
    expect(await visitAll(await siteWithKeys(), READS)).toEqual({ d1: DISTINCT, r2: DISTINCT });
  });

  it("costs a delivery host further reads of D1 only as lifetimes end, and none of R2", async () => {
    const perSecond = 12;
    const { d1, r2 } = await visitAll(await siteWithKeys(), perSecond);
    // Each key is read again at most every 5 seconds.
    const lifetimes = SEQUENCE.map((key, index) => `${key} ${Math.floor(index / perSecond / 5)}`);
    expect(d1).toBeGreaterThan(DISTINCT);
    expect(d1).toBeLessThanOrEqual(new Set(lifetimes).size + READS / perSecond / 5);
    expect(r2).toBe(DISTINCT);
  });

  it("costs a delivery host one read of the bucket every 5 seconds where objects live long", async () => {
    const perSecond = 12;
    const { d1, r2 } = await visitAll(await siteWithKeys("max-age=86400"), perSecond);
    expect(d1).toBeLessThanOrEqual(DISTINCT + READS / perSecond / 5);
    expect(r2).toBe(DISTINCT);
  });
});
