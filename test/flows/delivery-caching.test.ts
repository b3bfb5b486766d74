import { afterEach, describe, expect, it, vi } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { CountingD1, publicSite, seen, siteOf, textOf, visit, type Site } from "../support/delivery.ts";
import { freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { publicReadPolicy, putPolicy, putPublicAccessBlock } from "../support/policies.ts";

const START = Date.now();

/** Sets the clock of the requests to seconds after the start. */
function at(seconds: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: START + seconds * 1000 });
}

afterEach(() => {
  vi.useRealTimers();
});

/** Visits a target a number of times and returns how often D1 was asked. */
async function costOfHits(site: Site, target: string, hits: number): Promise<number> {
  const counting = new CountingD1();
  for (let hit = 0; hit < hits; hit += 1) {
    const response = await visit(site, target, { scope: { DB: counting.DB } });
    expect(response.status).toBe(200);
    await response.arrayBuffer();
  }
  return counting.batches;
}

describe("hits of a hot object", () => {
  it("cost one read of D1 per lifetime", async () => {
    const site = await publicSite({ hot: "text" });
    at(0);
    expect(await costOfHits(site, "/hot", 500)).toBe(1);
    at(4.9);
    expect(await costOfHits(site, "/hot", 100)).toBe(0);
    at(6);
    expect(await costOfHits(site, "/hot", 100)).toBe(1);
    at(40);
    expect(await costOfHits(site, "/hot", 100)).toBe(1);
  });

  it("of an immutable object cost only the reads of the bucket's epoch", async () => {
    const site = await publicSite();
    const headers = { "cache-control": "public, max-age=31536000, immutable" };
    await send("PUT", `/${site.bucket}/app.js`, { body: "1", headers });
    at(0);
    expect(await costOfHits(site, "/app.js", 3)).toBe(1);
    await send("PUT", `/${site.bucket}/app.js`, { body: "2", headers });
    for (const seconds of [6, 12, 18, 24, 30]) {
      at(seconds);
      expect(await costOfHits(site, "/app.js", 20)).toBe(1);
    }
    const response = await visit(site, "/app.js");
    expect(await textOf(response)).toBe("1");
    expect(response.headers.get("age")).toBe("30");
    expect(response.headers.get("x-cairn-staleness-bound")).toBe("31536000");
    expect(response.headers.get("cache-control")).toBe(headers["cache-control"]);
  });

  it("cost one read each where the object forbids shared caches, or the setting disables them", async () => {
    const site = await publicSite({ plain: "x" });
    for (const value of ["private", "no-store", "no-cache", "max-age=0", "s-maxage=0, max-age=60", "max-age=x"]) {
      await send("PUT", `/${site.bucket}/k`, { body: "x", headers: { "cache-control": value } });
      at(0);
      expect(await costOfHits(site, "/k", 4), value).toBe(4);
      await send("POST", `/${site.bucket}?purge`);
    }
    const scope = { ...site.scope, DELIVERY_CACHE_SECONDS: "0" };
    expect(await costOfHits({ ...site, scope }, "/plain", 3)).toBe(3);
  });

  it("of a missing key cost one read per lifetime", async () => {
    const site = await publicSite();
    const counting = new CountingD1();
    at(0);
    for (let hit = 0; hit < 20; hit += 1) {
      expect((await visit(site, "/none", { scope: { DB: counting.DB } })).status).toBe(404);
    }
    expect(counting.batches).toBe(1);
  });

  it("of a missing bucket cost one read per lifetime", async () => {
    const site = siteOf(freshBucketName());
    const counting = new CountingD1();
    at(0);
    for (let hit = 0; hit < 20; hit += 1) {
      expect((await visit(site, "/none", { scope: { DB: counting.DB } })).status).toBe(404);
    }
    expect(counting.batches).toBe(1);
  });
});

