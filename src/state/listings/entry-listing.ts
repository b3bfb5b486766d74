// Lists entries that are ordered by key and by an id within the key: versions and uploads. With a delimiter the
// statement seeks past each common prefix (compare object-listing.ts).
import { successorOfPrefix } from "../../bytes/text.ts";
import type { ListingScope } from "../../protocol/listings/listing.ts";
import { bucketFromRow, selectBucket, type BucketFacts, type BucketRow } from "../metadata/buckets.ts";
import { rowsOf, type Lookup, type SqlValue } from "../d1/database.ts";
import { pageText, type PageText } from "./page-text.ts";

/** A page of at most `limit` entries after a key and id. */
export interface EntryPage extends ListingScope {
  readonly bucketName: string;
  /** The exclusive lower bound of the page. An empty id sorts before every id. */
  readonly afterKey: string;
  readonly afterId: string;
  readonly limit: number;
}

/** A table of entries, in SQL. */
export interface EntryTable {
  readonly table: string;
  readonly id: string;
  /** The columns of an entry of the table `t`, those of {@link EntryKind} that differ from `t`'s own of that name. */
  readonly own: Readonly<Record<string, string>>;
}

/** A kind of entry, in SQL. */
export interface EntryKind {
  /** The tables to merge. */
  readonly seeks: readonly EntryTable[];
  /** The columns of the entry of `page.key` and `page.id` by name, and the joins that provide them. */
  readonly columns: Readonly<Record<string, string>>;
  readonly joins: string;
}

/** A bucket and a page of its entries, some of which are common prefixes. */
export interface EntryPageFacts<Entry> extends BucketFacts {
  readonly entries: readonly (Entry | { readonly commonPrefix: string })[];
  /** Whether more entries follow those of the page. */
  readonly isTruncated: boolean;
}

const BUCKET_ID = "(SELECT id FROM buckets WHERE name = ?1)";
/** Between an entry's id, which has only digits and letters, and its key. A common prefix has no id. */
const ID_END = "/";
/** The 1-based position of the delimiter (?6) in a key, after the prefix (of ?5 characters); 0: none. */
const DELIMITER_AT = "instr(substr(key, ?5 + 1), ?6)";

/** Looks up a bucket and a page of its entries. One entry beyond the limit shows that the page is truncated. */
export function lookUpEntryPage<Entry>(
  kind: EntryKind,
  page: EntryPage,
  entryFromFields: (fields: readonly string[]) => Entry | { readonly commonPrefix: string },
): Lookup<EntryPageFacts<Entry>> {
  const text = selectEntries(kind, page);
  return {
    statements: [selectBucket(page.bucketName), ...(page.limit > 0 ? [text.statement] : [])],
    read: (results) => {
      const listed = text.read(results[1]);
      return {
        bucket: rowsOf<BucketRow>(results).map(bucketFromRow)[0],
        isTruncated: listed.length > page.limit,
        entries: listed.slice(0, page.limit).map(entryFromFields),
      };
    },
  };
}

/** Selects a page of entries as text: the kind's columns, then `id`, then the key or common prefix. */
function selectEntries(kind: EntryKind, page: EntryPage): PageText {
  return page.delimiter === "" ? plainPage(kind, page) : delimitedPage(kind, page);
}

/** Merges the tables, which are in the order of the entries, up to the end of the page. */
function plainPage({ seeks, columns }: EntryKind, page: EntryPage): PageText {
  const end = successorOfPrefix(page.prefix);
  const names = Object.keys(columns);
  const arms = seeks.map(({ table, id, own }) => {
    const selected = names.map((name) => `${own[name] ?? `t.${name}`} AS ${name}`);
    return `SELECT t.key AS key, t.${id} AS id, 0 AS is_common_prefix, ${selected.join(", ")} FROM ${table} t
      WHERE t.bucket_id = ${BUCKET_ID} AND (t.key, t.${id}) > (?2, ?3) ${end === undefined ? "" : "AND t.key < ?5"}`;
  });
  const parameters: SqlValue[] = [page.bucketName, page.afterKey, page.afterId, page.limit + 1];
  if (end !== undefined) parameters.push(end);
  const sql = `${arms.join(" UNION ALL ")} ORDER BY key, id LIMIT ?4`;
  return pageText({ columns: [...names, "id"], parameters, sql });
}

/**
 * Selects a page with common prefixes. Each step of the recursion finds the next entry, as its id and key in one text: the
 * first after the last entry, or its common prefix if its key contains the delimiter. The steps are in order and LEFT JOINs
 * keep it, so nothing is sorted.
 */
function delimitedPage(kind: EntryKind, page: EntryPage): PageText {
  const end = successorOfPrefix(page.prefix);
  const upper = end === undefined ? "" : "AND t.key < ?8";
  const past = successorOfPrefix(page.delimiter) ?? page.delimiter + "\u{10ffff}".repeat(256);
  const isPrefix = `substr(entry, 1, 1) = '${ID_END}'`;
  const key = "substr(entry, instr(entry, '/') + 1)";
  const id = "substr(entry, 1, instr(entry, '/') - 1)";
  const nextKey = `CASE WHEN ${isPrefix} THEN substr(entry, 2, length(entry) - 1 - length(?6)) || ?7 ELSE ${key} END`;
  const found = `CASE WHEN ${DELIMITER_AT} > 0 THEN '${ID_END}' || substr(key, 1, ?5 + ${DELIMITER_AT} - 1) || ?6
      ELSE id || '${ID_END}' || key END`;
  const first = (afterKey: string, afterId: string): string => {
    const arms = kind.seeks.map(
      ({ table, id: column }) =>
        `SELECT * FROM (SELECT t.key AS key, t.${column} AS id FROM ${table} t
         WHERE t.bucket_id = ${BUCKET_ID} AND (t.key, t.${column}) > (${afterKey}, ${afterId}) ${upper}
         ORDER BY t.key, t.${column} LIMIT 1)`,
    );
    return `(SELECT ${found} FROM (${arms.join(" UNION ALL ")}) ORDER BY key, id LIMIT 1)`;
  };
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
  const names = Object.keys(kind.columns);
  const selected = names.map((name) => `${kind.columns[name] ?? ""} AS ${name}`);
  return pageText({
    columns: [...names, "id"],
    parameters,
    sql: `WITH RECURSIVE entries (entry) AS (
       SELECT ${first("?2", "?3")}
       UNION ALL
       SELECT ${first(nextKey, id)} FROM entries WHERE entry IS NOT NULL
       LIMIT ?4
     ), page AS (
       SELECT ${key} AS key, nullif(${id}, '') AS id, ${isPrefix} AS is_common_prefix FROM entries
       WHERE entry IS NOT NULL
     )
     SELECT page.key, page.id, page.is_common_prefix, ${selected.join(", ")} FROM page ${kind.joins}`,
  });
}
