// Purges events, deliveries and dead events whose time is over, one bucket after the other.
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";

/** Looks up the next bucket id, in their order, that has events or dead events; undefined after the last. */
export function lookUpNextEventBucket(after: string): Lookup<string | undefined> {
  return {
    statements: [
      statement(
        `SELECT min(id) AS id FROM (
           SELECT (SELECT bucket_id FROM bucket_events WHERE bucket_id > ?1 ORDER BY bucket_id LIMIT 1) AS id
           UNION ALL SELECT (SELECT bucket_id FROM dead_events WHERE bucket_id > ?1 ORDER BY bucket_id LIMIT 1))`,
        after,
      ),
    ],
    read: (results) => rowsOf<{ readonly id: string | null }>(results)[0]?.id ?? undefined,
  };
}

/**
 * The statements that purge at most `limit` events of a bucket from before a time (milliseconds since the epoch). Events
 * that were not delivered until then become dead events, of which at most `deadKept` remain; none of a deleted bucket.
 */
export function purgeEvents(
  bucketId: string,
  before: number,
  limit: number,
  now: number,
  deadKept: number,
): Statement[] {
  const expired = `SELECT seq FROM bucket_events WHERE bucket_id = ?1 AND seq < ?2 ORDER BY seq LIMIT ?3`;
  const bound = before * 1000;
  return [
    statement(
      `INSERT INTO dead_events (bucket_id, seq, destination, attempts, failed_at, reason, record)
       SELECT ?1, e.seq, e.destination, coalesce(d.attempts, 0), ?4, 'expired', e.record
       FROM bucket_events e JOIN event_deliveries d
         ON d.bucket_id = ?1 AND d.destination = e.destination AND d.key = e.key AND d.seq = e.seq
       WHERE e.bucket_id = ?1 AND e.seq IN (${expired}) ON CONFLICT DO NOTHING`,
      bucketId,
      bound,
      limit,
      now,
    ),
    statement(
      `DELETE FROM event_deliveries WHERE (bucket_id, destination, key, seq) IN (
         SELECT bucket_id, destination, key, seq FROM bucket_events
         WHERE bucket_id = ?1 AND destination IS NOT NULL AND seq IN (${expired}))`,
      bucketId,
      bound,
      limit,
    ),
    // What waited behind a purged delivery has become the oldest of its key.
    statement(
      `UPDATE event_deliveries SET due_at = ?4
       WHERE bucket_id = ?1 AND due_at IS NULL AND (destination, key) IN (
         SELECT destination, key FROM bucket_events
         WHERE bucket_id = ?1 AND destination IS NOT NULL AND seq IN (${expired}))
       AND NOT EXISTS (
         SELECT 1 FROM event_deliveries p WHERE p.bucket_id = ?1 AND p.destination = event_deliveries.destination
           AND p.key = event_deliveries.key AND p.seq < event_deliveries.seq)`,
      bucketId,
      bound,
      limit,
      now,
    ),
    statement(`DELETE FROM bucket_events WHERE bucket_id = ?1 AND seq IN (${expired})`, bucketId, bound, limit),
    statement(
      `DELETE FROM dead_events WHERE bucket_id = ?1 AND seq <= coalesce(
         (SELECT seq FROM dead_events WHERE bucket_id = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2), -1)`,
      bucketId,
      deadKept,
    ),
    statement(
      `DELETE FROM dead_events WHERE bucket_id = ?1 AND NOT EXISTS (SELECT 1 FROM buckets WHERE id = ?1)
         AND NOT EXISTS (SELECT 1 FROM bucket_events WHERE bucket_id = ?1)`,
      bucketId,
    ),
  ];
}
