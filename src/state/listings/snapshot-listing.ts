// Lists the keys of a bucket's snapshot, one statement per page. A page ends early after too many keys newer than the
// snapshot, with the position where the next page begins.
import { lastListed, type ListingPage } from "../../protocol/listings/listing.ts";
import { bucketFromRow, selectBucket, type BucketRow } from "../metadata/buckets.ts";
import { rowsOf, type Lookup } from "../d1/database.ts";
import { entryFromFields, LISTED_COLUMNS, lookUpObjectPage, type ObjectPageFacts } from "./object-listing.ts";
import { pageText } from "./page-text.ts";
import {
  DELIMITER_AT,
  IS_IN_SNAPSHOT,
  JOIN_SNAPSHOT_VERSION,
  WALK_MAX_KEYS,
  walkKeys,
  type SnapshotPage,
} from "../snapshots/snapshot-keys.ts";

/** Looks up a bucket and a page of its keys, or of the keys of one of its snapshots. */
export function lookUpListing(bucketName: string, page: ListingPage): Lookup<ObjectPageFacts> {
  const { snapshot } = page;
  return snapshot === undefined
    ? lookUpObjectPage(bucketName, page)
    : lookUpSnapshotPage(bucketName, { ...page, snapshot });
}

const SELECTED = LISTED_COLUMNS.map((column) => `coalesce(o.${column}, v.${column}) AS ${column}`).join(", ");

const IN_SNAPSHOT = LISTED_COLUMNS.length;
const EXAMINED = IN_SNAPSHOT + 1;
const ROLLED_UP = EXAMINED + 1;
const LAST_EXAMINED = String(WALK_MAX_KEYS);

function isInSnapshot(fields: readonly string[]): boolean {
  return fields[IN_SNAPSHOT] === "1";
}

function lookUpSnapshotPage(bucketName: string, page: SnapshotPage): Lookup<ObjectPageFacts> {
  const walk = walkKeys(bucketName, page);
  const isRolledUp = page.delimiter === "" ? "0" : `(${DELIMITER_AT} > 0 AND ${IS_IN_SNAPSHOT})`;
  const listing = pageText({
    columns: [...LISTED_COLUMNS, "is_in_snapshot", "examined", "is_rolled_up"],
    // A common prefix has columns too, so it is read as a key.
    sql: `${walk.sql}
     SELECT 0 AS is_common_prefix, page.examined, ${IS_IN_SNAPSHOT} AS is_in_snapshot, ${isRolledUp} AS is_rolled_up, ${SELECTED},
       CASE WHEN ${isRolledUp} THEN substr(page.key, 1, ?4 + ${DELIMITER_AT} - 1) || ?5 ELSE page.key END AS key
     FROM page ${JOIN_SNAPSHOT_VERSION}
     WHERE page.key IS NOT NULL AND (${IS_IN_SNAPSHOT} OR page.examined = ?8)
     ORDER BY page.key`,
    parameters: walk.parameters,
  });
  return {
    statements: page.limit > 0 ? [selectBucket(bucketName), listing.statement] : [selectBucket(bucketName)],
    read: (results) => {
      const rows = listing.read(results[1]);
      const matches = rows.filter((fields) => isInSnapshot(fields));
      const entries = matches
        .slice(0, page.limit)
        .map((fields) => (fields[ROLLED_UP] === "1" ? { commonPrefix: fields.at(-1) ?? "" } : entryFromFields(fields)));
      // If the walk reached its bound before the page was full, the last examined key ends the page.
      const examined = rows.find((fields) => fields[EXAMINED] === LAST_EXAMINED && matches.length <= page.limit);
      return {
        bucket: rowsOf<BucketRow>(results).map(bucketFromRow)[0],
        entries,
        isTruncated: matches.length > page.limit || examined !== undefined,
        last: examined === undefined || isInSnapshot(examined) ? lastListed(entries) : examined.at(-1),
      };
    },
  };
}
