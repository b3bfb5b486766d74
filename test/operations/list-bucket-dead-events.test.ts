import { describe, expect, it } from "vitest";

import { deliverDueEvents } from "../../src/jobs/deliver-events.ts";
import { DEAD_EVENTS_KEPT, purgeOldEvents } from "../../src/jobs/purge-events.ts";
import { send } from "../support/client.ts";
import { putNotification, ruleXml } from "../support/events.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";

const DAY_MS = 86_400_000;

interface DeadFeed {
  readonly DeadEvents: readonly { readonly Reason: string; readonly Attempts: number }[];
  readonly Cursor: string;
  readonly IsTruncated: boolean;
}

async function read(bucket: string, query = ""): Promise<DeadFeed> {
  return (await send("GET", `/${bucket}?events&dead${query}`)).json();
}

describe("ListBucketDeadEvents", () => {
  it("pages through events whose destination was undeclared for too long", async () => {
    const bucket = await freshBucket();
    await putNotification(bucket, ruleXml({}));
    for (const key of ["a", "b", "c"]) await send("PUT", `/${bucket}/${key}`, { body: "x" });
    expect(await read(bucket)).toMatchObject({ DeadEvents: [], IsTruncated: false });
    await runPass(deliverDueEvents, Date.now() + 2 * DAY_MS);
    const first = await read(bucket, "&max-events=2");
    expect(first).toMatchObject({
      DeadEvents: [{ Reason: "the destination is not declared" }, {}],
      IsTruncated: true,
    });
    const rest = await read(bucket, `&after=${first.Cursor}`);
    // The three keys and the test event.
    expect(first.DeadEvents.length + rest.DeadEvents.length).toBe(4);
    await runPass(purgeOldEvents, Date.now());
    expect((await read(bucket)).DeadEvents).toHaveLength(4);
    expect(DEAD_EVENTS_KEPT).toBeGreaterThan(4);
  });

  it("refuses a malformed cursor", async () => {
    const response = await send("GET", `/${await freshBucket()}?events&dead&after=x`);
    const fields = { ArgumentName: "after", ArgumentValue: "x" };
    await expectS3Error(response, { status: 400, code: "InvalidArgument", fields });
  });
});
