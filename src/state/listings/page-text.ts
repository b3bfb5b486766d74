// Reads a page of a listing as one text instead of a row for each entry: D1 converts each row and each column of a result
// by itself, which takes longer than the query. Each entry keeps the same columns, in the order of the query.
import { randomDigits } from "../../bytes/random-id.ts";
import { rowsOf, statement, type Statement, type StatementResult } from "../d1/database.ts";

/** A query of entries in their order, with the column `entry`: an {@link keyEntry entry of a key} or of a {@link prefixEntry common prefix}. */
export interface EntryQuery extends Statement {
  /** How many columns an entry of a key has. */
  readonly columns: number;
}

/**
 * A query of entries in their order, with the columns `key`, which is a key or common prefix and may contain any
 * character, and `is_common_prefix`.
 */
export interface PageQuery extends Statement {
  /** Further columns, which are read for keys only. */
  readonly columns: readonly string[];
}

/** The statement of a page, and the reader of its result. */
export interface PageText {
  readonly statement: Statement;
  /**
   * Returns the entries of a result: of a key its columns as text ("" for NULL), then "0" and the key; of a common prefix
   * "1" and the prefix.
   */
  readonly read: (result: StatementResult | undefined) => string[][];
}

/** What an entry begins with. Its first column may be empty, so that a delimiter would say nothing. */
const [KEY, PREFIX] = ["0", "1"];
/** Ends a column. No column contains it, and JSON does not escape it: escapes multiply what D1 spends on a text. */
const END = "\u007f";
/** 80 random bits, so that no key can be made to contain the separator. */
const SEPARATOR_DIGITS = 16;

/** Returns the SQL of the entry of a key. `columns` and `key` are SQL expressions. */
export function keyEntry(columns: readonly string[], key: string): string {
  const fields = columns.map((column) => `${column}, '${END}', `).join("");
  return `concat('${KEY}', ${fields}${key})`;
}

/** Returns the SQL of the entry of a common prefix, which is an SQL expression. */
export function prefixEntry(prefix: string): string {
  return `'${PREFIX}' || ${prefix}`;
}

/** Wraps a query. */
export function pageText({ sql, parameters, columns }: PageQuery): PageText {
  const entry = `CASE WHEN is_common_prefix THEN ${prefixEntry("key")} ELSE ${keyEntry(columns, "key")} END`;
  return entriesText({ sql: `SELECT ${entry} AS entry FROM (${sql})`, parameters, columns: columns.length });
}

/** Wraps a query of entries. A text of 1001 entries with keys of 1024 bytes stays below D1's limit of 2 MB for a value. */
export function entriesText({ sql, parameters, columns }: EntryQuery): PageText {
  const separator = END + randomDigits(SEPARATOR_DIGITS) + END;
  return {
    statement: statement(
      `SELECT group_concat(entry, ?${parameters.length + 1}) AS entries FROM (${sql})`,
      ...parameters,
      separator,
    ),
    read: (result) => {
      const text = rowsOf<{ readonly entries: string | null }>(result === undefined ? [] : [result])[0]?.entries ?? "";
      return text === "" ? [] : text.split(separator).map((entry) => fieldsOf(entry, columns));
    },
  };
}

/** Splits the entry of a key at the ends of its `count` columns. */
function fieldsOf(entry: string, count: number): string[] {
  if (entry.startsWith(PREFIX)) return [PREFIX, entry.slice(PREFIX.length)];
  const fields: string[] = [];
  let start = KEY.length;
  for (let field = 0; field < count; field += 1) {
    const end = entry.indexOf(END, start);
    fields.push(entry.slice(start, end));
    start = end + 1;
  }
  fields.push(KEY, entry.slice(start));
  return fields;
}

/** An optional column of an entry. The caller asserts the type of its values. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function optionalText<Value extends string>(text: string): Value | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text === "" ? undefined : (text as Value);
}
