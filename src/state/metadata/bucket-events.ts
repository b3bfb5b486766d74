// Writes and reads the events of buckets. The statements that write events belong into the batch of the change, so an
// event exists exactly if its change does. See "Events" in docs/architecture.md.
import { notificationFromText, routeEvent, type EventRoute } from "../../protocol/buckets/notification.ts";
import {
  eventNameOf,
  eventRecord,
  testEvent,
  type EventDetails,
  type EventKind,
  type EventOrigin,
  type ObjectEvent,
} from "../../protocol/buckets/event-record.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import { rowsOf, statement, type Lookup, type SqlValue, type Statement } from "../d1/database.ts";
import { listStatement } from "../d1/joined-statements.ts";
import { jsonPages } from "../d1/json-pages.ts";
import type { Bucket } from "./buckets.ts";

/** An event of a change that a batch is about to make. */
export interface PlannedEvent extends ObjectEvent {
  /** The id of a stored version that must exist before the change. Its shown id replaces `versionId`. */
  readonly existingId?: string | undefined;
}

/** The event of a change of a stored version, which must exist when the event is written. */
export function versionEvent(
  kind: EventKind,
  { key, versionId, size, etag }: Pick<StoredObject, "key" | "versionId" | "size" | "etag">,
  details?: EventDetails,
): PlannedEvent {
  return { kind, key, versionId: undefined, existingId: versionId, size, etag, details };
}

/** What must be true when the events of existing versions are written. ?2 is the bucket's id, the parameters of its SQL begin at ?3. */
export interface EventCondition {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

const ALWAYS: EventCondition = { sql: "true", parameters: [] };

type EventBucket = Pick<Bucket, "id" | "name" | "ownerId" | "region" | "versioning" | "configurations">;

/** Whether a bucket asks for events. */
export function hasNotifications({ configurations }: Pick<Bucket, "configurations">): boolean {
  return configurations.notification !== null;
}

/** The next sequence number of a bucket, from which the rows of one statement count on. */
const NEXT_SEQ = `max(
  coalesce((SELECT max(seq) FROM bucket_events WHERE bucket_id = ?2), 0),
  CAST(unixepoch('subsec') * 1000 AS INTEGER) * 1000) + 1`;
const INSERT = "INSERT INTO bucket_events (bucket_id, seq, key, destination, record)";

/**
 * The statements that write the events a bucket asks for; none for a bucket that does not. Those of existing versions
 * must run before their versions are purged.
 * @param now milliseconds since the epoch
 * @param condition of events of existing versions
 */
export function insertEvents(
  bucket: EventBucket,
  origin: EventOrigin,
  events: readonly PlannedEvent[],
  now: number,
  { sql, parameters }: EventCondition = ALWAYS,
): Statement[] {
  if (!hasNotifications(bucket)) return [];
  const configuration = notificationFromText(bucket.configurations.notification);
  const rows = events.flatMap((event) => {
    const route = routeEvent(configuration, eventNameOf(event.kind, origin.operation), event.key);
    return route === undefined ? [] : [rowOf(bucket, event, origin, route, now)];
  });
  const fresh = rows.filter(({ existingId }) => existingId === undefined);
  const existing = rows.filter(({ existingId }) => existingId !== undefined);
  return [
    ...jsonPages(fresh).map((page) => listStatement(INSERT_FRESH, page, bucket.id)),
    ...jsonPages(existing).map((page) =>
      listStatement(insertExisting(bucket.versioning !== null, sql), page, bucket.id, ...parameters),
    ),
  ];
}

function rowOf(
  bucket: EventBucket,
  event: PlannedEvent,
  origin: EventOrigin,
  { destination, ruleId }: EventRoute,
  now: number,
): {
  readonly key: string;
  readonly existingId: string | undefined;
  readonly destination: string | null;
  readonly record: string;
} {
  const { key, existingId } = event;
  return { key, existingId, destination, record: eventRecord(bucket, event, origin, ruleId, now) };
}

const INSERT_FRESH = `${INSERT}
  SELECT ?2, ${NEXT_SEQ} + e.key, e.value ->> 'key', e.value ->> 'destination', e.value ->> 'record'
  FROM json_each(?1) e`;

/** Inserts events only of versions that exist, with the version ids that clients see. */
function insertExisting(hasVersionIds: boolean, condition: string): string {
  const ofVersion = "bucket_id = ?2 AND key = e.value ->> 'key' AND version_id = e.value ->> 'existingId'";
  const record = hasVersionIds
    ? `json_set(value ->> 'record', '$.s3.object.versionId', iif(is_null, 'null', value ->> 'existingId'))`
    : "value ->> 'record'";
  return `${INSERT}
    SELECT ?2, ${NEXT_SEQ} + position, value ->> 'key', value ->> 'destination', ${record}
    FROM (
      SELECT e.key AS position, e.value, coalesce(
        (SELECT is_null_version FROM objects WHERE ${ofVersion}),
        (SELECT is_null_version FROM versions WHERE ${ofVersion})) AS is_null
      FROM json_each(?1) e
    ) WHERE is_null IS NOT NULL AND (${condition})`;
}

/** Writes one test event for each destination of a configuration. */
export function insertTestEvents(
  { id, name }: Pick<Bucket, "id" | "name">,
  origin: EventOrigin,
  destinations: readonly string[],
  now: number,
): Statement[] {
  const record = testEvent(name, origin, now);
  const rows = destinations.map((destination) => ({ key: "", destination, record }));
  return jsonPages(rows).map((page) => listStatement(INSERT_FRESH, page, id));
}

/** A stored event. */
export interface StoredEvent {
  readonly seq: number;
  readonly record: string;
}

/** A page of a bucket's feed. */
export interface EventPage {
  readonly events: readonly StoredEvent[];
  /** The sequence number of the newest stored event; undefined: none is stored. */
  readonly newest: number | undefined;
}

/** Looks up at most `limit` events of a bucket after a sequence number, the oldest first. */
export function lookUpEvents(bucketName: string, after: number, limit: number): Lookup<{ readonly page: EventPage }> {
  const ofBucket = "bucket_id = (SELECT id FROM buckets WHERE name = ?1)";
  return {
    statements: [
      statement(
        `SELECT seq, record FROM bucket_events WHERE ${ofBucket} AND seq > ?2 AND key <> '' ORDER BY seq LIMIT ?3`,
        bucketName,
        after,
        limit,
      ),
      statement(`SELECT max(seq) AS seq FROM bucket_events WHERE ${ofBucket}`, bucketName),
    ],
    read: (results) => ({
      page: {
        events: rowsOf<StoredEvent>(results),
        newest: rowsOf<{ readonly seq: number | null }>(results, 1)[0]?.seq ?? undefined,
      },
    }),
  };
}
