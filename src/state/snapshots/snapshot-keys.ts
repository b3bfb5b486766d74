// Walks the keys of a bucket as of a snapshot, for listings and restores. The walk seeks from key to key in both tables
// and never scans a key's versions, so each key costs a few rows. Keys newer than the snapshot cost the same, so the
// walk is bounded.
import { successorOfPrefix } from "../../bytes/text.ts";
import type { ListingPage } from "../../protocol/listings/listing.ts";
import type { SqlValue } from "../d1/database.ts";

/** The most keys that a walk examines, in the snapshot or not. */
export const WALK_MAX_KEYS = 4000;

export interface SnapshotPage extends ListingPage {
  readonly snapshot: string;
}

/** The WITH clause of a walk, with its parameters ?1 … ?9. */
export interface SnapshotWalk {
  /** Defines the table `page` with `key` and the number of keys `examined` so far. */
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

const BUCKET_ID = "(SELECT id FROM buckets WHERE name = ?1)";
const CUTOFF = `(SELECT s.cutoff FROM snapshots s WHERE s.bucket_id = ${BUCKET_ID} AND s.name = ?7)`;

/** The 1-based position of the delimiter (?5) after the prefix (of ?4 characters); 0: none. */
export const DELIMITER_AT = "instr(substr(page.key, ?4 + 1), ?5)";

/**
 * Joins the version of each key that the snapshot contains: as `o` if it is still current, as `v` if it is noncurrent
 * or a delete marker.
 */
export const JOIN_SNAPSHOT_VERSION = `LEFT JOIN objects o ON o.bucket_id = ${BUCKET_ID} AND o.key = page.key AND o.version_id >= ${CUTOFF}
  LEFT JOIN versions v ON o.key IS NULL AND v.bucket_id = ${BUCKET_ID} AND v.key = page.key AND v.version_id = (
    SELECT n.version_id FROM versions n WHERE n.bucket_id = ${BUCKET_ID} AND n.key = page.key
      AND n.version_id >= ${CUTOFF} ORDER BY n.version_id LIMIT 1)`;

/** Whether the snapshot contains a version of the key that is no delete marker. Requires {@link JOIN_SNAPSHOT_VERSION}. */
export const IS_IN_SNAPSHOT = "(o.key IS NOT NULL OR coalesce(v.is_delete_marker, 1) = 0)";

/** Walks keys until one more than the page's limit is in the snapshot, or {@link WALK_MAX_KEYS} were examined. */
export function walkKeys(bucketName: string, page: SnapshotPage): SnapshotWalk {
  const end = successorOfPrefix(page.prefix);
  const upper = end === undefined ? "" : "AND t.key < ?9";
  const firstFrom = (from: string): string => {
    const arm = (table: string): string =>
      `SELECT * FROM (SELECT t.key FROM ${table} t
         WHERE t.bucket_id = ${BUCKET_ID} AND t.key >= ${from} ${upper} ORDER BY t.key LIMIT 1)`;
    return `(SELECT key FROM (${arm("objects")} UNION ALL ${arm("versions")}) ORDER BY key LIMIT 1)`;
  };
  // The walk seeks past a common prefix only once a key of it is in the snapshot (compare object-listing.ts).
  const past = successorOfPrefix(page.delimiter) ?? page.delimiter + "\u{10ffff}".repeat(256);
  const isRolledUp = page.delimiter === "" ? "0" : `${DELIMITER_AT} > 0`;
  const next = `CASE WHEN ${isRolledUp} AND ${IS_IN_SNAPSHOT}
    THEN substr(page.key, 1, ?4 + ${DELIMITER_AT} - 1) || ?6 ELSE page.key || char(0) END`;
  const parameters: SqlValue[] = [
    bucketName,
    page.from,
    page.limit + 1,
    Array.from(page.prefix).length,
    page.delimiter,
    past,
    page.snapshot,
    WALK_MAX_KEYS,
  ];
  if (end !== undefined) parameters.push(end);
  return {
    sql: `WITH RECURSIVE page (key, examined, found) AS (
      SELECT ${firstFrom("?2")}, 1, 0
      UNION ALL
      SELECT ${firstFrom(next)}, page.examined + 1, page.found + ${IS_IN_SNAPSHOT}
      FROM page ${JOIN_SNAPSHOT_VERSION}
      WHERE page.key IS NOT NULL AND page.examined < ?8 AND page.found + ${IS_IN_SNAPSHOT} < ?3
    )`,
    parameters,
  };
}
