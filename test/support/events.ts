// Notification configurations and the feed of events.
import { expect } from "vitest";

import { send, type RequestScope } from "./client.ts";

export const WEBHOOK_SECRET = "the secret of the tests' webhook";
export const HOOK_URL = "https://hook.example.com/events";

/** Declares a queue binding and a webhook, both of the name `images`. */
export const EVENT_SCOPE: RequestScope = {
  EVENT_QUEUES: "images",
  EVENT_WEBHOOKS: JSON.stringify({ images: { url: HOOK_URL, secret: WEBHOOK_SECRET } }),
};

export const QUEUE_ARN = "arn:cairn:queue:::images";
export const WEBHOOK_ARN = "arn:cairn:webhook:::images";

/** What a rule of a document contains. */
export interface RuleText {
  readonly kind?: "Topic" | "Queue" | "CloudFunction";
  readonly id?: string;
  readonly arn?: string;
  readonly events?: readonly string[];
  readonly prefix?: string;
  readonly suffix?: string;
}

/** A rule of a document. */
export function ruleXml({ kind = "Queue", id, arn = QUEUE_ARN, events = ["s3:ObjectCreated:*"], ...filter }: RuleText) {
  const rules = Object.entries(filter)
    .map(([name, value]) => `<FilterRule><Name>${name}</Name><Value>${value}</Value></FilterRule>`)
    .join("");
  return `<${kind}Configuration>${id === undefined ? "" : `<Id>${id}</Id>`}<${kind}>${arn}</${kind}>${events
    .map((event) => `<Event>${event}</Event>`)
    .join("")}${rules === "" ? "" : `<Filter><S3Key>${rules}</S3Key></Filter>`}</${kind}Configuration>`;
}

export function notificationXml(...elements: readonly string[]): string {
  return `<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${elements.join("")}</NotificationConfiguration>`;
}

export const EVERYTHING = "<EventBridgeConfiguration/>";

export async function putNotification(bucket: string, ...elements: readonly string[]): Promise<Response> {
  return send("PUT", `/${bucket}?notification`, { body: notificationXml(...elements) }, EVENT_SCOPE);
}

/** Makes a bucket record all of its events in its feed. */
export async function recordAll(bucket: string): Promise<void> {
  expect((await putNotification(bucket, EVERYTHING)).status).toBe(200);
}

/** A record of an event. */
export interface EventRecord {
  readonly eventVersion: string;
  readonly eventSource: string;
  readonly awsRegion: string;
  readonly eventTime: string;
  readonly eventName: string;
  readonly userIdentity: { readonly principalId: string };
  readonly requestParameters: { readonly sourceIPAddress: string };
  readonly responseElements: Readonly<Record<string, string>>;
  readonly s3: {
    readonly s3SchemaVersion: string;
    readonly configurationId?: string;
    readonly bucket: {
      readonly name: string;
      readonly arn: string;
      readonly ownerIdentity: { readonly principalId: string };
    };
    readonly object: {
      readonly key: string;
      readonly size?: number;
      readonly eTag?: string;
      readonly versionId?: string;
      readonly sequencer: string;
    };
  };
}

/** A page of a feed. */
export interface Feed {
  readonly Records: readonly EventRecord[];
  readonly Cursor: string;
  readonly IsTruncated: boolean;
  readonly IsGapPossible: boolean;
}

export async function readFeed(bucket: string, query = ""): Promise<Feed> {
  const response = await send("GET", `/${bucket}?events${query}`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/json");
  return response.json();
}

/** The events of a bucket as `name key`, oldest first. */
export async function eventsOf(bucket: string): Promise<string[]> {
  const { Records: records } = await readFeed(bucket, "&max-events=1000");
  return records.map(({ eventName, s3 }) => `${eventName} ${s3.object.key}`);
}
