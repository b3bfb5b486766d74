// Listings whose entries are ordered by a key and an id within it: versions and uploads. With a delimiter the statement
// seeks past each common prefix, as object-listing.ts does.
import { successorOfPrefix } from "../../bytes/text.ts";
import type { ListingScope } from "../../protocol/listings/listing.ts";
import { statement, type SqlValue, type Statement } from "../d1/database.ts";

/** A page of entries: those after a key and an id, so many of them. */
export interface EntryPage extends ListingScope {
  readonly bucketName: string;
  /** Entries come after this key and id, both excluded; an empty id comes before every id. */
  readonly afterKey: string;
  readonly afterId: string;
  readonly limit: number;
}

/** A kind of entry, in SQL. */
export interface EntryKind {
  /**
   * One select per table: `key` and `id` of the bucket's rows that fulfil a condition on `t.key` and the id, in order.
   */
  readonly seeks: readonly { readonly table: string; readonly id: string }[];
  /** The columns of an entry whose key and id are `page.key` and `page.id`, as correlated joins. */
  readonly columns: string;
  readonly joins: string;
}

const BUCKET_ID = "(SELECT id FROM buckets WHERE name = ?1)";
/** Where the delimiter (?6) stands in what follows the prefix (of ?5 characters), counted from 1; 0 for nowhere. */
const DELIMITER_AT = "instr(substr(page.key, ?5 + 1), ?6)";

/**
 * Selects a page of entries: `key`, `id`, `common_prefix` and the kind's columns. The recursion holds one entry: the
 * next is the first after it or, where its key rolls up, the first past its common prefix.
 */
export function selectEntries(kind: EntryKind, page: EntryPage): Statement {
  const end = successorOfPrefix(page.prefix);
  const upper = end === undefined ? "" : "AND t.key < ?8";
  const past = successorOfPrefix(page.delimiter) ?? page.delimiter + "\u{10ffff}".repeat(256);
  const isDelimited = page.delimiter !== "";
  const rolled = isDelimited ? `${DELIMITER_AT} > 0` : "0";
  const nextKey = isDelimited
    ? `CASE WHEN ${rolled} THEN substr(page.key, 1, ?5 + ${DELIMITER_AT} - 1) || ?7 ELSE page.key END`
    : "page.key";
  const nextId = isDelimited ? `CASE WHEN ${rolled} THEN '' ELSE page.id END` : "page.id";
  const next = (column: "key" | "id", key: string, id: string): string => {
    const arms = kind.seeks.map(
      ({ table, id: column }) =>
        `SELECT * FROM (SELECT t.key AS key, t.${column} AS id FROM ${table} t
         WHERE t.bucket_id = ${BUCKET_ID} AND (t.key, t.${column}) > (${key}, ${id}) ${upper}
         ORDER BY t.key, t.${column} LIMIT 1)`,
    );
    return `(SELECT ${column} FROM (${arms.join(" UNION ALL ")}) ORDER BY key, id LIMIT 1)`;
  };
  // Numbered parameters must all be used, whether or not the page has a delimiter.
  const parameters: SqlValue[] = [
    page.bucketName,
    page.afterKey,
    page.afterId,
    page.limit + 1,
    Array.from(page.prefix).length,
    page.delimiter,
    past,
  ];
  if (end !== undefined) parameters.push(end);
  return statement(
    `WITH RECURSIVE page (key, id) AS (
       SELECT ${next("key", "?2", "?3")}, ${next("id", "?2", "?3")}
       UNION ALL
       SELECT ${next("key", nextKey, nextId)}, ${next("id", nextKey, nextId)} FROM page WHERE page.key IS NOT NULL
       LIMIT ?4
     )
     SELECT page.key, page.id,
       CASE WHEN ${rolled} THEN substr(page.key, 1, ?5 + ${DELIMITER_AT} - 1) || ?6 END AS common_prefix,
       ${kind.columns}
     FROM page ${kind.joins}
     WHERE page.key IS NOT NULL AND ?7 IS NOT NULL ORDER BY page.key, page.id`,
    ...parameters,
  );
}
