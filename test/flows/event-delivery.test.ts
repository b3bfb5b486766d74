import { createHmac } from "node:crypto";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";

import { deliverDueEvents } from "../../src/jobs/deliver-events.ts";
import { purgeOldEvents } from "../../src/jobs/purge-events.ts";
import { send, type RequestScope } from "../support/client.ts";
import {
  EVENT_SCOPE,
  eventsOf,
  HOOK_URL,
  notificationXml,
  recordAll,
  ruleXml,
  WEBHOOK_ARN,
  WEBHOOK_SECRET,
  type EventRecord,
} from "../support/events.ts";
import { failingCommits, ONE_SHARD, withCoordinatorD1 } from "../support/faults.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Received {
  readonly headers: Headers;
  readonly body: string;
  readonly redirect: string | undefined;
}

/** Answers the webhook's requests for one bucket; other buckets' events are accepted. */
function receiver(bucket: string, answer: (record: EventRecord, attempt: number) => Response | Promise<Response>) {
  const received: Received[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (url, init) => {
    expect(url).toBe(HOOK_URL);
    const body = typeof init?.body === "string" ? init.body : "{}";
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { Records: [record] = [] } = JSON.parse(body) as { readonly Records?: readonly EventRecord[] };
    if (record?.s3.bucket.name !== bucket) return new Response(null, { status: 204 });
    const headers = new Headers(init?.headers);
    received.push({ headers, body, redirect: init?.redirect });
    return answer(record, Number(headers.get("cairn-event-attempt")));
  });
  return received;
}

function keysOf(received: readonly Received[]): string[] {
  return received.map(({ body }) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { Records: records } = JSON.parse(body) as { readonly Records: readonly EventRecord[] };
    return records.map(({ eventName, s3 }) => `${eventName} ${s3.object.key}`).join();
  });
}

/** A bucket whose events go to a destination. */
async function notifyingBucket(arn = WEBHOOK_ARN, scope: RequestScope = EVENT_SCOPE): Promise<string> {
  const bucket = await freshBucket();
  const events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"];
  const body = notificationXml(ruleXml({ arn, id: "rule", events }));
  expect((await send("PUT", `/${bucket}?notification`, { body }, scope)).status).toBe(200);
  return bucket;
}

const put = async (bucket: string, key: string, scope: RequestScope = EVENT_SCOPE): Promise<Response> =>
  send("PUT", `/${bucket}/${key}`, { body: "x" }, scope);

interface DeadFeed {
  readonly DeadEvents: readonly Readonly<Record<string, unknown>>[];
}

