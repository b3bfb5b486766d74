// The requests to a delivery host whose calls are counted: without anything cached, with everything cached, and presigned.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { BUCKET, DELIVERY_HOST, type CountedOperation, type Site } from "./site.ts";

/** Cached answers outlive the count. */
const SETTINGS = { EDGE_CACHE: "cache-api", DELIVERY: `${DELIVERY_HOST}=${BUCKET}`, DELIVERY_CACHE_SECONDS: "3600" };
const FILL_MS = 50;
const INDEX = "index.html";
const KEY = "existing";

/** Stores an object that everyone may read, in a bucket of which the location knows nothing. */
async function publish(site: Site, key: string): Promise<void> {
  const Statement = [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${BUCKET}/*` }];
  await site.send("PUT", "?policy", { body: JSON.stringify({ Version: "2012-10-17", Statement }) });
  await site.put(key);
  await site.send("POST", "?purge");
}

async function untilHit(read: () => Promise<{ readonly cache: string }>): Promise<void> {
  // The first reads fill the caches in the background.
  while ((await read()).cache !== "HIT") await sleep(FILL_MS);
}

function operation(
  given: Pick<CountedOperation, "id" | "title" | "r2" | "s3">,
  prepare: (site: Site) => Promise<() => Promise<{ readonly cache: string }>>,
  cache: "HIT" | "MISS",
): CountedOperation {
  return {
    ...given,
    settings: SETTINGS,
    prepare: async (site) => {
      const read = await prepare(site);
      return async () => assert.equal((await read()).cache, cache);
    },
  };
}

export const DELIVERY_OPERATIONS: readonly CountedOperation[] = [
  operation(
    { id: "delivery-hit", title: "GET of a delivery host, cached", r2: "delivered", s3: "delivered" },
    async (site) => {
      await publish(site, KEY);
      await untilHit(async () => site.visit(`/${KEY}`));
      return async () => site.visit(`/${KEY}`);
    },
    "HIT",
  ),
  operation(
    { id: "delivery-miss", title: "GET of a delivery host, not cached", r2: "fetched", s3: "fetched" },
    async (site) => {
      await publish(site, KEY);
      return async () => site.visit(`/${KEY}`);
    },
    "MISS",
  ),
  operation(
    { id: "delivery-index", title: "GET of a website's index, not cached", r2: "none", s3: "fetched" },
    async (site) => {
      const body = `<WebsiteConfiguration><IndexDocument><Suffix>${INDEX}</Suffix></IndexDocument></WebsiteConfiguration>`;
      await site.send("PUT", "?website", { body });
      await publish(site, INDEX);
      return async () => site.visit("/");
    },
    "MISS",
  ),
  operation(
    { id: "delivery-presigned", title: "presigned GET of a delivery host, bytes cached", r2: "read", s3: "fetched" },
    async (site) => {
      await site.put(KEY);
      const read = await site.presign(`/${KEY}`);
      await untilHit(read);
      return read;
    },
    "HIT",
  ),
];
