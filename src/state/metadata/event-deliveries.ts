// The deliveries of events: claims what is due, records outcomes, and keeps what was given up. Of each destination and
// key, only the oldest event is ever due, so a destination gets the events of a key in order.
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";

/** An event that this caller alone delivers until its claim ends. */
export interface ClaimedEvent {
  readonly bucketId: string;
  readonly destination: string;
  readonly key: string;
  readonly seq: number;
  /** Including the one that follows the claim. */
  readonly attempts: number;
  readonly record: string;
}

interface ClaimedRow {
  readonly bucket_id: string;
  readonly destination: string;
  readonly key: string;
  readonly seq: number;
  readonly attempts: number;
  readonly record: string | null;
}

/**
 * Claims at most `limit` due events.
 * @param now milliseconds since the epoch
 * @param until when the claims end, in milliseconds since the epoch; an event without outcome is due again then
 */
export function claimEvents(now: number, until: number, limit: number): Lookup<readonly ClaimedEvent[]> {
  return {
    statements: [
      statement(
        `UPDATE event_deliveries SET due_at = ?2, attempts = attempts + 1
         WHERE (bucket_id, destination, key, seq) IN (
           SELECT bucket_id, destination, key, seq FROM event_deliveries WHERE due_at <= ?1 ORDER BY due_at LIMIT ?3)
         RETURNING bucket_id, destination, key, seq, attempts, (
           SELECT e.record FROM bucket_events e
           WHERE e.bucket_id = event_deliveries.bucket_id AND e.seq = event_deliveries.seq) AS record`,
        now,
        until,
        limit,
      ),
    ],
    read: (results) =>
      rowsOf<ClaimedRow>(results).map(({ bucket_id: bucketId, destination, key, seq, attempts, record }) => ({
        bucketId,
        destination,
        key,
        seq,
        attempts,
        record: record ?? "{}",
      })),
  };
}

/** What became of a claimed event: accepted, to be retried at a time, or given up. */
export type DeliveryOutcome =
  | { readonly kind: "delivered" }
  | { readonly kind: "retry"; readonly dueAt: number }
  | { readonly kind: "dead"; readonly reason: string };

/**
 * The statements that record outcomes. An event that leaves makes the next one of its key due.
 * @param now milliseconds since the epoch
 */
export function recordOutcomes(outcomes: ReadonlyMap<ClaimedEvent, DeliveryOutcome>, now: number): Statement[] {
  const all = Array.from(outcomes, ([{ bucketId, destination, key, seq, attempts }, outcome]) => ({
    bucketId,
    destination,
    key,
    seq,
    attempts,
    ...outcome,
  }));
  const dead = all.filter(({ kind }) => kind === "dead");
  const left = all.filter(({ kind }) => kind !== "retry");
  const retried = all.filter(({ kind }) => kind === "retry");
  return [
    ...(dead.length === 0 ? [] : [statement(INSERT_DEAD, JSON.stringify(dead), now)]),
    ...(left.length === 0
      ? []
      : [statement(DELETE_LEFT, JSON.stringify(left)), statement(RELEASE_NEXT, JSON.stringify(left), now)]),
    ...(retried.length === 0 ? [] : [statement(POSTPONE, JSON.stringify(retried))]),
  ];
}

const IDS = `SELECT value ->> 'bucketId', value ->> 'destination', value ->> 'key', value ->> 'seq' FROM json_each(?1)`;

const INSERT_DEAD = `INSERT INTO dead_events (bucket_id, seq, destination, attempts, failed_at, reason, record)
  SELECT e.bucket_id, e.seq, d.value ->> 'destination', d.value ->> 'attempts', ?2, d.value ->> 'reason', e.record
  FROM json_each(?1) d CROSS JOIN bucket_events e ON e.bucket_id = d.value ->> 'bucketId' AND e.seq = d.value ->> 'seq'
  WHERE true ON CONFLICT DO NOTHING`;

const DELETE_LEFT = `DELETE FROM event_deliveries WHERE (bucket_id, destination, key, seq) IN (${IDS})`;

const RELEASE_NEXT = `UPDATE event_deliveries SET due_at = ?2
  WHERE due_at IS NULL AND (bucket_id, destination, key, seq) IN (
    SELECT d.value ->> 'bucketId', d.value ->> 'destination', d.value ->> 'key', (
      SELECT min(n.seq) FROM event_deliveries n
      WHERE n.bucket_id = d.value ->> 'bucketId' AND n.destination = d.value ->> 'destination'
        AND n.key = d.value ->> 'key')
    FROM json_each(?1) d)`;

/** A claim that ended meanwhile has a higher number of attempts, and another caller decides. */
const POSTPONE = `UPDATE event_deliveries SET due_at = (
    SELECT r.value ->> 'dueAt' FROM json_each(?1) r
    WHERE r.value ->> 'bucketId' = event_deliveries.bucket_id AND r.value ->> 'destination' = event_deliveries.destination
      AND r.value ->> 'key' = event_deliveries.key AND r.value ->> 'seq' = event_deliveries.seq)
  WHERE (bucket_id, destination, key, seq, attempts) IN (
    SELECT value ->> 'bucketId', value ->> 'destination', value ->> 'key', value ->> 'seq', value ->> 'attempts'
    FROM json_each(?1))`;

/** An event that was given up. */
export interface DeadEvent {
  readonly seq: number;
  readonly destination: string;
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly failedAt: number;
  readonly reason: string;
  readonly record: string;
}

/** Looks up at most `limit` events of a bucket that were given up, after a sequence number, the oldest first. */
export function lookUpDeadEvents(
  bucketName: string,
  after: number,
  limit: number,
): Lookup<{ readonly dead: readonly DeadEvent[] }> {
  return {
    statements: [
      statement(
        `SELECT seq, destination, attempts, failed_at AS failedAt, reason, record FROM dead_events
         WHERE bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND seq > ?2 ORDER BY seq LIMIT ?3`,
        bucketName,
        after,
        limit,
      ),
    ],
    read: (results) => ({ dead: rowsOf<DeadEvent>(results) }),
  };
}
