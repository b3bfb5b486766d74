// The only way to D1: statements as values, sent together as one batch, which is one round trip and one transaction.
import type { Counts } from "./counts.ts";

export type SqlValue = string | number | null;

/**
 * One SQL statement with its parameters (at most 100). Where a list of keys in a parameter drives a join, the join is a
 * CROSS JOIN, which SQLite does not reorder: it knows nothing of the list's length and would rather scan the table.
 */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** What D1 answers to one statement of a batch. */
export interface StatementResult {
  readonly rows: readonly unknown[];
  /** Rows that the statement inserted, changed or deleted. */
  readonly changes: number;
}

/**
 * What must be known before an operation runs, as statements that travel in the request's one round trip, and how
 * their results are read.
 */
export interface Lookup<Facts> {
  readonly statements: readonly Statement[];
  readonly read: (results: readonly StatementResult[]) => Facts;
}

/** Makes a statement. */
export function statement(sql: string, ...parameters: readonly SqlValue[]): Statement {
  return { sql, parameters };
}

/** Two lookups as one: their statements travel together. */
export function lookUpBoth<First, Second>(first: Lookup<First>, second: Lookup<Second>): Lookup<First & Second> {
  const count = first.statements.length;
  return {
    statements: [...first.statements, ...second.statements],
    read: (results) => ({ ...first.read(results.slice(0, count)), ...second.read(results.slice(count)) }),
  };
}

/** The rows of one result. Their type is the caller's word: it stands beside the SQL that selects the columns. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function rowsOf<Row>(results: readonly StatementResult[], index = 0): readonly Row[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (results[index]?.rows ?? []) as readonly Row[];
}

/** A D1 database that counts. Reads go to the primary: S3 is strongly consistent. */
export class Database {
  readonly #d1: D1Database;
  readonly #counts: Counts;

  constructor(d1: D1Database, counts: Counts) {
    this.#d1 = d1;
    this.#counts = counts;
  }

  /** Sends statements as one batch: all of them happen, or none. Rejects with D1's error. */
  async batch(statements: readonly Statement[]): Promise<readonly StatementResult[]> {
    if (statements.length === 0) return [];
    this.#counts.addD1RoundTrip(statements.length);
    const results = await this.#d1.batch(
      statements.map(({ sql, parameters }) => this.#d1.prepare(sql).bind(...parameters)),
    );
    return results.map(({ results: rows, meta }) => {
      this.#counts.addD1Rows(meta.rows_read, meta.rows_written);
      return { rows, changes: meta.changes };
    });
  }

  /** Sends the statements of a lookup and reads their results. */
  async look<Facts>(lookup: Lookup<Facts>): Promise<Facts> {
    return lookup.read(await this.batch(lookup.statements));
  }
}
