// When lifecycle rules are due, and how an answer tells when an object will expire. All times are milliseconds since
// the epoch. https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html
import { formatHttpDate } from "../../bytes/dates.ts";
import { uriEncode } from "../../bytes/uri-encode.ts";
import { isAbout, lifecycleFromText, type FilterSubject, type LifecycleRule, type When } from "./lifecycle.ts";

const DAY_MS = 86_400_000;
/** The last moment of the year 9999. */
const LAST_DATE = 253_402_300_799_999;

/** The midnight UTC that follows so many days after a time. */
export function midnightAfter(time: number, days: number): number {
  return (Math.floor(time / DAY_MS) + days + 1) * DAY_MS;
}

/** When an action is due for what was made at a time. */
export function dueAt(when: When, madeAt: number): number {
  return "date" in when ? when.date : midnightAfter(madeAt, when.days);
}

/** A rule, and when it is due for an object. */
export interface DueRule {
  readonly rule: LifecycleRule;
  readonly at: number;
}

/** What an object's end depends on. */
export interface ExpiringObject extends FilterSubject {
  readonly modifiedAt: number;
}

/** The rule by which a current version expires first; undefined where none is about it. */
export function firstExpiration(rules: readonly LifecycleRule[], object: ExpiringObject): DueRule | undefined {
  let first: DueRule | undefined;
  for (const rule of rules) {
    const { expiration } = rule;
    if (!rule.isEnabled || expiration === undefined || "isForMarkers" in expiration) continue;
    const at = dueAt(expiration, object.modifiedAt);
    if ((first === undefined || at < first.at) && isAbout(rule.filter, object)) first = { rule, at };
  }
  return first;
}

/**
 * The header that tells when a current version will expire; none where no rule is about it.
 * @param configuration the lifecycle configuration as it is kept
 */
export function expirationHeader(configuration: string | null, object: ExpiringObject): Record<string, string> {
  const first = firstExpiration(lifecycleFromText(configuration)?.rules ?? [], object);
  // Days may lead beyond what a date can say: such an object is as good as kept for ever.
  if (first === undefined || first.at > LAST_DATE) return {};
  const date = formatHttpDate(first.at);
  return { "x-amz-expiration": `expiry-date="${date}", rule-id="${uriEncode(first.rule.id)}"` };
}
