// Reads a page of a listing as one text instead of a row for each entry: D1 converts each row and each column of a result
// by itself, which takes longer than the query. Each entry keeps the same columns, in the order of the query.
import { randomDigits } from "../../bytes/random-id.ts";
import { rowsOf, statement, type Statement, type StatementResult } from "../d1/database.ts";

/**
 * A query of entries in their order, with the columns `key`, which is a key or common prefix and may contain any
 * character, and `is_common_prefix`.
 */
export interface PageQuery extends Statement {
  /** Further columns, whose values contain no line break. They are read for keys only. */
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

/** What an entry begins with. Its first column may be empty, so that a line break would say nothing. */
const [KEY, PREFIX] = ["0", "1"];
/** 80 random bits, so that no key can be made to contain the separator. */
const SEPARATOR_DIGITS = 16;

/** Wraps a query. A text of 1001 entries with keys of 1024 bytes stays below D1's limit of 2 MB for a value. */
export function pageText({ sql, parameters, columns }: PageQuery): PageText {
  const separator = `\n${randomDigits(SEPARATOR_DIGITS)}\n`;
  const fields = columns.map((column) => `coalesce(${column}, '') || '\n' || `).join("");
  const text = `CASE WHEN is_common_prefix THEN '${PREFIX}' || key ELSE '${KEY}' || ${fields}key END`;
  return {
    statement: statement(
      `SELECT group_concat(${text}, ?${parameters.length + 1}) AS entries FROM (${sql})`,
      ...parameters,
      separator,
    ),
    read: (result) => {
      const text = rowsOf<{ readonly entries: string | null }>(result === undefined ? [] : [result])[0]?.entries ?? "";
      return text === "" ? [] : text.split(separator).map((entry) => fieldsOf(entry, columns.length));
    },
  };
}

/** Splits an entry at its first `count` line breaks; a common prefix has none. */
function fieldsOf(entry: string, count: number): string[] {
  if (entry.startsWith(PREFIX)) return [PREFIX, entry.slice(PREFIX.length)];
  const fields: string[] = [];
  let start = KEY.length;
  for (let field = 0; field < count; field += 1) {
    const end = entry.indexOf("\n", start);
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
