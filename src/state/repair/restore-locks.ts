// Applies the records of Object Lock to a restored database: locks that were changed after the backup began. A COMPLIANCE
// retention in force is never shortened.
import type { FoundRecord, LockChange } from "../metadata/lock-records.ts";
import { statement, type Statement } from "../d1/database.ts";
import { RETENTION } from "../metadata/object-columns.ts";

/** How far the clocks of Workers may be apart. */
const CLOCK_MARGIN_MS = 10 * 60_000;

const OF_VERSION = "bucket_id = ?1 AND key = ?2 AND version_id = ?3";
const IS_SHORTENED = `(retention_mode = 'COMPLIANCE' AND retain_until > unixepoch('subsec') * 1000
  AND (?4 IS NOT 'COMPLIANCE' OR ?5 IS NULL OR ?5 < retain_until))`;

/**
 * The statements that apply some records. Where a database has no such version, they have no effect.
 * @param began when the backup began, in milliseconds since the epoch
 */
export function applyLockRecords(records: readonly FoundRecord[], began: number): Statement[] {
  return records.flatMap((record) => {
    const { bucketId } = record;
    if ("objectLock" in record) return [enableObjectLock(bucketId, record.objectLock)];
    return record.change.changedAt < began - CLOCK_MARGIN_MS ? [] : setLock(bucketId, record.change);
  });
}

/** Object Lock needs versioning, and a bucket that has it keeps both. */
function enableObjectLock(bucketId: string, objectLock: string): Statement {
  return statement(
    `UPDATE buckets SET object_lock = ?2, versioning = 'Enabled' WHERE id = ?1 AND object_lock IS NOT ?2`,
    bucketId,
    objectLock,
  );
}

function setLock(bucketId: string, { key, versionId, retention, legalHold }: LockChange): Statement[] {
  const [mode, until] = RETENTION.write(retention);
  return ["objects", "versions"].flatMap((table) => [
    statement(
      `UPDATE ${table} SET retention_mode = ?4, retain_until = ?5
       WHERE ${OF_VERSION} AND (retention_mode, retain_until) IS NOT (?4, ?5) AND NOT ${IS_SHORTENED}`,
      bucketId,
      key,
      versionId,
      mode ?? null,
      until ?? null,
    ),
    statement(
      `UPDATE ${table} SET legal_hold = ?4 WHERE ${OF_VERSION} AND legal_hold IS NOT ?4`,
      bucketId,
      key,
      versionId,
      legalHold ?? null,
    ),
  ]);
}
