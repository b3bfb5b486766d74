import { describe, expect, it } from "vitest";

import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { deliver, send, signed } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { bucketIn } from "../support/databases.ts";
import { eventsOf, putNotification, readFeed, recordAll, ruleXml, WEBHOOK_ARN } from "../support/events.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { createUpload, putPart } from "../support/multipart.ts";
import { taggingOf } from "../support/tagging.ts";
import { setVersioning } from "../support/versioning.ts";

const DAY_MS = 86_400_000;

describe("the events of writers", () => {
  it("records what each operation does, in order", async () => {
    const bucket = await freshBucket();
    await recordAll(bucket);
    await send("PUT", `/${bucket}/a`, { body: "one" });
    await send("PUT", `/${bucket}/b`, { headers: { "x-amz-copy-source": `/${bucket}/a` } });
    await send("PUT", `/${bucket}/c`, { headers: { "x-amz-rename-source": `/${bucket}/b` } });
    await send("PUT", `/${bucket}/c?tagging`, { body: taggingOf({ colour: "red" }) });
    await send("DELETE", `/${bucket}/c?tagging`);
    const uploadId = await createUpload(bucket, "m");
    const { etag } = await putPart(bucket, "m", uploadId, 1, "part");
    await send("POST", `/${bucket}/m?uploadId=${uploadId}`, {
      body: `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`,
    });
    await send("DELETE", `/${bucket}/a`);
    await send("DELETE", `/${bucket}/never-existed`);
    await send("POST", `/${bucket}?delete`, {
      body: "<Delete><Object><Key>c</Key></Object><Object><Key>m</Key></Object></Delete>",
    });
    const events = await eventsOf(bucket);
    expect(events.slice(0, 8)).toEqual([
      "ObjectCreated:Put a",
      "ObjectCreated:Copy b",
      "ObjectCreated:Copy c",
      "ObjectRemoved:Delete b",
      "ObjectTagging:Put c",
      "ObjectTagging:Delete c",
      "ObjectCreated:CompleteMultipartUpload m",
      "ObjectRemoved:Delete a",
    ]);
    // The keys of one request may belong to different coordinators.
    expect(events.slice(8).toSorted()).toEqual(["ObjectRemoved:Delete c", "ObjectRemoved:Delete m"]);
  });

  it("records markers, purges and ACLs of versions with the version ids that clients see", async () => {
    const bucket = await freshBucket();
    await setVersioning(bucket, "Enabled");
    await recordAll(bucket);
    const versionId = (await send("PUT", `/${bucket}/k`, { body: "text" })).headers.get("x-amz-version-id");
    const marker = (await send("DELETE", `/${bucket}/k`)).headers.get("x-amz-version-id");
    await send("PUT", `/${bucket}/k?tagging&versionId=${versionId}`, { body: taggingOf({ a: "b" }) });
    await send("DELETE", `/${bucket}/k?versionId=${marker}`);
    await send("DELETE", `/${bucket}/k?versionId=${versionId}`);
    await send("DELETE", `/${bucket}/k?versionId=${versionId}`);
    const { Records: records } = await readFeed(bucket);
    expect(records.map(({ eventName, s3: { object } }) => [eventName, object.versionId])).toEqual([
      ["ObjectCreated:Put", versionId],
      ["ObjectRemoved:DeleteMarkerCreated", marker],
      ["ObjectTagging:Put", versionId],
      ["ObjectRemoved:Delete", marker],
      ["ObjectRemoved:Delete", versionId],
    ]);
    expect(records[2]?.s3.object).toMatchObject({ size: 4, eTag: "1cb251ec0d568de6a929b520c4aed8d1" });
  });

  it("records ObjectAcl:Put in a bucket with ACLs", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}?ownershipControls`, {
      body: "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>",
    });
    await recordAll(bucket);
    await send("PUT", `/${bucket}/k`, { body: "text" });
    expect((await send("PUT", `/${bucket}/k?acl`, { headers: { "x-amz-acl": "public-read" } })).status).toBe(200);
    expect(await eventsOf(bucket)).toEqual(["ObjectCreated:Put k", "ObjectAcl:Put k"]);
  });

  it("records what lifecycle rules do as lifecycle events", async () => {
    const bucket = await freshBucket();
    await recordAll(bucket);
    await send("PUT", `/${bucket}/tmp/a`, { body: "text" });
    await send("PUT", `/${bucket}/cold/a`, { body: "x".repeat(200_000) });
    await send("PUT", `/${bucket}?lifecycle`, {
      body: `<LifecycleConfiguration><Rule><Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule><Rule><Filter><Prefix>cold/</Prefix></Filter><Status>Enabled</Status><Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition></Rule></LifecycleConfiguration>`,
    });
    await runPass(lifecycle, Date.now() + 40 * DAY_MS);
    const events = await eventsOf(bucket);
    expect(events.slice(2).toSorted()).toEqual(["LifecycleExpiration:Delete tmp/a", "LifecycleTransition cold/a"]);
    const { Records: records } = await readFeed(bucket);
    expect(records[2]).toMatchObject({ eventVersion: "2.3", userIdentity: { principalId: "s3.amazonaws.com" } });
    const transition = records.find(({ eventName }) => eventName === "LifecycleTransition");
    expect(transition).toMatchObject({
      lifecycleEventData: { transitionEventData: { destinationStorageClass: "STANDARD_IA" } },
    });
  });

  it("records a restored snapshot as copies and delete markers", async () => {
    const bucket = await freshBucket();
    await setVersioning(bucket, "Enabled");
    await send("PUT", `/${bucket}/a`, { body: "old" });
    expect((await send("PUT", `/${bucket}?snapshot=s1`)).ok).toBe(true);
    await send("PUT", `/${bucket}/a`, { body: "new" });
    await send("PUT", `/${bucket}/b`, { body: "new" });
    await recordAll(bucket);
    expect((await send("POST", `/${bucket}?restoreSnapshot=s1`)).status).toBe(200);
    expect(await eventsOf(bucket)).toEqual(["ObjectCreated:Copy a", "ObjectRemoved:DeleteMarkerCreated b"]);
  });

  it("has S3's record, with a sequencer that grows with every event", async () => {
    const bucket = await freshBucket();
    expect((await putNotification(bucket, ruleXml({ id: "rule-1" }))).status).toBe(200);
    const headers = { "cf-connecting-ip": "192.0.2.7" };
    const request = await signed("PUT", `/${bucket}/a%20b/%C3%A9%2B`, { body: "text", headers });
    const response = await deliver(new Request(request, { cf: {} }));
    await send("PUT", `/${bucket}/a%20b/%C3%A9%2B`, { body: "text" });
    const { Records: records, Cursor: cursor, IsTruncated: isTruncated } = await readFeed(bucket);
    const [first, second] = records;
    expect(first).toEqual({
      eventVersion: "2.1",
      eventSource: "aws:s3",
      awsRegion: "auto",
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      eventName: "ObjectCreated:Put",
      userIdentity: { principalId: "000000000000" },
      requestParameters: { sourceIPAddress: "192.0.2.7" },
      responseElements: {
        "x-amz-request-id": response.headers.get("x-amz-request-id"),
        "x-amz-id-2": response.headers.get("x-amz-id-2"),
      },
      s3: {
        s3SchemaVersion: "1.0",
        configurationId: "rule-1",
        bucket: { name: bucket, ownerIdentity: { principalId: "000000000000" }, arn: `arn:aws:s3:::${bucket}` },
        object: {
          key: "a+b/%C3%A9%2B",
          size: 4,
          eTag: "1cb251ec0d568de6a929b520c4aed8d1",
          sequencer: expect.stringMatching(/^[0-9A-F]{16}$/),
        },
      },
    });
    expect((second?.s3.object.sequencer ?? "") > (first?.s3.object.sequencer ?? "")).toBe(true);
    expect([cursor, isTruncated]).toEqual([second?.s3.object.sequencer, false]);
  });
});

describe("the budget of events", () => {
  it("writes no row and makes no call more in a bucket that does not ask, or not for this event", async () => {
    const [plain, asking] = [await bucketIn("DB"), await bucketIn("DB")];
    await putNotification(asking, ruleXml({ prefix: "asked/" }));
    const expected = costOf(await send("PUT", `/${plain}/k`, { body: "text" }));
    expect(costOf(await send("PUT", `/${asking}/k`, { body: "text" }))).toEqual(expected);
    const asked = costOf(await send("PUT", `/${asking}/asked/k`, { body: "text" }));
    // The event, its delivery and the index of what is due, in the same batch.
    expect(asked).toMatchObject({ roundTrips: expected.roundTrips, coordinatorCalls: expected.coordinatorCalls });
    expect(asked.rowsWritten - expected.rowsWritten).toBeLessThanOrEqual(3);
    const recorded = await freshBucket();
    await recordAll(recorded);
    const fed = costOf(await send("PUT", `/${recorded}/k`, { body: "text" }));
    expect(fed.rowsWritten - expected.rowsWritten).toBe(1);
  });

  it("writes events only of matching prefixes, suffixes and types", async () => {
    const bucket = await freshBucket();
    await putNotification(
      bucket,
      ruleXml({ events: ["s3:ObjectCreated:Put"], prefix: "in/", suffix: ".png" }),
      ruleXml({ events: ["s3:ObjectRemoved:*"], kind: "Topic", arn: WEBHOOK_ARN }),
    );
    for (const key of ["in/a.png", "in/a.jpg", "out/a.png"]) await send("PUT", `/${bucket}/${key}`, { body: "x" });
    await send("PUT", `/${bucket}/in/b.png`, { headers: { "x-amz-copy-source": `/${bucket}/in/a.png` } });
    await send("DELETE", `/${bucket}/out/a.png`);
    expect(await eventsOf(bucket)).toEqual(["ObjectCreated:Put in/a.png", "ObjectRemoved:Delete out/a.png"]);
  });
});

describe("an event and its change", () => {
  it("are written by one batch: neither exists if the batch fails", async () => {
    const bucket = await freshBucket();
    await recordAll(bucket);
    await send("PUT", `/${bucket}/k`, { body: "x", headers: { "if-match": '"0123"' } });
    expect(await eventsOf(bucket)).toEqual([]);
    await send("PUT", `/${bucket}/k`, { body: "x" });
    await Promise.all(
      Array.from({ length: 20 }, async () =>
        send("PUT", `/${bucket}/k`, { body: "x", headers: { "if-none-match": "*" } }),
      ),
    );
    expect(await eventsOf(bucket)).toEqual(["ObjectCreated:Put k"]);
  });
});
