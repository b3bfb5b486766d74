// A bucket's notification configuration in its stored form, and which destination a change's event goes to.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
import { eventTypeCovers } from "./event-types.ts";

/** The element that declares a rule; all of them accept every destination. */
export type NotificationKind = "Topic" | "Queue" | "CloudFunction";

/** A rule: the events of keys with the prefix and suffix go to the destination. */
export interface NotificationRule {
  readonly kind: NotificationKind;
  readonly id: string;
  /** The ARN. */
  readonly destination: string;
  /** Types such as `s3:ObjectCreated:*`. */
  readonly events: readonly string[];
  /** Undefined: the document has no such filter rule. */
  readonly prefix?: string | undefined;
  readonly suffix?: string | undefined;
}

export interface NotificationConfiguration {
  readonly rules: readonly NotificationRule[];
  /** Whether the feed contains every event (EventBridgeConfiguration). */
  readonly recordsAll: boolean;
}

/** Where an event goes. */
export interface EventRoute {
  /** The ARN; null: only the feed has the event. */
  readonly destination: string | null;
  /** The id of the rule; undefined without a rule. */
  readonly ruleId: string | undefined;
}

const NO_NOTIFICATIONS: NotificationConfiguration = { rules: [], recordsAll: false };

/** Reads the stored form. */
export function notificationFromText(text: string | null): NotificationConfiguration {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text === null ? NO_NOTIFICATIONS : (JSON.parse(text) as NotificationConfiguration);
}

/** The stored form; null if the configuration asks for nothing, so that its bucket pays nothing. */
export function notificationText(configuration: NotificationConfiguration): string | null {
  const { rules, recordsAll } = configuration;
  return rules.length === 0 && !recordsAll ? null : JSON.stringify(configuration);
}

/** Whether a rule's prefix and suffix match a key. */
export function matchesKey({ prefix = "", suffix = "" }: NotificationRule, key: string): boolean {
  return key.startsWith(prefix) && key.endsWith(suffix);
}

/** The route of an event of a key; undefined if the bucket does not ask for it. At most one rule matches. */
export function routeEvent(
  { rules, recordsAll }: NotificationConfiguration,
  eventName: string,
  key: string,
): EventRoute | undefined {
  const rule = rules.find(
    (candidate) =>
      matchesKey(candidate, key) && candidate.events.some((type) => eventTypeCovers(type, `s3:${eventName}`)),
  );
  if (rule !== undefined) return { destination: rule.destination, ruleId: rule.id };
  return recordsAll ? { destination: null, ruleId: undefined } : undefined;
}