async function deadEvents(bucket: string): Promise<DeadFeed["DeadEvents"]> {
  const { DeadEvents: dead } = await (await send("GET", `/${bucket}?events&dead`)).json<DeadFeed>();
  return dead;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a webhook", () => {
  it("gets each event right after the commit, signed, once, and follows no redirect", async () => {
    const accepted = receiver("none", () => new Response());
    const bucket = await notifyingBucket();
    vi.restoreAllMocks();
    expect(accepted).toEqual([]);
    const received = receiver(
      bucket,
      () => new Response("<html>thanks</html>", { headers: { "content-type": "text/html" } }),
    );
    await put(bucket, "a");
    await put(bucket, "b");
    expect(keysOf(received)).toEqual(["ObjectCreated:Put a", "ObjectCreated:Put b"]);
    await runPass(deliverDueEvents, Date.now() + HOUR_MS, EVENT_SCOPE);
    expect(received).toHaveLength(2);
    const [first] = received;
    const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(first?.headers.get("cairn-signature") ?? "") ?? [];
    const expected = createHmac("sha256", WEBHOOK_SECRET).update(`${time}.${first?.body}`).digest("hex");
    expect(signature).toBe(expected);
    expect(first?.redirect).toBe("manual");
    expect(first?.headers.get("cairn-event-id")).not.toBe(received[1]?.headers.get("cairn-event-id"));
  });

  it.each([
    ["fails", () => new Response("no", { status: 500 })],
    ["redirects", () => Response.redirect("http://169.254.169.254/", 302)],
    ["answers a page of its login with 401", () => new Response("<html/>", { status: 401 })],
    ["breaks the connection", () => Promise.reject(new Error("secret https://hook.example.com"))],
    ["never answers", () => Promise.reject(new DOMException("late", "TimeoutError"))],
  ])("that %s gets the event again later, and the events of the key behind it in order", async (_case, answer) => {
    receiver("none", () => new Response());
    const bucket = await notifyingBucket();
    vi.restoreAllMocks();
    let isUp = false;
    const received = receiver(bucket, () => (isUp ? new Response() : answer()));
    await put(bucket, "k");
    await send("DELETE", `/${bucket}/k`, {}, EVENT_SCOPE);
    await put(bucket, "k");
    await put(bucket, "other");
    expect(keysOf(received)).toEqual(["ObjectCreated:Put k", "ObjectCreated:Put other"]);
    isUp = true;
    await runPass(deliverDueEvents, Date.now() + HOUR_MS, EVENT_SCOPE);
    const later = keysOf(received).slice(2);
    expect(later.filter((event) => event.endsWith(" k"))).toEqual([
      "ObjectCreated:Put k",
      "ObjectRemoved:Delete k",
      "ObjectCreated:Put k",
    ]);
    expect(later).toHaveLength(4);
    expect(received.map(({ headers }) => headers.get("cairn-event-attempt"))).toEqual(
      expect.arrayContaining(["1", "2"]),
    );
    expect(await deadEvents(bucket)).toEqual([]);
  });

  it("that fails for a day gets no more attempts: the event is readable as dead, without secrets", async () => {
    receiver("none", () => new Response());
    const bucket = await notifyingBucket();
    vi.restoreAllMocks();
    const received = receiver(bucket, () => Promise.reject(new Error(`secret ${WEBHOOK_SECRET}`)));
    await put(bucket, "k");
    const now = Date.now();
    for (let hour = 2; hour <= 26; hour += 2) await runPass(deliverDueEvents, now + hour * HOUR_MS, EVENT_SCOPE);
    const attempts = received.length;
    expect(attempts).toBeGreaterThan(5);
    await runPass(deliverDueEvents, now + 2 * DAY_MS, EVENT_SCOPE);
    expect(received).toHaveLength(attempts);
    const dead = await deadEvents(bucket);
    expect(dead).toMatchObject([{ Destination: WEBHOOK_ARN, Attempts: attempts, Reason: "no connection" }]);
    expect(JSON.stringify(dead)).toContain('"eventName":"ObjectCreated:Put"');
    expect(JSON.stringify(dead)).not.toContain(WEBHOOK_SECRET);
  });
});

describe("several webhooks that never answer", () => {
  it("have few open requests together, so that no request waits for a connection", async () => {
    const slow = "arn:cairn:webhook:::slow";
    const scope = {
      ...EVENT_SCOPE,
      EVENT_WEBHOOKS: JSON.stringify({
        images: { url: HOOK_URL, secret: WEBHOOK_SECRET },
        slow: { url: "https://slow.example.com/", secret: WEBHOOK_SECRET },
      }),
    };
    let open = 0;
    let most = 0;
    let total = 0;
    vi.spyOn(globalThis, "fetch").mockImplementation(async () => {
      open += 1;
      total += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setTimeout(resolve, 5));
      open -= 1;
      throw new DOMException("late", "TimeoutError");
    });
    const buckets = [await notifyingBucket(WEBHOOK_ARN, scope), await notifyingBucket(slow, scope)];
    for (const bucket of buckets) for (const key of ["1", "2", "3", "4", "5", "6"]) await put(bucket, key, {});
    [most, total] = [0, 0];
    await runPass(deliverDueEvents, Date.now() + HOUR_MS, scope);
    expect(total).toBeGreaterThanOrEqual(12);
    expect(most).toBeLessThanOrEqual(5);
  });
});

