// Delivery hosts and small bodies: they are cached like other bytes, from the database and from packs.
import { describe, expect, it } from "vitest";

import { packSmallBlobs } from "../../src/jobs/pack-small-blobs.ts";
import { presigned, send, deliver } from "../support/client.ts";
import { publicSite, seen, siteOf, textOf, visit } from "../support/delivery.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { INLINE, smallBlobsOf } from "../support/inline.ts";
import { runPass } from "../support/jobs.ts";
import { CountingD1 } from "../support/delivery.ts";

const DAY_MS = 86_400_000;
const NOON = Math.ceil(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;

describe("a small body on a delivery host", () => {
  it("is delivered with one read of D1 and then from the cache, without D1 while its facts are fresh", async () => {
    const site = await publicSite();
    const headers = { "cache-control": "max-age=60", "content-type": "text/plain" };
    await send("PUT", `/${site.bucket}/k`, { body: "small", headers }, INLINE);
    const first = new CountingD1();
    expect(await seen(site, "/k", { scope: { DB: first.DB } })).toEqual([200, "small"]);
    expect(first.batches).toBe(1);
    const counting = new CountingD1();
    const again = await visit(site, "/k", { scope: { DB: counting.DB } });
    expect([again.headers.get("x-cache"), await textOf(again)]).toEqual(["HIT", "small"]);
    expect(counting.batches).toBe(0);
    expect(await seen(site, "/k", { headers: { range: "bytes=1-2" } })).toEqual([206, "ma"]);
  });

  it("is delivered from a pack, also by those who learned of it before it was packed", async () => {
    const site = await publicSite();
    for (const key of ["a", "b"]) {
      const headers = { "cache-control": "max-age=60" };
      await send("PUT", `/${site.bucket}/${key}`, { body: `body of ${key}`, headers }, INLINE);
    }
    const head = await visit(site, "/a", { method: "HEAD" });
    expect(head.status).toBe(200);
    await runPass(packSmallBlobs, NOON);
    expect((await smallBlobsOf(site.bucket)).every(({ pack_id }) => pack_id !== null)).toBe(true);
    expect(await seen(site, "/a")).toEqual([200, "body of a"]);
    expect(await seen(site, "/b")).toEqual([200, "body of b"]);
  });

  it("is delivered to presigned requests", async () => {
    const site = siteOf(await freshBucket());
    await send("PUT", `/${site.bucket}/k`, { body: "small" }, INLINE);
    const request = await presigned("GET", "/k", { endpoint: `http://${site.host}` });
    const response = await deliver(request, site.scope);
    expect([response.status, await textOf(response)]).toEqual([200, "small"]);
  });
});
