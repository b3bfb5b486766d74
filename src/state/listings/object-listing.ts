// Lists the current versions of a bucket, one statement per page. With a delimiter the statement seeks from a common
// prefix to the first key after it, so a page costs only the entries that it returns.
import { successorOfPrefix } from "../../bytes/text.ts";
import type { ChecksumAlgorithm, ChecksumType } from "../../protocol/core/checksums.ts";
import { lastListed, type ListingPage } from "../../protocol/listings/listing.ts";
import type { ListingEntry } from "../../protocol/objects/stored-object.ts";
import { bucketFromRow, selectBucket, type BucketFacts, type BucketRow } from "../metadata/buckets.ts";
import { rowsOf, statement, type Lookup, type SqlValue, type Statement } from "../d1/database.ts";

export interface ObjectPageFacts extends BucketFacts {
  readonly entries: readonly ListingEntry[];
  /** Whether more entries follow those of the page. */
  readonly isTruncated: boolean;
  /** The key or common prefix after which the next page begins. */
  readonly last: string | undefined;
}

/** The columns of a listed object. */
export interface ListedRow {
  readonly key: string;
  readonly common_prefix: string | null;
  readonly size: number;
  readonly etag: string;
  readonly modified_at: number;
  readonly owner_id: string;
  readonly storage_class: string;
  readonly checksum_algorithm: ChecksumAlgorithm | null;
  readonly checksum_type: ChecksumType | null;
}

/** The columns of a {@link ListedRow} except its key, for the table alias `o`. */
export const LISTED_COLUMNS =
  "o.size, o.etag, o.modified_at, o.owner_id, o.storage_class, o.checksum_algorithm, o.checksum_type";
/** The 1-based position of the delimiter (?5) after the prefix (of ?4 characters); 0: none. */
const DELIMITER_AT = "instr(substr(page.key, ?4 + 1), ?5)";
const BUCKET_ID = "(SELECT id FROM buckets WHERE name = ?1)";

/** Looks up a bucket and a page of its keys. One entry beyond the limit shows that the page is truncated. */
export function lookUpObjectPage(bucketName: string, page: ListingPage): Lookup<ObjectPageFacts> {
  const statements = [selectBucket(bucketName)];
  if (page.limit > 0) {
    statements.push(page.delimiter === "" ? plainPage(bucketName, page) : delimitedPage(bucketName, page));
  }
  return {
    statements,
    read: (results) => {
      const rows = rowsOf<ListedRow>(results, 1);
      const entries = rows.slice(0, page.limit).map(entryFromRow);
      return {
        bucket: rowsOf<BucketRow>(results).map(bucketFromRow)[0],
        entries,
        isTruncated: rows.length > page.limit,
        last: lastListed(entries),
      };
    },
  };
}

function plainPage(bucketName: string, { prefix, from, limit }: ListingPage): Statement {
  const end = successorOfPrefix(prefix);
  const parameters: SqlValue[] = [bucketName, from, limit + 1];
  if (end !== undefined) parameters.push(end);
  return statement(
    `SELECT o.key, NULL AS common_prefix, ${LISTED_COLUMNS} FROM objects o
     WHERE o.bucket_id = ${BUCKET_ID} AND o.key >= ?2 ${end === undefined ? "" : "AND o.key < ?4"}
     ORDER BY o.key LIMIT ?3`,
    ...parameters,
  );
}

/**
 * Selects a page with common prefixes. Each step of the recursion finds the next key: the first after the current one,
 * or after its common prefix if it contains the delimiter. The text after a common prefix is the prefix with its
 * delimiter replaced by the least text greater than all texts that begin with the delimiter.
 */
function delimitedPage(bucketName: string, { prefix, delimiter, from, limit }: ListingPage): Statement {
  const end = successorOfPrefix(prefix);
  const upper = end === undefined ? "" : "AND o.key < ?7";
  // A delimiter of U+10FFFF alone has no successor. 256 more of them (1024 bytes) sort after any key with the prefix.
  const pastDelimiter = successorOfPrefix(delimiter) ?? delimiter + "\u{10ffff}".repeat(256);
  const next = `CASE WHEN ${DELIMITER_AT} > 0
      THEN substr(page.key, 1, ?4 + ${DELIMITER_AT} - 1) || ?6 ELSE page.key || char(0) END`;
  const parameters: SqlValue[] = [bucketName, from, limit + 1, Array.from(prefix).length, delimiter, pastDelimiter];
  if (end !== undefined) parameters.push(end);
  return statement(
    `WITH RECURSIVE page (key) AS (
       SELECT (SELECT o.key FROM objects o WHERE o.bucket_id = ${BUCKET_ID} AND o.key >= ?2 ${upper}
               ORDER BY o.key LIMIT 1)
       UNION ALL
       SELECT (SELECT o.key FROM objects o WHERE o.bucket_id = ${BUCKET_ID} AND o.key >= ${next} ${upper}
               ORDER BY o.key LIMIT 1)
       FROM page WHERE page.key IS NOT NULL
       LIMIT ?3
     )
     SELECT page.key,
       CASE WHEN ${DELIMITER_AT} > 0
         THEN substr(page.key, 1, ?4 + ${DELIMITER_AT} - 1) || ?5 END AS common_prefix,
       ${LISTED_COLUMNS}
     FROM page LEFT JOIN objects o
       ON ${DELIMITER_AT} = 0 AND o.bucket_id = ${BUCKET_ID} AND o.key = page.key
     WHERE page.key IS NOT NULL ORDER BY page.key`,
    ...parameters,
  );
}

export function entryFromRow(row: ListedRow): ListingEntry {
  if (row.common_prefix !== null) return { commonPrefix: row.common_prefix };
  return {
    object: {
      key: row.key,
      size: row.size,
      etag: row.etag,
      modifiedAt: row.modified_at,
      ownerId: row.owner_id,
      storageClass: row.storage_class,
      checksumAlgorithm: row.checksum_algorithm ?? undefined,
      checksumType: row.checksum_type ?? undefined,
    },
  };
}
