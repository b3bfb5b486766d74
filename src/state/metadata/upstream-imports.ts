// The tables upstream_imports and upstream_deletions: which objects are being copied from a bucket's upstream or wait for
// it, and which keys the bucket never imports. A row of the former is a claim until its time, so that one copy runs.
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import { jsonPages } from "../d1/json-pages.ts";
import { listStatement } from "../d1/joined-statements.ts";
import { BUCKET_COLUMNS, bucketFromRow, type Bucket, type BucketRow } from "./buckets.ts";

/** The SQL condition that a key was deleted, for the names of a bucket id and a key. */
export function isDeletedHere(bucketId: string, key: string): string {
  return `EXISTS (SELECT 1 FROM upstream_deletions d WHERE d.bucket_id = ${bucketId} AND d.key = ${key})`;
}

/** Records the deletion of keys that a bucket does not have, so that it never imports them. */
export function recordDeletions(bucketId: string, keys: readonly string[]): Statement[] {
  return jsonPages(keys).map((page) =>
    listStatement(
      `INSERT INTO upstream_deletions (bucket_id, key) SELECT ?2, value FROM json_each(?1) WHERE true
       ON CONFLICT DO NOTHING`,
      page,
      bucketId,
    ),
  );
}

/** Aborts the batch with "source changed" if the bucket has or had the key, or no upstream. */
export function guardImport(bucketId: string, key: string): Statement {
  return statement(`INSERT INTO import_guard (bucket_id, key) VALUES (?, ?)`, bucketId, key);
}

/** What all buckets of a user `u` store, in this database and in others. */
const storedOfUser = (column: "bytes" | "objects"): string =>
  `u.${column}_elsewhere + (SELECT sum(s.${column}) FROM bucket_quotas s WHERE s.user_id = u.user_id)`;

/**
 * Claims the copy of an object until a time; `changes` is 1 if it is claimed. The copy is claimed already while an
 * earlier claim lasts, needless once the bucket has the key, and in vain while its quota, or that of the user who
 * created it, has no room.
 * @param size bytes of the object
 * @param until milliseconds since the epoch; not after `now`: the job copies the object
 */
export function claimImport(bucketId: string, key: string, size: number, until: number, now: number): Statement {
  return statement(
    `INSERT INTO upstream_imports (bucket_id, key, due_at)
     SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM objects WHERE bucket_id = ?1 AND key = ?2)
       AND NOT EXISTS (SELECT 1 FROM upstream_deletions WHERE bucket_id = ?1 AND key = ?2)
       AND NOT EXISTS (SELECT 1 FROM bucket_quotas WHERE bucket_id = ?1 AND counted_to IS NULL
         AND (?5 > 0 AND bytes + ?5 > max_bytes OR objects >= max_objects))
       AND NOT EXISTS (SELECT 1 FROM bucket_quotas q JOIN user_quotas u ON u.user_id = q.user_id
         WHERE q.bucket_id = ?1 AND q.counted_to IS NULL
         AND (?5 > 0 AND ${storedOfUser("bytes")} + ?5 > u.max_bytes OR ${storedOfUser("objects")} >= u.max_objects))
     ON CONFLICT DO UPDATE SET due_at = excluded.due_at WHERE due_at <= ?4`,
    bucketId,
    key,
    until,
    now,
    size,
  );
}

/** Extends a claim. */
export function extendClaim(bucketId: string, key: string, until: number): Statement {
  return statement(`UPDATE upstream_imports SET due_at = ?3 WHERE bucket_id = ?1 AND key = ?2`, bucketId, key, until);
}

/** Ends a claim without a further attempt. */
export function endImport(bucketId: string, key: string): Statement {
  return statement(`DELETE FROM upstream_imports WHERE bucket_id = ? AND key = ?`, bucketId, key);
}

/** Lets the job try again at a time. */
export function retryImport(bucketId: string, key: string, dueAt: number): Statement {
  return statement(
    `UPDATE upstream_imports SET due_at = ?3, attempts = attempts + 1 WHERE bucket_id = ?1 AND key = ?2`,
    bucketId,
    key,
    dueAt,
  );
}

/** Records the slices that are stored, and lets the job continue. */
export function continueImport(bucketId: string, key: string, progress: string, dueAt: number): Statement {
  return statement(
    `UPDATE upstream_imports SET due_at = ?4, attempts = 0, progress = ?3 WHERE bucket_id = ?1 AND key = ?2`,
    bucketId,
    key,
    progress,
    dueAt,
  );
}

/** An import whose claim has ended. */
export interface DueImport {
  readonly bucketId: string;
  readonly key: string;
  readonly attempts: number;
  readonly progress: string | null;
  /** Undefined if the bucket or its upstream was deleted. */
  readonly bucket: Bucket | undefined;
}

interface ImportRow {
  readonly bucket_id_of_import: string;
  readonly key: string;
  readonly attempts: number;
  readonly progress: string | null;
  readonly bucket_id: string | null;
}

/**
 * Claims the import that has been due the longest.
 * @param now milliseconds since the epoch
 */
export function claimDueImport(now: number, until: number): Lookup<DueImport | undefined> {
  const first = `(SELECT i.bucket_id, i.key FROM upstream_imports i WHERE i.due_at <= ?1 ORDER BY i.due_at LIMIT 1)`;
  return {
    statements: [
      statement(
        `SELECT i.bucket_id AS bucket_id_of_import, i.key, i.attempts, i.progress, ${BUCKET_COLUMNS}
         FROM ${first} f JOIN upstream_imports i ON i.bucket_id = f.bucket_id AND i.key = f.key
           LEFT JOIN buckets b ON b.id = i.bucket_id AND b.upstream IS NOT NULL`,
        now,
      ),
      statement(`UPDATE upstream_imports SET due_at = ?2 WHERE (bucket_id, key) IN ${first}`, now, until),
    ],
    read: (results) => {
      const row = rowsOf<ImportRow & BucketRow>(results)[0];
      if (row === undefined) return undefined;
      const { bucket_id_of_import: bucketId, key, attempts, progress } = row;
      const bucket = isPresent(row) ? bucketFromRow(row) : undefined;
      return { bucketId, key, attempts, progress, bucket };
    },
  };
}

function isPresent(row: ImportRow | (ImportRow & BucketRow)): row is ImportRow & BucketRow {
  return row.bucket_id !== null;
}

/** Looks up the next bucket with recorded deletions after an id, and whether it still exists. */
export function lookUpDeletionBucket(
  after: string,
): Lookup<{ readonly bucketId: string; readonly exists: boolean } | undefined> {
  return {
    statements: [
      statement(
        `SELECT d.bucket_id, EXISTS (SELECT 1 FROM buckets b WHERE b.id = d.bucket_id) AS is_there
         FROM (SELECT bucket_id FROM upstream_deletions WHERE bucket_id > ? ORDER BY bucket_id LIMIT 1) d`,
        after,
      ),
    ],
    read(results) {
      const [row] = rowsOf<{ readonly bucket_id: string; readonly is_there: number }>(results);
      return row === undefined ? undefined : { bucketId: row.bucket_id, exists: row.is_there === 1 };
    },
  };
}

/** Purges recorded deletions of a bucket that was deleted. */
export function purgeDeletions(bucketId: string, limit: number): Statement {
  return statement(
    `DELETE FROM upstream_deletions WHERE bucket_id = ?1 AND key IN (
       SELECT key FROM upstream_deletions WHERE bucket_id = ?1 ORDER BY key LIMIT ?2)`,
    bucketId,
    limit,
  );
}
