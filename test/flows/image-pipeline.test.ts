import { afterEach, describe, expect, it, vi } from "vitest";

import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { deliver, presigned, send } from "../support/client.ts";
import { EVENT_SCOPE, eventsOf, notificationXml, ruleXml, WEBHOOK_ARN, type EventRecord } from "../support/events.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";

const DAY_MS = 86_400_000;

afterEach(() => {
  vi.restoreAllMocks();
});

describe("an image pipeline", () => {
  it("makes an image of each request, serves it by a presigned URL, and expires the requests", async () => {
    const bucket = await freshBucket();
    // The worker: reads the request that the event names, and stores an image with metadata.
    vi.spyOn(globalThis, "fetch").mockImplementation(async (_url, init) => {
      const body = typeof init?.body === "string" ? init.body : "{}";
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const { Records: records = [] } = JSON.parse(body) as { readonly Records?: readonly EventRecord[] };
      for (const { s3 } of records.filter((record) => record.s3.bucket.name === bucket)) {
        const key = decodeURIComponent(s3.object.key.replaceAll("+", " "));
        const { prompt } = await (
          await send("GET", `/${bucket}/${s3.object.key.replaceAll("+", "%20")}`)
        ).json<{
          readonly prompt: string;
        }>();
        const image = `/${bucket}/images/${encodeURIComponent(key.slice("requests/".length).replace(".json", ".png"))}`;
        const headers = { "content-type": "image/png", "x-amz-meta-prompt": prompt };
        expect((await send("PUT", image, { body: `image of ${prompt}`, headers })).status).toBe(200);
      }
      return new Response();
    });
    const rule = ruleXml({ arn: WEBHOOK_ARN, prefix: "requests/", suffix: ".json" });
    const document = notificationXml(rule, "<EventBridgeConfiguration/>");
    await send("PUT", `/${bucket}?notification`, { body: document }, EVENT_SCOPE);
    await send("PUT", `/${bucket}?lifecycle`, {
      body: "<LifecycleConfiguration><Rule><Filter><Prefix>requests/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
    });
    const request = JSON.stringify({ prompt: "a red cube" });
    expect((await send("PUT", `/${bucket}/requests/a%20b.json`, { body: request }, EVENT_SCOPE)).status).toBe(200);
    const shown = await deliver(await presigned("GET", `/${bucket}/images/a%20b.png`, { expires: 60 }));
    expect([shown.status, await shown.text()]).toEqual([200, "image of a red cube"]);
    expect(shown.headers.get("x-amz-meta-prompt")).toBe("a red cube");
    await runPass(lifecycle, Date.now() + 3 * DAY_MS);
    expect((await send("HEAD", `/${bucket}/requests/a%20b.json`)).status).toBe(404);
    expect((await send("HEAD", `/${bucket}/images/a%20b.png`)).status).toBe(200);
    expect(await eventsOf(bucket)).toEqual([
      "ObjectCreated:Put requests/a+b.json",
      "ObjectCreated:Put images/a+b.png",
      "LifecycleExpiration:Delete requests/a+b.json",
    ]);
  });
});
