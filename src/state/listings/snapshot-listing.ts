// Listing the keys that a snapshot of a bucket shows, one statement a page, as object-listing.ts lists those that the
// bucket has now. A page that meets too many keys from after the snapshot ends early, and says where.
import { lastListed, type ListingPage } from "../../protocol/listings/listing.ts";
import { bucketFromRow, selectBucket, type BucketRow } from "../metadata/buckets.ts";
import { rowsOf, statement, type Lookup } from "../d1/database.ts";
import { entryFromRow, lookUpObjectPage, type ListedRow, type ObjectPageFacts } from "./object-listing.ts";
import {
  DELIMITER_AT,
  IS_SHOWN,
  SHOWN,
  WALK_MAX_KEYS,
  walkKeys,
  type SnapshotPage,
} from "../snapshots/snapshot-keys.ts";

/** Looks up a bucket and a page of its keys, or of those that one of its snapshots shows. */
export function lookUpListing(bucketName: string, page: ListingPage): Lookup<ObjectPageFacts> {
  const { snapshot } = page;
  return snapshot === undefined
    ? lookUpObjectPage(bucketName, page)
    : lookUpSnapshotPage(bucketName, { ...page, snapshot });
}

interface WalkedRow extends ListedRow {
  readonly examined: number;
  readonly is_shown: number;
}

const COLUMNS = ["size", "etag", "modified_at", "owner_id", "storage_class", "checksum_algorithm", "checksum_type"]
  .map((column) => `coalesce(o.${column}, v.${column}) AS ${column}`)
  .join(", ");

function lookUpSnapshotPage(bucketName: string, page: SnapshotPage): Lookup<ObjectPageFacts> {
  const walk = walkKeys(bucketName, page);
  const isRolledUp = page.delimiter === "" ? "0" : `${DELIMITER_AT} > 0`;
  const listing = statement(
    `${walk.sql}
     SELECT page.key, page.examined, ${IS_SHOWN} AS is_shown, ${COLUMNS},
       CASE WHEN ${isRolledUp} THEN substr(page.key, 1, ?4 + ${DELIMITER_AT} - 1) || ?5 END AS common_prefix
     FROM page ${SHOWN}
     WHERE page.key IS NOT NULL AND (${IS_SHOWN} OR page.examined = ?8)
     ORDER BY page.key`,
    ...walk.parameters,
  );
  return {
    statements: page.limit > 0 ? [selectBucket(bucketName), listing] : [selectBucket(bucketName)],
    read: (results) => {
      const rows = rowsOf<WalkedRow>(results, 1);
      const shown = rows.filter((row) => row.is_shown === 1);
      const entries = shown.slice(0, page.limit).map(entryFromRow);
      // What was looked at last ends the page where that is not full.
      const examined = rows.find((row) => row.examined === WALK_MAX_KEYS && shown.length <= page.limit);
      return {
        bucket: rowsOf<BucketRow>(results).map(bucketFromRow)[0],
        entries,
        isTruncated: shown.length > page.limit || examined !== undefined,
        last: examined?.is_shown === 0 ? examined.key : lastListed(entries),
      };
    },
  };
}
