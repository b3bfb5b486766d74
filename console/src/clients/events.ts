// The feed of a bucket's events.
import type { Connection } from "./connection.ts";
import { bucketPath, decodeKey } from "./paths.ts";

export interface BucketEvent {
  readonly sequencer: string;
  readonly name: string;
  /** ISO 8601. */
  readonly time: string;
  readonly key: string;
  readonly bytes: number | undefined;
}

export interface EventPage {
  readonly events: readonly BucketEvent[];
  readonly cursor: string;
  readonly isTruncated: boolean;
}

/** A page of the events after a cursor, oldest first. */
export async function listEvents(
  connection: Connection,
  bucket: string,
  after?: string,
  limit = 100,
): Promise<EventPage> {
  const query = { events: "", after, "max-events": limit };
  const response = await connection.send({ method: "GET", path: bucketPath(bucket), query });
  const page: unknown = await response.json();
  const records: unknown = at(page, "Records");
  return {
    events: (Array.isArray(records) ? records : []).map((record: unknown) => ({
      sequencer: textAt(record, "s3", "object", "sequencer"),
      name: textAt(record, "eventName"),
      time: textAt(record, "eventTime"),
      key: decodeKey(textAt(record, "s3", "object", "key")),
      bytes: sizeOf(at(record, "s3", "object", "size")),
    })),
    cursor: textAt(page, "Cursor"),
    isTruncated: at(page, "IsTruncated") === true,
  };
}

function textAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

function sizeOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) found = Reflect.get(Object(found), name);
  return found;
}
