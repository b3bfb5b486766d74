// The bucket_quotas table: what buckets with limits on storage store. Triggers keep the counters (see the migration); a
// bucket that had versions before its quota is counted here, one range of keys per statement, while it is written.
import { rowsOf, statement, type Database, type Lookup, type Statement } from "../d1/database.ts";

/** What a bucket with limits on storage stores. */
export interface StoredCounts {
  readonly bytes: number;
  /** Versions, without delete markers. */
  readonly objects: number;
  /** Whether all keys are counted, so that the limits are enforced. */
  readonly isCounted: boolean;
}

/** The most rows of one table that a statement counts. */
const RANGE_ROWS = 10_000;
/** The ranges of a user's buckets that a request counts. */
const USER_RANGES = 20;
// Keys have at most 1024 bytes.
const AFTER_ALL_KEYS = "\u{10ffff}".repeat(257);

/** Looks up what a bucket stores; undefined without limits on storage. */
export function lookUpStoredCounts(bucketName: string): Lookup<{ readonly stored: StoredCounts | undefined }> {
  return {
    statements: [
      statement(
        `SELECT bytes, objects, counted_to IS NULL AS is_counted FROM bucket_quotas
         WHERE bucket_id = (SELECT id FROM buckets WHERE name = ?)`,
        bucketName,
      ),
    ],
    read(results) {
      const [row] = rowsOf<{ bytes: number; objects: number; is_counted: number }>(results);
      if (row === undefined) return { stored: undefined };
      return { stored: { bytes: row.bytes, objects: row.objects, isCounted: row.is_counted === 1 } };
    },
  };
}

const nth = (table: string): string =>
  `SELECT (SELECT t.key FROM ${table} t WHERE t.bucket_id = ?1 AND t.key >= start.key ORDER BY t.key
     LIMIT 1 OFFSET ?2) FROM start`;
const inRange = (column: string, table: string): string =>
  `coalesce((SELECT ${column} FROM ${table} WHERE bucket_id = ?1 AND key >= counted_to
     AND key < coalesce((SELECT key FROM next), ?3)), 0)`;

/** Counts the next range of a bucket's keys. Changes no row once all are counted. */
export function countNextRange(bucketId: string): Statement {
  return statement(
    `WITH start (key) AS (SELECT counted_to FROM bucket_quotas WHERE bucket_id = ?1),
       found (key) AS (${nth("objects")} UNION ALL ${nth("versions")}),
       next (key) AS MATERIALIZED (
         SELECT CASE min(f.key) WHEN s.key THEN s.key || char(0) ELSE min(f.key) END FROM start s, found f)
     UPDATE bucket_quotas SET counted_to = (SELECT key FROM next),
       bytes = bytes + ${inRange("sum(size)", "objects")} + ${inRange("sum(size)", "versions")},
       objects = objects + ${inRange("count(*)", "objects")} + ${inRange("sum(1 - is_delete_marker)", "versions")}
     WHERE bucket_id = ?1 AND counted_to IS NOT NULL`,
    bucketId,
    RANGE_ROWS,
    AFTER_ALL_KEYS,
  );
}

/** Starts to count a bucket again. Its limits are enforced again when it is counted. */
export function restartCount(bucketId: string): Statement {
  return statement(`UPDATE bucket_quotas SET bytes = 0, objects = 0, counted_to = '' WHERE bucket_id = ?`, bucketId);
}

/** Looks up a bucket that is not counted yet, of one user or any. */
export function lookUpUncounted(userId?: string): Lookup<{ readonly bucketId: string | undefined }> {
  const ofUser = userId === undefined ? "" : "AND user_id = ?";
  return {
    statements: [
      statement(
        `SELECT bucket_id FROM bucket_quotas WHERE counted_to IS NOT NULL ${ofUser} LIMIT 1`,
        ...(userId === undefined ? [] : [userId]),
      ),
    ],
    read: (results) => ({ bucketId: rowsOf<{ bucket_id: string }>(results)[0]?.bucket_id }),
  };
}

/** Counts the first ranges of a user's buckets that are not counted yet. The job counts the others. */
export async function countBucketsOf(database: Database, userId: string): Promise<void> {
  for (let range = 0; range < USER_RANGES; range += 1) {
    const { bucketId } = await database.look(lookUpUncounted(userId));
    if (bucketId === undefined) return;
    await database.batch([countNextRange(bucketId)]);
  }
}

/** Marks a batch as a rename, which needs no room: its new version is written before the source is deleted. */
export function setMoving(bucketId: string, isMoving: boolean): Statement {
  return statement(`UPDATE bucket_quotas SET is_moving = ? WHERE bucket_id = ?`, isMoving ? 1 : 0, bucketId);
}
