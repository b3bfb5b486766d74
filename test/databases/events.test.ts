// Events of buckets in different databases: each database has its own outbox, and the job delivers from all of them.
import { afterEach, describe, expect, it, vi } from "vitest";

import { deliverDueEvents } from "../../src/jobs/deliver-events.ts";
import { purgeOldEvents } from "../../src/jobs/purge-events.ts";
import { send } from "../support/client.ts";
import { BINDINGS, bucketIn } from "../support/databases.ts";
import { EVENT_SCOPE, eventsOf, EVERYTHING, notificationXml, ruleXml, WEBHOOK_ARN } from "../support/events.ts";
import { runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";

const HOUR_MS = 3_600_000;
const DATABASES = ["DB", "META_1", "META_2"];

afterEach(() => {
  vi.restoreAllMocks();
});

/** The keys of the events that the webhook gets, by bucket. */
function received(): Map<string, string[]> {
  const keys = new Map<string, string[]>();
  vi.spyOn(globalThis, "fetch").mockImplementation(async (_url, init) => {
    const body = typeof init?.body === "string" ? init.body : "{}";
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { Records: records = [] } = JSON.parse(body) as {
      readonly Records?: readonly { readonly s3: { bucket: { name: string }; object: { key: string } } }[];
    };
    for (const { s3 } of records) keys.set(s3.bucket.name, [...(keys.get(s3.bucket.name) ?? []), s3.object.key]);
    return Promise.resolve(new Response());
  });
  return keys;
}

async function notifyingIn(database: string): Promise<string> {
  const bucket = await bucketIn(database);
  const body = notificationXml(ruleXml({ arn: WEBHOOK_ARN, id: "r", events: ["s3:ObjectCreated:*"] }), EVERYTHING);
  expect((await send("PUT", `/${bucket}?notification`, { body }, EVENT_SCOPE)).status).toBe(200);
  return bucket;
}

describe("events of buckets in each database", () => {
  it("are recorded where the bucket is, and delivered after the request", async () => {
    const keys = received();
    for (const name of DATABASES) {
      const bucket = await notifyingIn(name);
      for (const key of ["a", "b"]) await send("PUT", `/${bucket}/${key}`, { body: "x" }, EVENT_SCOPE);
      expect([name, keys.get(bucket)]).toEqual([name, ["a", "b"]]);
      expect(await eventsOf(bucket)).toEqual(["ObjectCreated:Put a", "ObjectCreated:Put b"]);
      const id = await bucketId(bucket);
      for (const { name: database, d1 } of BINDINGS) {
        const count = await d1
          .prepare("SELECT count(*) AS n FROM bucket_events WHERE bucket_id = ? AND key <> ''")
          .bind(id)
          .first("n");
        expect([database, count]).toEqual([database, database === name ? 2 : 0]);
      }
    }
  });

  it("that no request delivered are delivered by one pass of the job, and purged by another", async () => {
    const keys = received();
    const buckets: string[] = [];
    for (const name of DATABASES) buckets.push(await notifyingIn(name));
    // The destination is unknown to the Worker of these requests, as if each ended before it could deliver.
    for (const bucket of buckets) await send("PUT", `/${bucket}/left`, { body: "x" });
    expect(buckets.map((bucket) => keys.get(bucket))).toEqual([undefined, undefined, undefined]);
    await runPass(deliverDueEvents, Date.now() + HOUR_MS, EVENT_SCOPE);
    expect(buckets.map((bucket) => keys.get(bucket))).toEqual([["left"], ["left"], ["left"]]);
    await runPass(purgeOldEvents, Date.now() + 400 * 24 * HOUR_MS, EVENT_SCOPE);
    expect(await Promise.all(buckets.map(eventsOf))).toEqual([[], [], []]);
  });

  it("of a copy between databases are those of its destination", async () => {
    received();
    const [source, target] = [await notifyingIn("META_1"), await notifyingIn("META_2")];
    await send("PUT", `/${source}/k`, { body: "x" }, EVENT_SCOPE);
    await send("PUT", `/${target}/c`, { headers: { "x-amz-copy-source": `/${source}/k` } }, EVENT_SCOPE);
    expect(await eventsOf(source)).toEqual(["ObjectCreated:Put k"]);
    expect(await eventsOf(target)).toEqual(["ObjectCreated:Copy c"]);
  });
});
