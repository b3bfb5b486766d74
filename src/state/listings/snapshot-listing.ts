// Lists the keys of a bucket's snapshot, one statement per page. A page that meets too many keys newer than the
// snapshot ends early with the position where the next page begins.
import { lastListed, type ListingPage } from "../../protocol/listings/listing.ts";
import { bucketFromRow, selectBucket, type BucketRow } from "../metadata/buckets.ts";
import { rowsOf, statement, type Lookup } from "../d1/database.ts";
import { entryFromRow, lookUpObjectPage, type ListedRow, type ObjectPageFacts } from "./object-listing.ts";
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

interface WalkedRow extends ListedRow {
  readonly examined: number;
  readonly is_in_snapshot: number;
}

const COLUMNS = ["size", "etag", "modified_at", "owner_id", "storage_class", "checksum_algorithm", "checksum_type"]
  .map((column) => `coalesce(o.${column}, v.${column}) AS ${column}`)
  .join(", ");

function lookUpSnapshotPage(bucketName: string, page: SnapshotPage): Lookup<ObjectPageFacts> {
  const walk = walkKeys(bucketName, page);
  const isRolledUp = page.delimiter === "" ? "0" : `${DELIMITER_AT} > 0`;
  const listing = statement(
    `${walk.sql}
     SELECT page.key, page.examined, ${IS_IN_SNAPSHOT} AS is_in_snapshot, ${COLUMNS},
       CASE WHEN ${isRolledUp} THEN substr(page.key, 1, ?4 + ${DELIMITER_AT} - 1) || ?5 END AS common_prefix
     FROM page ${JOIN_SNAPSHOT_VERSION}
     WHERE page.key IS NOT NULL AND (${IS_IN_SNAPSHOT} OR page.examined = ?8)
     ORDER BY page.key`,
    ...walk.parameters,
  );
  return {
    statements: page.limit > 0 ? [selectBucket(bucketName), listing] : [selectBucket(bucketName)],
    read: (results) => {
      const rows = rowsOf<WalkedRow>(results, 1);
      const matches = rows.filter((row) => row.is_in_snapshot === 1);
      const entries = matches.slice(0, page.limit).map(entryFromRow);
      // If the walk reached its bound before the page was full, the last examined key ends the page.
      const examined = rows.find((row) => row.examined === WALK_MAX_KEYS && matches.length <= page.limit);
      return {
        bucket: rowsOf<BucketRow>(results).map(bucketFromRow)[0],
        entries,
        isTruncated: matches.length > page.limit || examined !== undefined,
        last: examined?.is_in_snapshot === 0 ? examined.key : lastListed(entries),
      };
    },
  };
}
