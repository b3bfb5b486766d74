// Requests of a bucket by day, as the server counts them.
import { getXml } from "./buckets.ts";
import type { Connection } from "./connection.ts";
import { bucketPath } from "./paths.ts";
import { childrenOf, numberOf, optionalText, textOf } from "./xml.ts";

export interface DayUsage {
  /** `2026-11-29`, in UTC. */
  readonly day: string;
  readonly writes: number;
  readonly reads: number;
  readonly deletions: number;
  readonly errors: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** The requests of a bucket in a range of days, both included, with zeros for days without requests. */
export function getDayUsage(connection: Connection, bucket: string, from: string, to: string): Promise<DayUsage[]> {
  return daysIn(connection, bucketPath(bucket), { from, to });
}

/** The requests of an access key, and of the sessions that it started, in all buckets. */
export function getKeyDayUsage(
  connection: Connection,
  accessKey: string,
  from: string,
  to: string,
): Promise<DayUsage[]> {
  return daysIn(connection, "/", { from, to, "access-key-id": accessKey });
}

async function daysIn(
  connection: Connection,
  path: string,
  range: { readonly from: string; readonly to: string; readonly "access-key-id"?: string },
): Promise<DayUsage[]> {
  const { from, to } = range;
  const days = new Map<string, DayUsage>();
  for (let at = Date.parse(`${from}T00:00:00Z`); at <= Date.parse(`${to}T00:00:00Z`); at += 86_400_000) {
    const day = new Date(at).toISOString().slice(0, 10);
    days.set(day, { day, writes: 0, reads: 0, deletions: 0, errors: 0, bytesIn: 0, bytesOut: 0 });
  }
  let token: string | undefined;
  do {
    const root: Element = await getXml(connection, path, { usage: "", ...range, "continuation-token": token });
    for (const row of childrenOf(root, "Usage")) {
      const known = days.get(textOf(row, "Day"));
      if (known === undefined) continue;
      days.set(known.day, {
        day: known.day,
        writes: known.writes + numberOf(row, "ClassA"),
        reads: known.reads + numberOf(row, "ClassB"),
        deletions: known.deletions + numberOf(row, "Free"),
        errors: known.errors + numberOf(row, "Errors"),
        bytesIn: known.bytesIn + numberOf(row, "BytesIn"),
        bytesOut: known.bytesOut + numberOf(row, "BytesOut"),
      });
    }
    token = optionalText(root, "NextContinuationToken");
  } while (token !== undefined);
  return Array.from(days.values());
}
