// Events of changes that do not create or delete a version: retentions, annotations and transitions.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { EVENT_SCOPE, eventsOf, putNotification, readFeed, recordAll, ruleXml } from "../support/events.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { BYPASS, lockedBucket, retentionUntil, setLegalHold } from "../support/object-lock.ts";

const UNTIL = "2099-01-01T00:00:00.000Z";
const LATER = "2099-02-01T00:00:00.000Z";

/** A bucket with Object Lock that records its events, and the version of its key `k`. */
async function recordedBucket(): Promise<{ readonly bucket: string; readonly versionId: string }> {
  const bucket = await lockedBucket();
  await recordAll(bucket);
  const response = await send("PUT", `/${bucket}/k`, { body: "text" });
  return { bucket, versionId: response.headers.get("x-amz-version-id") ?? "" };
}

describe("s3:ObjectRetention:Put", () => {
  it("is recorded for each retention that PutObjectRetention sets, with its mode and date", async () => {
    const { bucket, versionId } = await recordedBucket();
    for (const until of [UNTIL, LATER]) {
      expect((await send("PUT", `/${bucket}/k?retention`, { body: retentionUntil("GOVERNANCE", until) })).status).toBe(
        200,
      );
    }
    const { Records: records } = await readFeed(bucket);
    expect(records.map(({ eventName }) => eventName)).toEqual([
      "ObjectCreated:Put",
      "ObjectRetention:Put",
      "ObjectRetention:Put",
    ]);
    expect(records[2]).toMatchObject({
      eventVersion: "2.5",
      s3: { object: { key: "k", versionId, size: 4, eTag: "1cb251ec0d568de6a929b520c4aed8d1" } },
      objectRetentionEventData: { mode: "GOVERNANCE", retainUntilDate: LATER },
    });
    expect(records[0]).not.toHaveProperty("objectRetentionEventData");
  });

  it("has no retention when a bypass removes one, also of a noncurrent version", async () => {
    const { bucket, versionId } = await recordedBucket();
    await send("PUT", `/${bucket}/k`, { body: "newer" });
    const target = `/${bucket}/k?retention&versionId=${versionId}`;
    await send("PUT", target, { body: retentionUntil("GOVERNANCE", UNTIL) });
    expect((await send("PUT", target, { body: "<Retention/>", headers: BYPASS })).status).toBe(200);
    const { Records: records } = await readFeed(bucket);
    const ofRetention = records.filter(({ eventName }) => eventName === "ObjectRetention:Put");
    expect(ofRetention.map(({ s3 }) => s3.object.versionId)).toEqual([versionId, versionId]);
    expect(ofRetention[1]).not.toHaveProperty("objectRetentionEventData");
  });

  it("is not recorded for a retention that is refused, or that an upload sets", async () => {
    const { bucket } = await recordedBucket();
    await send("PUT", `/${bucket}/k?retention`, { body: retentionUntil("COMPLIANCE", LATER) });
    for (const body of [retentionUntil("COMPLIANCE", UNTIL), retentionUntil("GOVERNANCE", LATER), "<Retention/>"]) {
      expect((await send("PUT", `/${bucket}/k?retention`, { body })).status).toBe(403);
    }
    const headers = {
      "x-amz-object-lock-mode": "GOVERNANCE",
      "x-amz-object-lock-retain-until-date": UNTIL,
      "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==",
    };
    expect((await send("PUT", `/${bucket}/u`, { headers, body: "" })).status).toBe(200);
    expect(await eventsOf(bucket)).toEqual(["ObjectCreated:Put k", "ObjectRetention:Put k", "ObjectCreated:Put u"]);
  });
});

describe("s3:ObjectAnnotation", () => {
  const annotation = (bucket: string, name: string) => `/${bucket}/k?annotation&annotationName=${name}`;

  it("is recorded for annotations that are stored, replaced and deleted", async () => {
    const bucket = await freshBucket();
    await recordAll(bucket);
    await send("PUT", `/${bucket}/k`, { body: "text" });
    for (const body of ["one", "four"]) expect((await send("PUT", annotation(bucket, "a"), { body })).status).toBe(200);
    for (let times = 0; times < 2; times += 1) {
      expect((await send("DELETE", annotation(bucket, "a"))).status).toBe(204);
    }
    const { Records: records } = await readFeed(bucket);
    expect(records.map(({ eventName }) => eventName)).toEqual([
      "ObjectCreated:Put",
      "ObjectAnnotation:Put",
      "ObjectAnnotation:Put",
      "ObjectAnnotation:Delete",
    ]);
    expect(records[2]).toMatchObject({
      eventVersion: "2.5",
      s3: { object: { size: 4, annotation: { name: "a", size: 4, eTag: "8cbad96aced40b3838dd9f07f6ef5772" } } },
    });
    expect(records[3]?.s3.object).toMatchObject({ annotation: { name: "a" } });
  });

  it("is not recorded for a deletion that a lock refuses", async () => {
    const { bucket } = await recordedBucket();
    await send("PUT", annotation(bucket, "a"), { body: "one" });
    await setLegalHold(bucket, "k", "ON");
    expect((await send("DELETE", annotation(bucket, "a"))).status).toBe(403);
    expect(await eventsOf(bucket)).toEqual(["ObjectCreated:Put k", "ObjectAnnotation:Put k"]);
  });
});

describe("a notification configuration", () => {
  it("may name the types of events of retentions and annotations", async () => {
    const bucket = await freshBucket();
    const events = ["s3:ObjectRetention:Put", "s3:ObjectAnnotation:*"];
    expect((await putNotification(bucket, ruleXml({ events }))).status).toBe(200);
    await send("PUT", `/${bucket}/k`, { body: "text" }, EVENT_SCOPE);
    await send("PUT", `/${bucket}/k?annotation&annotationName=a`, { body: "one" }, EVENT_SCOPE);
    expect(await eventsOf(bucket)).toEqual(["ObjectAnnotation:Put k"]);
    const overlapping = [ruleXml({ events }), ruleXml({ events: ["s3:ObjectAnnotation:Delete"] })];
    expect((await putNotification(bucket, ...overlapping)).status).toBe(400);
  });
});
