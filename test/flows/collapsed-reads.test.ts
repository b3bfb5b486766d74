// Concurrent requests for an object that no cache has: one of them reads D1 and the blob store for all.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { send, type RequestScope } from "../support/client.ts";
import { CountingD1, publicSite, textOf, visit, type Site } from "../support/delivery.ts";
import { freshLocation, get } from "../support/edge-cache.ts";
import { d1With, r2With } from "../support/faults.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";

storeBodiesInBlobs();

const READERS = 100;

function countingR2(pauseMs = 5): { readonly BLOBS: R2Bucket; readonly reads: () => number } {
  let reads = 0;
  const BLOBS = r2With({
    get: async (key, options) => {
      reads += 1;
      await scheduler.wait(pauseMs);
      return env.BLOBS.get(key, options);
    },
  });
  return { BLOBS, reads: () => reads };
}

async function visitTogether(site: Site, target: string, scope: RequestScope, count = READERS): Promise<string[]> {
  const visits = Array.from({ length: count }, async () => {
    const response = await visit(site, target, { scope });
    return `${response.status} ${await textOf(response)}`;
  });
  return Promise.all(visits);
}

describe("concurrent cold reads of a delivery host", () => {
  it("cost one read of D1 and one of R2", async () => {
    const site = await publicSite({ a: "text" });
    const counting = new CountingD1();
    const { BLOBS, reads } = countingR2();
    const seen = await visitTogether(site, "/a", { DB: counting.DB, BLOBS, ...freshLocation() });
    expect(new Set(seen)).toEqual(new Set(["200 text"]));
    expect([counting.batches, reads()]).toEqual([1, 1]);
  });

  it("of a known bucket's next object cost one more of each", async () => {
    const site = await publicSite({ a: "1", b: "2" });
    await visit(site, "/a");
    const counting = new CountingD1();
    const { BLOBS, reads } = countingR2();
    const seen = await visitTogether(site, "/b", { DB: counting.DB, BLOBS, ...freshLocation() });
    expect(new Set(seen)).toEqual(new Set(["200 2"]));
    expect([counting.batches, reads()]).toEqual([1, 1]);
  });

  it("of a missing key cost one read of D1", async () => {
    const site = await publicSite();
    const counting = new CountingD1();
    const seen = await visitTogether(site, "/none", { DB: counting.DB });
    expect(seen.every((answer) => answer.startsWith("404"))).toBe(true);
    expect(counting.batches).toBe(1);
  });

  it("of an object that no cache may have ask D1 each", async () => {
    const site = await publicSite({ first: "" });
    await send("PUT", `/${site.bucket}/k`, { body: "x", headers: { "cache-control": "private" } });
    await visit(site, "/first");
    let statements = 0;
    const DB = d1With(async (sql, read) => {
      statements += sql.filter((text) => text.includes("objects")).length;
      return read();
    });
    expect(await visitTogether(site, "/k", { DB }, 10)).toEqual(Array.from({ length: 10 }, () => "200 x"));
    expect(statements).toBeGreaterThanOrEqual(10);
  });

  it("succeed though the read that they wait for fails or never ends", async () => {
    for (const fault of [() => Promise.reject(new Error("lost")), () => new Promise<never>(() => {})]) {
      const site = await publicSite({ a: "text" });
      let calls = 0;
      const DB = d1With(async (_sql, read) => {
        calls += 1;
        return calls === 1 ? fault() : read();
      });
      visit(site, "/a", { scope: { DB } }).catch(() => undefined);
      await scheduler.wait(20);
      const others = await visitTogether(site, "/a", { DB }, 5);
      expect(others).toEqual(Array.from({ length: 5 }, () => "200 text"));
    }
  });

  it("decide for each visitor", async () => {
    const site = await publicSite({ a: "text" });
    const Statement = {
      Effect: "Allow",
      Principal: "*",
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${site.bucket}/*`,
      Condition: { StringEquals: { "aws:Referer": "https://friend.example" } },
    };
    const body = JSON.stringify({ Version: "2012-10-17", Statement });
    expect((await send("PUT", `/${site.bucket}?policy`, { body })).status).toBe(204);
    const referers = Array.from(
      { length: 20 },
      (_, index) => `https://${index % 2 === 0 ? "friend" : "other"}.example`,
    );
    const statuses = await Promise.all(
      referers.map(async (referer) => (await visit(site, "/a", { headers: { referer } })).status),
    );
    expect(statuses).toEqual(referers.map((_, index) => (index % 2 === 0 ? 200 : 403)));
  });
});

describe("concurrent cold reads of the S3 endpoint", () => {
  it("of a small object cost one read of R2, and each is authorised", async () => {
    const { bucket } = await publicSite({ a: "text" });
    const { BLOBS, reads } = countingR2();
    const scope = { BLOBS, ...freshLocation() };
    const answers = await Promise.all(Array.from({ length: READERS }, async () => get(`/${bucket}/a`, {}, scope)));
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(["text"]));
    expect(reads()).toBe(1);
  });

  it("of different ranges cost one read of R2 and return their own bytes", async () => {
    const { bucket } = await publicSite({ a: "0123456789" });
    const { BLOBS, reads } = countingR2();
    const scope = { BLOBS, ...freshLocation() };
    const texts = await Promise.all(
      Array.from({ length: 10 }, async (_, at) => {
        return (await get(`/${bucket}/a`, { headers: { range: `bytes=${at}-${at}` } }, scope)).text;
      }),
    );
    expect([texts.join(""), reads()]).toEqual(["0123456789", 1]);
  });
});
