// Events of a delivery that dies: its claim ends, and the events arrive again, in order for each key. And events of forms.
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";

import { deliverDueEvents } from "../../src/jobs/deliver-events.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import { claimEvents } from "../../src/state/metadata/event-deliveries.ts";
import { send } from "../support/client.ts";
import { EVENT_SCOPE, eventsOf, notificationXml, recordAll, ruleXml, WEBHOOK_ARN } from "../support/events.ts";
import { connectionLost, d1With } from "../support/faults.ts";
import { post } from "../support/forms.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";

const CLAIM_MS = 120_000;
const SECOND_MS = 1000;

afterEach(() => {
  vi.restoreAllMocks();
});

/** What the webhook gets of one bucket, as `name key`. */
function receivedOf(bucket: () => string, answer: (event: string) => Response = () => new Response()): string[] {
  const events: string[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (_url, init) => {
    const body = typeof init?.body === "string" ? init.body : "{}";
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { Records: [record] = [] } = JSON.parse(body) as {
      readonly Records?: readonly { eventName: string; s3: { bucket: { name: string }; object: { key: string } } }[];
    };
    if (record?.s3.bucket.name !== bucket()) return Promise.resolve(new Response());
    const event = `${record.eventName} ${record.s3.object.key}`;
    events.push(event);
    return Promise.resolve(answer(event));
  });
  return events;
}

async function notifyingBucket(): Promise<string> {
  const bucket = await freshBucket();
  const body = notificationXml(
    ruleXml({ arn: WEBHOOK_ARN, id: "r", events: ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"] }),
  );
  expect((await send("PUT", `/${bucket}?notification`, { body }, EVENT_SCOPE)).status).toBe(200);
  return bucket;
}

/** Writes without a delivery: the destination is unknown to the Worker of these requests. */
async function leaveEvents(bucket: string): Promise<void> {
  await send("PUT", `/${bucket}/k`, { body: "1" });
  await send("DELETE", `/${bucket}/k`);
  await send("PUT", `/${bucket}/other`, { body: "1" });
}

const IN_ORDER = ["ObjectCreated:Put k", "ObjectRemoved:Delete k"];

describe("a delivery that dies", () => {
  it("before it sends what it claimed: the events stay claimed, and arrive when the claim ends, in order", async () => {
    let bucket = "";
    const received = receivedOf(() => bucket);
    bucket = await notifyingBucket();
    await leaveEvents(bucket);
    const now = Date.now() + 60 * SECOND_MS;
    const claimed = await new Database(env.DB, new Counts()).look(claimEvents(now, now + CLAIM_MS, 1000));
    // Of each key, only the oldest event was due.
    expect(
      claimed
        .filter(({ record }) => record.includes(bucket))
        .map(({ key }) => key)
        .toSorted(),
    ).toEqual(["k", "other"]);
    await runPass(deliverDueEvents, now + CLAIM_MS - SECOND_MS, EVENT_SCOPE);
    expect(received).toEqual([]);
    await runPass(deliverDueEvents, now + CLAIM_MS + SECOND_MS, EVENT_SCOPE);
    expect(received.filter((event) => event.endsWith(" k"))).toEqual(IN_ORDER);
    expect(received).toHaveLength(3);
    await runPass(deliverDueEvents, now + 10 * CLAIM_MS, EVENT_SCOPE);
    expect(received).toHaveLength(3);
  });

  it("after it has sent, before it records that: the events arrive twice, and later ones of the key never before", async () => {
    let bucket = "";
    const received = receivedOf(() => bucket);
    bucket = await notifyingBucket();
    await leaveEvents(bucket);
    const now = Date.now() + 60 * SECOND_MS;
    let batches = 0;
    const dying = d1With((_sql, answer) => {
      batches += 1;
      // The first batch claims. No later one reaches the database.
      return batches === 1 ? answer() : Promise.reject(connectionLost());
    });
    await expect(runPass(deliverDueEvents, now, { ...EVENT_SCOPE, DB: dying })).rejects.toThrow();
    expect(received.toSorted()).toEqual(["ObjectCreated:Put k", "ObjectCreated:Put other"]);
    await runPass(deliverDueEvents, now + CLAIM_MS - SECOND_MS, EVENT_SCOPE);
    expect(received).toHaveLength(2);
    await runPass(deliverDueEvents, now + CLAIM_MS + SECOND_MS, EVENT_SCOPE);
    const ofKey = received.filter((event) => event.endsWith(" k"));
    expect(ofKey).toEqual(["ObjectCreated:Put k", ...IN_ORDER]);
  });
});

describe("an upload by a form", () => {
  it("has the event ObjectCreated:Post with the key that it is stored under", async () => {
    const bucket = await freshBucket();
    await recordAll(bucket);
    expect((await post(bucket, { key: "up/f.bin" }, "the file")).status).toBe(204);
    expect(await eventsOf(bucket)).toEqual(["ObjectCreated:Post up/f.bin"]);
  });

  it("that is refused has none", async () => {
    const bucket = await freshBucket();
    await recordAll(bucket);
    const refused = await post(bucket, { key: "k" }, "the file", [["content-length-range", 0, 1]]);
    expect(refused.status).toBe(400);
    expect(await eventsOf(bucket)).toEqual([]);
  });
});
