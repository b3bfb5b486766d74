// The keys of a bucket as a snapshot knows them: the walk that listings and restorations share. It steps from key to
// key over both tables and never along a key's versions, so that it costs a few rows for each key; but keys that came
// after the snapshot are steps as well, which is why it is bounded.
import { successorOfPrefix } from "../../bytes/text.ts";
import type { ListingPage } from "../../protocol/listings/listing.ts";
import type { SqlValue } from "../d1/database.ts";

/** The most keys that a walk looks at, whether the snapshot shows them or not. */
export const WALK_MAX_KEYS = 4000;

export interface SnapshotPage extends ListingPage {
  readonly snapshot: string;
}

/** A walk as the beginning of a statement, with its parameters ?1 … ?9. */
export interface SnapshotWalk {
  /** Makes the table `page`: `key`, and how many keys were `examined` up to it. */
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

const BUCKET_ID = "(SELECT id FROM buckets WHERE name = ?1)";
const CUTOFF = `(SELECT s.cutoff FROM snapshots s WHERE s.bucket_id = ${BUCKET_ID} AND s.name = ?7)`;

/** Where the delimiter (?5) stands in what follows the prefix (of ?4 characters), counted from 1; 0 for nowhere. */
export const DELIMITER_AT = "instr(substr(page.key, ?4 + 1), ?5)";

/**
 * Joins to `page` what the snapshot shows of its key: `o` where that is the current version still, `v` where it is a
 * noncurrent one or a delete marker.
 */
export const SHOWN = `LEFT JOIN objects o ON o.bucket_id = ${BUCKET_ID} AND o.key = page.key AND o.version_id >= ${CUTOFF}
  LEFT JOIN versions v ON o.key IS NULL AND v.bucket_id = ${BUCKET_ID} AND v.key = page.key AND v.version_id = (
    SELECT n.version_id FROM versions n WHERE n.bucket_id = ${BUCKET_ID} AND n.key = page.key
      AND n.version_id >= ${CUTOFF} ORDER BY n.version_id LIMIT 1)`;

/** Whether the snapshot shows the key, where {@link SHOWN} is joined. */
export const IS_SHOWN = "(o.key IS NOT NULL OR coalesce(v.is_delete_marker, 1) = 0)";

/** Walks the keys of a page until one more than its limit is shown, or as many as may be were examined. */
export function walkKeys(bucketName: string, page: SnapshotPage): SnapshotWalk {
  const end = successorOfPrefix(page.prefix);
  const upper = end === undefined ? "" : "AND t.key < ?9";
  const firstFrom = (from: string): string => {
    const arm = (table: string): string =>
      `SELECT * FROM (SELECT t.key FROM ${table} t
         WHERE t.bucket_id = ${BUCKET_ID} AND t.key >= ${from} ${upper} ORDER BY t.key LIMIT 1)`;
    return `(SELECT key FROM (${arm("objects")} UNION ALL ${arm("versions")}) ORDER BY key LIMIT 1)`;
  };
  // Past a common prefix that is shown, as object-listing.ts does; past one that is not yet, there may be keys of it.
  const past = successorOfPrefix(page.delimiter) ?? page.delimiter + "\u{10ffff}".repeat(256);
  const isRolledUp = page.delimiter === "" ? "0" : `${DELIMITER_AT} > 0`;
  const next = `CASE WHEN ${isRolledUp} AND ${IS_SHOWN}
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
    sql: `WITH RECURSIVE page (key, examined, shown) AS (
      SELECT ${firstFrom("?2")}, 1, 0
      UNION ALL
      SELECT ${firstFrom(next)}, page.examined + 1, page.shown + ${IS_SHOWN}
      FROM page ${SHOWN}
      WHERE page.key IS NOT NULL AND page.examined < ?8 AND page.shown + ${IS_SHOWN} < ?3
    )`,
    parameters,
  };
}
