// Entries of a delivery host's cache cannot be confused: by similar keys, by headers that claim something, or by the method, range
// and conditions of the request that filled them.
import { describe, expect, it } from "vitest";

import { CountingD1, publicSite, textOf, visit, type Site } from "../support/delivery.ts";
import { NO_BLOBS } from "../support/edge-cache.ts";
import { putAll } from "../support/fresh-bucket.ts";

const SIMILAR = [
  "a",
  "a/",
  "/a",
  "//a",
  "a//b",
  "a/./b",
  "a/../a",
  "%2e",
  "%2E",
  "A",
  "a.",
  "a..",
  "a?",
  "a%00",
  "a+",
  "a ",
];

/** Visits an object that the location knows: neither D1 nor the blob store is asked. */
async function visitCached(site: Site, target: string): Promise<Response> {
  const counting = new CountingD1();
  const response = await visit(site, target, { scope: { ...NO_BLOBS, DB: counting.DB } });
  expect([counting.batches, response.headers.get("x-cache")]).toEqual([0, "HIT"]);
  return response;
}

describe("a cached answer of a delivery host", () => {
  it("is of its own key beside similar ones", async () => {
    const site = await publicSite(Object.fromEntries(SIMILAR.map((key) => [key, `text of ${key}`])));
    const targets = SIMILAR.map((key) => `/${encodeURIComponent(key)}`);
    for (const target of targets) expect((await visit(site, target)).status, target).toBe(200);
    for (const [index, target] of targets.entries()) {
      expect(await textOf(await visitCached(site, target)), target).toBe(`text of ${SIMILAR[index]}`);
    }
  });

  it.each([
    ["X-Forwarded-Host", "evil.example"],
    ["X-Forwarded-Proto", "http"],
    ["X-Original-URL", "/other"],
    ["X-Cache", "HIT"],
    ["Age", "9"],
    ["Cookie", "a=b"],
    ["Vary", "*"],
    ["CF-Cache-Status", "HIT"],
    ["Cache-Control", "no-store"],
    ["Pragma", "no-cache"],
    ["Accept-Encoding", "gzip"],
    ["Accept-Language", "de"],
    ["Authorization", "Bearer x"],
    ["Origin", "https://evil.example"],
    ["X-Amz-Request-Payer", "requester"],
    ["X-Cairn-No-Fill", "1"],
  ])("is the same for a visit with %s", async (name, value) => {
    const site = await publicSite({ k: "text", other: "y" });
    const cold = await visit(site, "/k", { headers: { [name]: value } });
    expect([cold.status, cold.headers.get("x-cache"), await textOf(cold)]).toEqual([200, "MISS", "text"]);
    const warm = await visitCached(site, "/k");
    expect(await textOf(warm)).toBe("text");
    const headers = JSON.stringify(Array.from(warm.headers));
    expect(headers).not.toMatch(/evil\.example|set-cookie|access-control/);
  });

  it.each([
    ["HEAD", { method: "HEAD" }],
    ["a range", { headers: { range: "bytes=1-2" } }],
    ["several ranges", { headers: { range: "bytes=0-0,2-2" } }],
    ["a range that contains no byte", { headers: { range: "bytes=9-" } }],
    ["a condition that holds for nothing", { headers: { "if-none-match": "*" } }],
    ["a condition that fails", { headers: { "if-match": '"other"' } }],
    ["a preflight", { method: "OPTIONS" }],
  ])("is whole after %s", async (_, first) => {
    const site = await publicSite({ k: "text" });
    await (await visit(site, "/k", first)).arrayBuffer();
    for (let turn = 0; turn < 2; turn += 1) {
      const response = await visit(site, "/k");
      expect([response.status, response.headers.get("content-length"), await textOf(response)]).toEqual([
        200,
        "4",
        "text",
      ]);
    }
  });

  it("is shared by the spellings of a host, with its bytes", async () => {
    const site = await publicSite({ k: "bytes" });
    expect(await textOf(await visit(site, "/k"))).toBe("bytes");
    const spellings = [site.host.toUpperCase(), `${site.host}.`, `${site.host}:8080`, `${site.host}.:80`];
    for (const host of spellings) {
      expect(await textOf(await visitCached({ ...site, host }, "/k")), host).toBe("bytes");
    }
  });

  it("of one host is not another's, although both deliver the same path", async () => {
    const [own, other] = [await publicSite({ k: "own" }), await publicSite({ k: "other" })];
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await textOf(await visit(own, "/k"))).toBe("own");
      expect(await textOf(await visit(other, "/k"))).toBe("other");
    }
  });

  it("of a parameter that has no effect is the object's", async () => {
    const site = await publicSite({ k: "text" });
    await putAll(site.bucket, { "k?acl": "other" });
    for (const query of ["?acl", "?uploads", "?x=1", "?prefix=k", "?%2e", "?%"]) {
      expect(await textOf(await visit(site, `/k${query}`)), query).toBe("text");
    }
    expect(await textOf(await visitCached(site, "/k"))).toBe("text");
  });
});