describe("a crash between commit and delivery", () => {
  it("loses no event: the scheduled job delivers what is left", async () => {
    receiver("none", () => new Response());
    const bucket = await notifyingBucket();
    vi.restoreAllMocks();
    const received = receiver(bucket, () => new Response());
    // The request ends before it can deliver: the destination is unknown to its Worker.
    await put(bucket, "k", {});
    expect(received).toEqual([]);
    await runPass(deliverDueEvents, Date.now() + HOUR_MS, EVENT_SCOPE);
    expect(keysOf(received)).toEqual(["ObjectCreated:Put k"]);
  });
});

describe("a commit whose answer is lost", () => {
  it.each(["before", "after"] as const)("%s it is applied has one event", async (when) => {
    const bucket = await freshBucket();
    await recordAll(bucket);
    await withCoordinatorD1(bucket, failingCommits(when, 1), async () => {
      const response = await send("PUT", `/${bucket}/k`, { body: "x" }, ONE_SHARD);
      expect(response.status).toBe(200);
    });
    expect(await eventsOf(bucket)).toEqual(["ObjectCreated:Put k"]);
  });
});

describe("a queue", () => {
  interface Sent {
    readonly body: { readonly Records?: readonly EventRecord[]; readonly Event?: string };
    readonly contentType: string;
  }

  function queueScope(): { readonly scope: RequestScope; readonly sent: Sent[]; fails: boolean } {
    const sent: Sent[] = [];
    const state = { scope: EVENT_SCOPE, sent, fails: false };
    const images = {
      sendBatch(messages: Iterable<Sent>): Promise<void> {
        if (state.fails) return Promise.reject(new Error("overloaded"));
        sent.push(...messages);
        return Promise.resolve();
      },
    };
    state.scope = { ...EVENT_SCOPE, images } as RequestScope;
    return state;
  }

  it("gets a test event with the configuration, then each event as JSON, also after it was down", async () => {
    const queue = queueScope();
    const bucket = await notifyingBucket("arn:cairn:queue:::images", queue.scope);
    expect(queue.sent.map(({ body }) => body.Event)).toContain("s3:TestEvent");
    queue.sent.length = 0;
    queue.fails = true;
    await put(bucket, "a", queue.scope);
    await put(bucket, "b", queue.scope);
    expect(queue.sent).toEqual([]);
    queue.fails = false;
    await runPass(deliverDueEvents, Date.now() + HOUR_MS, queue.scope);
    const own = queue.sent.flatMap(({ body }) => body.Records ?? []).filter(({ s3 }) => s3.bucket.name === bucket);
    expect(own.map(({ s3 }) => s3.object.key).toSorted()).toEqual(["a", "b"]);
    expect(queue.sent.every(({ contentType }) => contentType === "json")).toBe(true);
  });
});

describe("the retention of events", () => {
  it("purges events after their time, and makes dead what was never delivered", async () => {
    receiver("none", () => new Response());
    const bucket = await notifyingBucket();
    await put(bucket, "k", {});
    await runPass(purgeOldEvents, Date.now() + 6 * DAY_MS);
    expect(await (await send("GET", `/${bucket}?events`)).json()).toMatchObject({ Records: [{}] });
    await runPass(purgeOldEvents, Date.now() + 8 * DAY_MS);
    expect(await (await send("GET", `/${bucket}?events`)).json()).toMatchObject({ Records: [] });
    expect(await deadEvents(bucket)).toMatchObject([{ Reason: "expired" }]);
  });

  it("purges every bucket in one pass, the first one too when it has more events than one step purges", async () => {
    const bucket = await freshBucket();
    await recordAll(bucket);
    await put(bucket, "k");
    // An id before all others, of a bucket that was deleted.
    await env.DB.prepare(
      `INSERT INTO bucket_events (bucket_id, seq, key, record)
       WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < 1001)
       SELECT '!', seq, 'k', '{}' FROM n`,
    ).run();
    await runPass(purgeOldEvents, Date.now() + 8 * DAY_MS);
    expect(await env.DB.prepare("SELECT count(*) AS count FROM bucket_events").first("count")).toBe(0);
  });
});
