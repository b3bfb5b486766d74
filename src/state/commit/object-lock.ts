// Object Lock in commits: the default retention of new versions, and the bypass of GOVERNANCE retentions, by the
// database's clock. The guard itself are the triggers of the migration object_lock: they abort every batch that deletes or
// replaces a locked version, so no statement here needs to be trusted. See docs/object-lock.md.
import { objectLockText } from "../../protocol/objects/object-lock-configuration.ts";
import type { Bucket } from "../metadata/buckets.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import { listStatement } from "../d1/joined-statements.ts";
import type { VersionTarget } from "./version-moves.ts";

const NO_DEFAULT = objectLockText({ defaultRetention: undefined });

/** The database's clock, in milliseconds since the epoch. */
const DATABASE_NOW = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/**
 * An SQL condition: 1 if the version of the row alias `row` (objects or versions) is locked, else 0.
 * @param later a time in milliseconds since the epoch, if it is to be locked then and not only now
 */
export function isLocked(row: string, later?: number): string {
  const at = later === undefined ? DATABASE_NOW : `max(${Math.trunc(later)}, ${DATABASE_NOW})`;
  return `(${row}.legal_hold IS 'ON' OR coalesce(${row}.retain_until, 0) > ${at})`;
}

/** Whether Object Lock is enabled for a bucket. */
export function hasObjectLock({ configurations }: Bucket): boolean {
  return configurations.object_lock !== null;
}

/**
 * Gives the new current version of a key the bucket's default retention, as it is when the batch runs, unless the
 * version has a retention of its own. No statement for a bucket without a default retention.
 */
export function applyDefaultRetention(bucket: Bucket, key: string): Statement[] {
  const { object_lock: text } = bucket.configurations;
  if (text === null || text === NO_DEFAULT) return [];
  const period = `CASE WHEN b.object_lock ->> '$.default.days' IS NULL
    THEN '+' || (b.object_lock ->> '$.default.years') || ' years' ELSE '+' || (b.object_lock ->> '$.default.days') || ' days' END`;
  return [
    listStatement(
      `UPDATE objects SET (retention_mode, retain_until) = (
         SELECT b.object_lock ->> '$.default.mode', CAST(unixepoch('now', ${period}, 'subsec') * 1000 AS INTEGER)
         FROM buckets b WHERE b.name = ?3)
       WHERE bucket_id = ?2 AND key IN (SELECT value FROM json_each(?1)) AND retention_mode IS NULL
         AND EXISTS (SELECT 1 FROM buckets b WHERE b.name = ?3 AND b.object_lock ->> '$.default.mode' IS NOT NULL)`,
      [key],
      bucket.id,
      bucket.name,
    ),
  ];
}

/** Removes the GOVERNANCE retentions of versions that the same batch purges. Legal holds and COMPLIANCE stay. */
export function bypassGovernance(bucketId: string, targets: readonly VersionTarget[]): Statement[] {
  if (targets.length === 0) return [];
  const json = JSON.stringify(targets.map(({ key, versionId }) => ({ key, versionId })));
  return (["objects", "versions"] as const).map((table) =>
    listStatement(
      `UPDATE ${table} SET retention_mode = NULL, retain_until = NULL
       WHERE bucket_id = ?2 AND retention_mode = 'GOVERNANCE' AND (key, version_id) IN (
         SELECT value ->> 'key', value ->> 'versionId' FROM json_each(?1))`,
      json,
      bucketId,
    ),
  );
}

/** A version to purge, and whether its GOVERNANCE retention is bypassed. */
export interface LockedTarget extends VersionTarget {
  readonly bypassesGovernance?: boolean | undefined;
}

const arm = (table: string): string =>
  `SELECT c.key AS number FROM json_each(?2) c CROSS JOIN ${table} t
     ON t.bucket_id = ?1 AND t.key = c.value ->> 0 AND t.version_id = c.value ->> 1
   WHERE ${isLocked("t")} AND NOT (
     c.value ->> 2 = 1 AND t.retention_mode IS 'GOVERNANCE' AND t.legal_hold IS NOT 'ON')`;

/** Looks up the indexes of the versions that are locked. */
export function lookUpLocked(bucketId: string, targets: readonly LockedTarget[]): Lookup<ReadonlySet<number>> {
  return {
    statements: [
      statement(
        `${arm("objects")} UNION ALL ${arm("versions")}`,
        bucketId,
        JSON.stringify(targets.map((one) => [one.key, one.versionId, one.bypassesGovernance === true ? 1 : 0])),
      ),
    ],
    read: (results) => new Set(rowsOf<{ readonly number: number }>(results).map(({ number }) => number)),
  };
}
