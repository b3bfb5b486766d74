// Reads the range of days of a usage report: `from` and `to` as YYYY-MM-DD in UTC, both included.
import { formatIsoDate } from "../../bytes/dates.ts";
import type { Query } from "./query.ts";
import { invalidArgument } from "./s3-error.ts";

const DAY_MS = 86_400_000;
const MAX_DAYS = 366;

/**
 * The days of a report, in order. Without `to`, it ends today.
 * @param now milliseconds since the epoch
 * @throws S3Error InvalidArgument
 */
export function readUsageDays(from: string | undefined, to: string | undefined, now: number): string[] {
  const first = readDay("from", from);
  const last = to === undefined ? Math.max(first, now) : readDay("to", to);
  if (last < first) throw invalidArgument("to", to, "to is before from");
  const count = Math.floor((last - first) / DAY_MS) + 1;
  if (count > MAX_DAYS) throw invalidArgument("from", from, `A report covers at most ${MAX_DAYS} days`);
  return Array.from({ length: count }, (_, index) => dayOf(first + index * DAY_MS));
}

/**
 * Refuses the parameters of a report of days in a request that names no first day.
 * @throws S3Error InvalidArgument {ArgumentName: from}
 */
export function refuseParametersOfDays(query: Query): void {
  const given = ["to", "access-key-id"].find((name) => query.has(name));
  if (given !== undefined)
    throw invalidArgument("from", undefined, `A report with ${given} needs from, its first day.`);
}

/** The day of a time, as YYYY-MM-DD in UTC. */
export function dayOf(time: number): string {
  return formatIsoDate(time).slice(0, "YYYY-MM-DD".length);
}

function readDay(name: string, text: string | undefined): number {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // Date.parse takes 30 February for 2 March.
  if (Number.isNaN(time) || dayOf(time) !== text) {
    throw invalidArgument(name, text, `${name} must be a day such as 2026-11-29`);
  }
  return time;
}
