// Checks the rules of a notification configuration: limits, event types and overlaps. The messages are AWS's.
import { utf8Length } from "../../bytes/text.ts";
import { invalidArgument, S3Error } from "../core/s3-error.ts";
import { eventTypeCovers, isEventType } from "./event-types.ts";
import type { NotificationRule } from "./notification.ts";

const MAX_RULES = 100;
const MAX_ID_LENGTH = 255;
const MAX_FILTER_BYTES = 1024;
const MAX_ARN_LENGTH = 1024;

/** @throws S3Error InvalidArgument, MalformedXML for a text that no rule can have */
export function checkNotificationRules(rules: readonly NotificationRule[]): void {
  if (rules.length > MAX_RULES) {
    const message = `The maximum number of notification configurations of a bucket is ${MAX_RULES}.`;
    throw invalidArgument("NotificationConfiguration", String(rules.length), message);
  }
  for (const rule of rules) checkRule(rule);
  const ids = new Set(rules.map(({ id }) => id));
  if (ids.size < rules.length) {
    throw new S3Error("InvalidArgument", {}, "Same ID used for multiple configurations. IDs must be unique");
  }
  for (const [index, rule] of rules.entries()) {
    for (const other of rules.slice(index + 1)) checkOverlap(rule, other);
  }
}

function checkRule({ id, destination, events, prefix = "", suffix = "" }: NotificationRule): void {
  if (id.length > MAX_ID_LENGTH) {
    throw invalidArgument(
      "Id",
      id.slice(0, MAX_ID_LENGTH),
      `ID length should not exceed allowed limit of ${MAX_ID_LENGTH}`,
    );
  }
  if (destination.length > MAX_ARN_LENGTH) throw new S3Error("MalformedXML");
  for (const event of events) {
    if (isEventType(event)) continue;
    throw invalidArgument("Event", event.slice(0, 256), "The event is not supported for notifications");
  }
  if ([prefix, suffix].some((value) => utf8Length(value) > MAX_FILTER_BYTES)) {
    const message = `Size of filter rule value cannot exceed ${MAX_FILTER_BYTES} bytes in UTF-8 representation`;
    throw new S3Error("InvalidArgument", { ArgumentName: "FilterRule.Value" }, message);
  }
}

/** Refuses two rules that could both match one event, so that every event has at most one destination. */
function checkOverlap(one: NotificationRule, other: NotificationRule): void {
  if (!sharesEvent(one.events, other.events)) return;
  const [{ prefix = "", suffix = "" }, { prefix: prefix2 = "", suffix: suffix2 = "" }] = [one, other];
  if (!prefix.startsWith(prefix2) && !prefix2.startsWith(prefix)) return;
  if (!suffix.endsWith(suffix2) && !suffix2.endsWith(suffix)) return;
  const message =
    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.";
  throw new S3Error("InvalidArgument", {}, message);
}

function sharesEvent(some: readonly string[], others: readonly string[]): boolean {
  return some.some((type) => others.some((other) => eventTypeCovers(type, other) || eventTypeCovers(other, type)));
}
