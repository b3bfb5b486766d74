import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { eventsOf, readFeed, recordAll } from "../support/events.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

describe("ListBucketEvents", () => {
  it("pages through all events in order, and continues with what comes later", async () => {
    const bucket = await freshBucket();
    await recordAll(bucket);
    const keys = Array.from({ length: 7 }, (_, index) => `k${index}`);
    for (const key of keys) await send("PUT", `/${bucket}/${key}`, { body: "x" });
    const seen: string[] = [];
    let cursor = "0";
    let isTruncated = true;
    while (isTruncated) {
      const page = await readFeed(bucket, `&max-events=3&after=${cursor}`);
      seen.push(...page.Records.map(({ s3 }) => s3.object.key));
      ({ Cursor: cursor, IsTruncated: isTruncated } = page);
    }
    expect(seen).toEqual(keys);
    expect(await readFeed(bucket, `&after=${cursor}`)).toEqual({
      Records: [],
      Cursor: cursor,
      IsTruncated: false,
      IsGapPossible: false,
    });
    await send("PUT", `/${bucket}/later`, { body: "x" });
    expect((await readFeed(bucket, `&after=${cursor}`)).Records.map(({ s3 }) => s3.object.key)).toEqual(["later"]);
  });

  it("loses and repeats no event to a reader that polls while others write", async () => {
    const bucket = await freshBucket();
    await recordAll(bucket);
    const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
    const seen: string[] = [];
    let cursor = "0";
    const poll = async (): Promise<void> => {
      const page = await readFeed(bucket, `&after=${cursor}`);
      seen.push(...page.Records.map(({ s3 }) => s3.object.key));
      cursor = page.Cursor;
    };
    for (let start = 0; start < keys.length; start += 5) {
      const writes = keys.slice(start, start + 5).map(async (key) => send("PUT", `/${bucket}/${key}`, { body: "x" }));
      await Promise.all([poll(), ...writes]);
    }
    await poll();
    expect(seen.toSorted()).toEqual(keys.toSorted());
  });

  it("starts at the newest event on request", async () => {
    const bucket = await freshBucket();
    await recordAll(bucket);
    await send("PUT", `/${bucket}/old`, { body: "x" });
    const { Records: none, Cursor: cursor } = await readFeed(bucket, "&after=now");
    expect(none).toEqual([]);
    await send("PUT", `/${bucket}/new`, { body: "x" });
    expect((await readFeed(bucket, `&after=${cursor}`)).Records.map(({ s3 }) => s3.object.key)).toEqual(["new"]);
  });

  it("is one round trip, and says that a cursor from before the retention time may have missed events", async () => {
    const bucket = await freshBucket();
    const response = await send("GET", `/${bucket}?events&after=0005000000000000`);
    expect(await response.json()).toMatchObject({ Records: [], IsGapPossible: true });
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
  });

  it.each(["after=xyz", "after=-1", `after=${"F".repeat(16)}`, `after=${"0".repeat(500)}`])(
    "refuses a malformed cursor: %s",
    async (query) => {
      const response = await send("GET", `/${await freshBucket()}?events&${query}`);
      const fields = { ArgumentName: "after", ArgumentValue: query.slice("after=".length).slice(0, 256) };
      await expectS3Error(response, { status: 400, code: "InvalidArgument", fields });
    },
  );

  it.each(["0", "1001", "-1", "1e3", "", "9".repeat(400)])("refuses a malformed limit: %s", async (limit) => {
    const response = await send("GET", `/${await freshBucket()}?events&max-events=${limit}`);
    const fields = { ArgumentName: "max-events", ArgumentValue: limit.slice(0, 256) };
    await expectS3Error(response, { status: 400, code: "InvalidArgument", fields });
  });

  it("has no events of an earlier bucket of the same name", async () => {
    const bucket = await freshBucket();
    await recordAll(bucket);
    await send("PUT", `/${bucket}/k`, { body: "x" });
    await send("DELETE", `/${bucket}/k`);
    expect((await send("DELETE", `/${bucket}`)).status).toBe(204);
    await send("PUT", `/${bucket}`);
    expect(await eventsOf(bucket)).toEqual([]);
  });
});
