import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { EVERYTHING, notificationXml, putNotification, ruleXml, WEBHOOK_ARN } from "../support/events.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

async function shown(bucket: string): Promise<string> {
  return (await send("GET", `/${bucket}?notification`)).text();
}

const AMBIGUOUS =
  "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.";

describe("PutBucketNotificationConfiguration", () => {
  it("returns every kind of rule as it was set, and replaces all of them", async () => {
    const bucket = await freshBucket();
    const elements = [
      ruleXml({ id: "t", kind: "Topic", arn: WEBHOOK_ARN, prefix: "a/", suffix: ".png" }),
      ruleXml({ id: "q", events: ["s3:ObjectRemoved:Delete", "s3:ObjectTagging:*"], prefix: "b/" }),
      ruleXml({ id: "f", kind: "CloudFunction", arn: WEBHOOK_ARN, prefix: "c/" }),
      EVERYTHING,
    ];
    expect((await putNotification(bucket, ...elements)).status).toBe(200);
    expect(await shown(bucket)).toBe(`<?xml version="1.0" encoding="UTF-8"?>\n${notificationXml(...elements)}`);
    expect((await putNotification(bucket)).status).toBe(200);
    expect(await shown(bucket)).toMatch(/<NotificationConfiguration xmlns="[^"]+"\/>$/);
  });

  it("gives a rule without an id an id of its own", async () => {
    const bucket = await freshBucket();
    await putNotification(bucket, ruleXml({ prefix: "a" }), ruleXml({ prefix: "b" }));
    const ids = Array.from((await shown(bucket)).matchAll(/<Id>([^<]+)<\/Id>/g), ([, id]) => id);
    expect(new Set(ids).size).toBe(2);
  });

  it.each([
    "arn:aws:sqs:us-east-1:123456789012:queue",
    "arn:cairn:queue:::other",
    "arn:cairn:webhook:::other",
    "arn:cairn:queue:::",
    "arn:cairn:queue:::images:x",
    "arn:cairn:webhook:::https://10.0.0.1/",
    "https://example.com",
    "",
  ])("refuses a destination that the operator does not declare: %s", async (arn) => {
    const bucket = await freshBucket();
    await expectS3Error(await putNotification(bucket, ruleXml({ arn })), {
      status: 400,
      code: "InvalidArgument",
      message: "Unable to validate the following destination configurations",
      fields: {
        ArgumentName1: arn,
        ArgumentValue1: "The destination is not declared in the settings EVENT_QUEUES and EVENT_WEBHOOKS.",
      },
    });
    expect(await shown(bucket)).not.toContain("Queue");
  });

  it("skips the validation of destinations on request", async () => {
    const bucket = await freshBucket();
    const body = notificationXml(ruleXml({ arn: "arn:cairn:queue:::later" }));
    const put = async (value: string) =>
      send("PUT", `/${bucket}?notification`, { body, headers: { "x-amz-skip-destination-validation": value } });
    expect((await put("true")).status).toBe(200);
    await expectS3Error(await put("perhaps"), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "x-amz-skip-destination-validation", ArgumentValue: "perhaps" },
    });
  });

  it.each([
    ["the same event without filters", [{}, { kind: "Topic", arn: WEBHOOK_ARN }]],
    ["a type and its group", [{ events: ["s3:ObjectCreated:Put"] }, { events: ["s3:ObjectCreated:*"] }]],
    ["a prefix of the other prefix", [{ prefix: "images" }, { prefix: "images/raw" }]],
    ["a prefix and none", [{ prefix: "images" }, {}]],
    ["a suffix of the other suffix", [{ suffix: ".png" }, { suffix: "g" }]],
    ["different rules of a prefix and of a suffix", [{ prefix: "a/" }, { suffix: ".png" }]],
  ] as const)("refuses overlapping rules: %s", async (_case, [one, other]) => {
    const response = await putNotification(await freshBucket(), ruleXml(one), ruleXml(other));
    await expectS3Error(response, { status: 400, code: "InvalidArgument", message: AMBIGUOUS });
  });

  it.each([
    ["other prefixes", [{ prefix: "a/" }, { prefix: "b/" }]],
    [
      "other suffixes under one prefix",
      [
        { prefix: "a/", suffix: ".png" },
        { prefix: "a/", suffix: ".jpg" },
      ],
    ],
    ["other types", [{ events: ["s3:ObjectCreated:Put"] }, { events: ["s3:ObjectCreated:Copy", "s3:ObjectAcl:Put"] }]],
  ] as const)("accepts rules with %s", async (_case, [one, other]) => {
    expect((await putNotification(await freshBucket(), ruleXml(one), ruleXml(other))).status).toBe(200);
  });

  const rules = (count: number): string =>
    Array.from({ length: count }, (_, index) => ruleXml({ prefix: `${String(index).padStart(3, "0")}/` })).join("");

  it.each([
    ["an unknown event", ruleXml({ events: ["s3:ObjectCreated:Magic"] }), "InvalidArgument"],
    ["a group of all events", ruleXml({ events: ["s3:*"] }), "InvalidArgument"],
    ["a repeated id", ruleXml({ id: "x", prefix: "a" }) + ruleXml({ id: "x", prefix: "b" }), "InvalidArgument"],
    ["a long id", ruleXml({ id: "x".repeat(256) }), "InvalidArgument"],
    ["a long prefix", ruleXml({ prefix: "é".repeat(513) }), "InvalidArgument"],
    ["more than 100 rules", rules(101), "InvalidArgument"],
    [
      "another filter",
      ruleXml({ prefix: "a" }).replace("<Name>prefix</Name>", "<Name>contains</Name>"),
      "InvalidArgument",
    ],
    [
      "two prefixes",
      ruleXml({ prefix: "a", suffix: "b" }).replace("<Name>suffix</Name>", "<Name>Prefix</Name>"),
      "InvalidArgument",
    ],
    ["no event", ruleXml({ events: [] }), "MalformedXML"],
    ["no destination", "<QueueConfiguration><Event>s3:ObjectCreated:*</Event></QueueConfiguration>", "MalformedXML"],
    [
      "another destination",
      ruleXml({}).replaceAll("<Queue>", "<Topic>").replaceAll("</Queue>", "</Topic>"),
      "MalformedXML",
    ],
    ["an unknown element", "<EmailConfiguration/>", "MalformedXML"],
    ["two EventBridgeConfigurations", EVERYTHING + EVERYTHING, "MalformedXML"],
    ["an element within an id", ruleXml({}).replace("<Queue>", "<Id><b/></Id><Queue>"), "MalformedXML"],
    ["broken XML", "<QueueConfiguration>", "MalformedXML"],
    ["thousands of elements", "<EventBridgeConfiguration/>".repeat(5000), "MalformedXML"],
    ["a huge text", ruleXml({ prefix: "x".repeat(600_000) }), "MalformedXML"],
  ])("refuses %s and keeps the configuration", async (_case, content, code) => {
    const bucket = await freshBucket();
    await putNotification(bucket, EVERYTHING);
    const response = await putNotification(bucket, content);
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining(`<Code>${code}</Code>`)]);
    expect(await shown(bucket)).toContain("EventBridgeConfiguration");
  });

  it("accepts 100 rules and names of filter rules in any case", async () => {
    const bucket = await freshBucket();
    expect((await putNotification(bucket, rules(100))).status).toBe(200);
    const rule = ruleXml({ prefix: "a", suffix: "b" }).replace("<Name>prefix", "<Name>Prefix");
    expect((await putNotification(bucket, rule)).status).toBe(200);
    expect(await shown(bucket)).toContain("<Name>prefix</Name><Value>a</Value>");
  });

  it("returns 404 for a missing bucket", async () => {
    const response = await putNotification("no-such-bucket-here", EVERYTHING);
    await expectS3Error(response, { status: 404, code: "NoSuchBucket", fields: { BucketName: "no-such-bucket-here" } });
  });
});
