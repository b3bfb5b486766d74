import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";

import { send } from "../support/client.ts";
import { publicSite, seen } from "../support/delivery.ts";
import { d1With } from "../support/faults.ts";
import { putAll } from "../support/fresh-bucket.ts";

const START = Date.now();

function at(seconds: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: START + seconds * 1000 });
}

afterEach(() => {
  vi.useRealTimers();
});

/** A D1 whose replica returns what it returned first, for ever. */
function laggingReplica(): { readonly DB: D1Database; readonly reads: () => number } {
  let reads = 0;
  let frozen: D1Result[] | undefined;
  const replica = d1With(async (_sql, read) => {
    reads += 1;
    frozen ??= await read();
    return frozen;
  });
  const withSession = (): D1Database => replica;
  return {
    DB: Object.assign(
      d1With(async (_sql, read) => read()),
      { withSession },
    ),
    reads: () => reads,
  };
}

describe("a read replica", () => {
  it("answers for objects with its lag, and never with a state from before a purge", async () => {
    expect(typeof env.DB.withSession).toBe("function");
    const site = await publicSite({ a: "a" });
    await send("PUT", `/${site.bucket}/b`, { body: "1", headers: { "cache-control": "max-age=1" } });
    const { DB, reads } = laggingReplica();
    const scope = { DELIVERY_READS: "replica", DB };
    at(0);
    expect(await seen(site, "/a", { scope })).toEqual([200, "a"]);
    expect(reads()).toBe(0);
    expect(await seen(site, "/b", { scope })).toEqual([200, "1"]);
    expect(reads()).toBe(1);
    await putAll(site.bucket, { b: "2" });
    at(3);
    expect(await seen(site, "/b", { scope })).toEqual([200, "1"]);
    expect(reads()).toBe(2);
    await send("POST", `/${site.bucket}?purge`);
    expect(await seen(site, "/a", { scope })).toEqual([200, "a"]);
    expect(await seen(site, "/b", { scope })).toEqual([200, "2"]);
    expect(reads()).toBe(3);
  });

  it("is not asked where the setting names the primary", async () => {
    const site = await publicSite({ a: "a", b: "b" });
    const { DB, reads } = laggingReplica();
    for (const target of ["/a", "/b"]) expect((await seen(site, target, { scope: { DB } }))[0]).toBe(200);
    expect(reads()).toBe(0);
  });
});
