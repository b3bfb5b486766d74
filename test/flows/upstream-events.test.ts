// The events of imports reach a webhook as soon as an import has ended, whether a read or the job has imported the object.
import { afterEach, describe, expect, it, vi } from "vitest";

import { importObjects } from "../../src/jobs/import-objects.ts";
import { send, type SendOptions } from "../support/client.ts";
import { EVENT_SCOPE, HOOK_URL, notificationXml, ruleXml, WEBHOOK_ARN, type EventRecord } from "../support/events.ts";
import {
  importingBucket,
  objectAnswer,
  readThrough,
  storedText,
  UPSTREAM_SCOPE,
  upstreamAnswers,
  upstreamWith,
} from "../support/upstream.ts";
import { runPass } from "../support/jobs.ts";

const SCOPE = { ...EVENT_SCOPE, ...UPSTREAM_SCOPE };
const LARGE = 64 * 1024 ** 2;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Answers the requests to the webhook, and leaves others as they are. Returns the events of a bucket. */
function webhookBeside(bucket: string, answer = (): Response => new Response()): string[] {
  const spy = vi.mocked(globalThis.fetch);
  const others = spy.getMockImplementation();
  const received: string[] = [];
  spy.mockImplementation(async (input, init) => {
    if (input !== HOOK_URL) return (await others?.(input, init)) ?? new Response(null, { status: 500 });
    const body = typeof init?.body === "string" ? init.body : "{}";
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { Records: [record] = [] } = JSON.parse(body) as { readonly Records?: readonly EventRecord[] };
    if (record?.s3.bucket.name !== bucket) return new Response();
    received.push(`${record.eventName} ${record.s3.object.key}`);
    return answer();
  });
  return received;
}

/** An importing bucket whose events of `.txt` keys go to the webhook. */
async function notifyingBucket(): Promise<string> {
  const bucket = await importingBucket();
  const body = notificationXml(ruleXml({ arn: WEBHOOK_ARN, suffix: ".txt" }));
  vi.spyOn(globalThis, "fetch").mockImplementation(() => Promise.resolve(new Response()));
  expect((await send("PUT", `/${bucket}?notification`, { body }, EVENT_SCOPE)).status).toBe(200);
  return bucket;
}

const read = async (target: string, options: SendOptions = {}) => readThrough("GET", target, options, SCOPE);

describe("the event of an import", () => {
  it.each<readonly [string, SendOptions, string]>([
    ["that a read of the whole object causes", {}, "old"],
    ["that a read of a range causes", { headers: { range: "bytes=1-1" } }, "l"],
  ])("%s is delivered with it, once", async (_, options, text) => {
    const bucket = await notifyingBucket();
    upstreamWith({ "/old-bucket/a.txt": { text: "old" }, "/old-bucket/a.bin": { text: "old" } });
    const received = webhookBeside(bucket);
    expect((await read(`/${bucket}/a.bin`, options)).text).toBe(text);
    expect(received).toEqual([]);
    for (let repeated = 0; repeated < 2; repeated += 1) {
      expect((await read(`/${bucket}/a.txt`, options)).text).toBe(text);
      expect(received).toEqual(["ObjectCreated:Copy a.txt"]);
    }
  });

  it("is delivered once the job has imported a large object", async () => {
    const bucket = await notifyingBucket();
    // The read sees a large object, of which it wants a part.
    const large = { "content-length": String(LARGE), etag: '"00000000000000000000000000000000"' };
    const part = { ...large, "content-length": "1", "content-range": `bytes 0-0/${LARGE}` };
    upstreamAnswers((request) =>
      request.method === "HEAD"
        ? objectAnswer(request, { text: "", headers: large })
        : new Response("0", { status: 206, headers: part }),
    );
    const received = webhookBeside(bucket);
    expect((await read(`/${bucket}/a.txt`, { headers: { range: "bytes=0-0" } })).text).toBe("0");
    expect([await storedText(bucket, "a.txt"), received]).toEqual([undefined, []]);
    vi.restoreAllMocks();
    upstreamWith({ "/old-bucket/a.txt": { text: "old" } });
    const later = webhookBeside(bucket);
    await runPass(importObjects, Date.now() + 3_600_000, SCOPE);
    expect([await storedText(bucket, "a.txt"), later]).toEqual(["old", ["ObjectCreated:Copy a.txt"]]);
  });

  it("whose webhook fails changes neither the answer nor the import", async () => {
    const bucket = await notifyingBucket();
    upstreamWith({ "/old-bucket/a.txt": { text: "old" } });
    const received = webhookBeside(bucket, () => new Response("no", { status: 500 }));
    const got = await read(`/${bucket}/a.txt`);
    expect([got.status, got.text, received]).toEqual([200, "old", ["ObjectCreated:Copy a.txt"]]);
    expect(await storedText(bucket, "a.txt")).toBe("old");
  });
});
