// Lists the current versions of a bucket, one statement per page. With a delimiter the statement seeks from a common
// prefix to the first key after it, so a page costs only the entries that it returns.
import { successorOfPrefix } from "../../bytes/text.ts";
import type { ChecksumAlgorithm, ChecksumType } from "../../protocol/core/checksums.ts";
import { lastListed, type ListingPage } from "../../protocol/listings/listing.ts";
import type { ListingEntry } from "../../protocol/objects/stored-object.ts";
import { bucketFromRow, selectBucket, type BucketFacts, type BucketRow } from "../metadata/buckets.ts";
import { rowsOf, statement, type Lookup, type SqlValue, type Statement } from "../d1/database.ts";
import { entriesText, keyEntry, optionalText, prefixEntry } from "./page-text.ts";

export interface ObjectPageFacts extends BucketFacts {
  readonly entries: readonly ListingEntry[];
  /** Whether more entries follow those of the page. */
  readonly isTruncated: boolean;
  /** The key or common prefix after which the next page begins. */
  readonly last: string | undefined;
}

/** The columns of a listed object before its key. */
export const LISTED_COLUMNS = [
  "size",
  "etag",
  "modified_at",
  "owner_id",
  "storage_class",
  "checksum_algorithm",
  "checksum_type",
] as const;
const OBJECT_ENTRY = keyEntry(
  LISTED_COLUMNS.map((column) => `o.${column}`),
  "o.key",
);
/** The 1-based position of the delimiter (?5) in a text, after the prefix (of ?4 characters); 0: none. */
const delimiterIn = (text: string): string => `instr(substr(${text}, ?4 + 1), ?5)`;
const BUCKET_ID = "(SELECT id FROM buckets WHERE name = ?1)";

/** Looks up a bucket and a page of its keys. One entry beyond the limit shows that the page is truncated. */
export function lookUpObjectPage(bucketName: string, page: ListingPage): Lookup<ObjectPageFacts> {
  const query = page.delimiter === "" ? plainPage(bucketName, page) : delimitedPage(bucketName, page);
  const text = entriesText({ ...query, columns: LISTED_COLUMNS.length });
  return {
    statements: [selectBucket(bucketName), ...(page.limit > 0 ? [text.statement] : [])],
    read: (results) => {
      const listed = text.read(results[1]);
      const entries = listed.slice(0, page.limit).map(entryFromFields);
      return {
        bucket: rowsOf<BucketRow>(results).map(bucketFromRow)[0],
        entries,
        isTruncated: listed.length > page.limit,
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
    `SELECT ${OBJECT_ENTRY} AS entry FROM objects o
     WHERE o.bucket_id = ${BUCKET_ID} AND o.key >= ?2 ${end === undefined ? "" : "AND o.key < ?4"}
     ORDER BY o.key LIMIT ?3`,
    ...parameters,
  );
}

/**
 * Selects a page with common prefixes. Each step of the recursion finds the next entry: the first key after the last
 * entry, or its common prefix if it contains the delimiter. The text after a common prefix is the prefix with its delimiter
 * replaced by the least text greater than all texts that begin with the delimiter. The steps are in order, so nothing is
 * sorted, and only keys are looked up once more.
 */
function delimitedPage(bucketName: string, { prefix, delimiter, from, limit }: ListingPage): Statement {
  const end = successorOfPrefix(prefix);
  const upper = end === undefined ? "" : "AND o.key < ?7";
  // A delimiter of U+10FFFF alone has no successor. 256 more of them (1024 bytes) sort after any key with the prefix.
  const pastDelimiter = successorOfPrefix(delimiter) ?? delimiter + "\u{10ffff}".repeat(256);
  const isPrefix = `${delimiterIn("page.key")} > 0`;
  const entry = `CASE WHEN ${delimiterIn("o.key")} > 0
      THEN substr(o.key, 1, ?4 + ${delimiterIn("o.key")} - 1) || ?5 ELSE o.key END`;
  const next = `CASE WHEN ${isPrefix}
      THEN substr(page.key, 1, length(page.key) - length(?5)) || ?6 ELSE page.key || char(0) END`;
  const parameters: SqlValue[] = [bucketName, from, limit + 1, Array.from(prefix).length, delimiter, pastDelimiter];
  if (end !== undefined) parameters.push(end);
  return statement(
    `WITH RECURSIVE page (key) AS (
       SELECT (SELECT ${entry} FROM objects o WHERE o.bucket_id = ${BUCKET_ID} AND o.key >= ?2 ${upper}
               ORDER BY o.key LIMIT 1)
       UNION ALL
       SELECT (SELECT ${entry} FROM objects o WHERE o.bucket_id = ${BUCKET_ID} AND o.key >= ${next} ${upper}
               ORDER BY o.key LIMIT 1)
       FROM page WHERE page.key IS NOT NULL
       LIMIT ?3
     )
     SELECT CASE WHEN ${isPrefix} THEN ${prefixEntry("page.key")}
       ELSE (SELECT ${OBJECT_ENTRY} FROM objects o WHERE o.bucket_id = ${BUCKET_ID} AND o.key = page.key) END AS entry
     FROM page
     WHERE page.key IS NOT NULL`,
    ...parameters,
  );
}

/** Reads an entry from the fields of {@link LISTED_COLUMNS} and those that {@link pageText} adds. */
export function entryFromFields(fields: readonly string[]): ListingEntry {
  const [size, etag = "", modifiedAt, ownerId = "", storageClass = "", algorithm = "", type = ""] = fields;
  const text = fields.at(-1) ?? "";
  if (fields.at(-2) === "1") return { commonPrefix: text };
  return {
    object: {
      key: text,
      size: Number(size),
      etag,
      modifiedAt: Number(modifiedAt),
      ownerId,
      storageClass,
      checksumAlgorithm: optionalText<ChecksumAlgorithm>(algorithm),
      checksumType: optionalText<ChecksumType>(type),
    },
  };
}