describe("the bytes of a hot object", () => {
  it("come from the edge cache, without a read of the blob store", async () => {
    const site = await publicSite({ hot: "text" });
    expect((await visit(site, "/hot")).headers.get("x-cache")).toBe("MISS");
    const hit = await visit(site, "/hot");
    expect([hit.headers.get("x-cache"), await textOf(hit)]).toEqual(["HIT", "text"]);
    expect(costOf(hit)).toMatchObject({ roundTrips: 0, blobCalls: 0, coordinatorCalls: 0 });
  });
});

describe("staleness", () => {
  it("ends at the bound: after a write, a deletion and a creation", async () => {
    const site = await publicSite({ a: "1", b: "1" });
    at(0);
    expect(await seen(site, "/a")).toEqual([200, "1"]);
    expect(await seen(site, "/b")).toEqual([200, "1"]);
    expect((await visit(site, "/c")).status).toBe(404);
    await putAll(site.bucket, { a: "2", c: "new" });
    await send("DELETE", `/${site.bucket}/b`);
    at(4);
    const stale = await visit(site, "/a");
    expect(await textOf(stale)).toBe("1");
    expect(stale.headers.get("age")).toBe("4");
    expect(stale.headers.get("x-cairn-staleness-bound")).toBe("10");
    at(10);
    expect(await seen(site, "/a")).toEqual([200, "2"]);
    expect((await visit(site, "/b")).status).toBe(404);
    expect(await seen(site, "/c")).toEqual([200, "new"]);
  });

  it("is refreshed in the background between the lifetime and the bound", async () => {
    const site = await publicSite({ a: "1" });
    at(0);
    await visit(site, "/a");
    await putAll(site.bucket, { a: "2" });
    at(6);
    expect(await seen(site, "/a")).toEqual([200, "1"]);
    expect(await seen(site, "/a")).toEqual([200, "2"]);
  });

  it("of a policy ends at the bound, whatever the object's own lifetime", async () => {
    const site = await publicSite();
    await send("PUT", `/${site.bucket}/k`, { body: "x", headers: { "cache-control": "max-age=86400" } });
    at(0);
    expect((await visit(site, "/k")).status).toBe(200);
    await putPublicAccessBlock(site.bucket, "RestrictPublicBuckets");
    at(10);
    expect((await visit(site, "/k")).status).toBe(403);
    await putPublicAccessBlock(site.bucket);
    at(20);
    expect((await visit(site, "/k")).status).toBe(200);
    await send("DELETE", `/${site.bucket}?policy`);
    at(30);
    expect((await visit(site, "/k")).status).toBe(403);
  });

  it("never outlives the bucket: a new bucket of the name shares nothing with it", async () => {
    const site = await publicSite();
    await send("PUT", `/${site.bucket}/k`, { body: "old", headers: { "cache-control": "max-age=86400" } });
    at(0);
    await visit(site, "/k");
    await send("DELETE", `/${site.bucket}/k`);
    await send("DELETE", `/${site.bucket}`);
    await send("PUT", `/${site.bucket}`);
    await putPolicy(site.bucket, publicReadPolicy(site.bucket));
    at(10);
    expect((await visit(site, "/k")).status).toBe(404);
  });
});

describe("a purge", () => {
  it("makes writes, deletions and policies count at once", async () => {
    const site = await publicSite();
    const headers = { "cache-control": "max-age=31536000" };
    for (const key of ["a", "b", "c"]) await send("PUT", `/${site.bucket}/${key}`, { body: "1", headers });
    at(0);
    for (const key of ["a", "b", "c"]) expect(await seen(site, `/${key}`)).toEqual([200, "1"]);
    await send("PUT", `/${site.bucket}/a`, { body: "2", headers });
    await send("DELETE", `/${site.bucket}/b`);
    expect(await seen(site, "/a")).toEqual([200, "1"]);
    const purge = await send("POST", `/${site.bucket}?purge`);
    expect(purge.status).toBe(200);
    expect(await seen(site, "/a")).toEqual([200, "2"]);
    expect((await visit(site, "/b")).status).toBe(404);
    await send("DELETE", `/${site.bucket}?policy`);
    expect((await visit(site, "/c")).status).toBe(200);
    await send("POST", `/${site.bucket}?purge`);
    expect((await visit(site, "/c")).status).toBe(403);
  });
});
