// Computes when the actions of lifecycle rules are due, and the header that announces an object's expiration. All times
// are in milliseconds since the epoch.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html
import { formatHttpDate } from "../../bytes/dates.ts";
import { uriEncode } from "../../bytes/uri-encode.ts";
import {
  matchesObject,
  lifecycleFromText,
  type FilterSubject,
  type LifecycleRule,
  type DaysOrDate,
} from "./lifecycle.ts";

const DAY_MS = 86_400_000;
/** The last moment of the year 9999. */
const LAST_DATE = 253_402_300_799_999;

/** The first midnight UTC later than `days` days after a time. */
export function midnightAfter(time: number, days: number): number {
  return (Math.floor(time / DAY_MS) + days + 1) * DAY_MS;
}

/** DaysOrDate an action is due for a version or upload that was created at `madeAt`. */
export function dueAt(timing: DaysOrDate, madeAt: number): number {
  return "date" in timing ? timing.date : midnightAfter(madeAt, timing.days);
}

/** A rule, and timing it is due for a version or upload. */
export interface DueRule {
  readonly rule: LifecycleRule;
  readonly at: number;
}

/** The properties of an object that decide its expiration. */
export interface ExpiringObject extends FilterSubject {
  readonly modifiedAt: number;
}

/** The rule that expires a current version first; undefined if no rule does. */
export function firstExpiration(rules: readonly LifecycleRule[], object: ExpiringObject): DueRule | undefined {
  let first: DueRule | undefined;
  for (const rule of rules) {
    const { expiration } = rule;
    if (!rule.isEnabled || expiration === undefined || "isForMarkers" in expiration) continue;
    const at = dueAt(expiration, object.modifiedAt);
    if ((first === undefined || at < first.at) && matchesObject(rule.filter, object)) first = { rule, at };
  }
  return first;
}

/**
 * The `x-amz-expiration` header of a current version; empty if no rule expires it.
 * @param configuration the stored form of the lifecycle configuration
 */
export function expirationHeader(configuration: string | null, object: ExpiringObject): Record<string, string> {
  const first = firstExpiration(lifecycleFromText(configuration)?.rules ?? [], object);
  // An HTTP date cannot express years after 9999, so the header is omitted.
  if (first === undefined || first.at > LAST_DATE) return {};
  const date = formatHttpDate(first.at);
  return { "x-amz-expiration": `expiry-date="${date}", rule-id="${uriEncode(first.rule.id)}"` };
}
