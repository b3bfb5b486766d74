// The only access to D1. Statements are values; a batch of them is one round trip and one transaction.
import type { Counts } from "./counts.ts";
import { SharedReads, type D1Connection, type KeepAlive } from "./shared-reads.ts";

export type SqlValue = string | number | null;

/** The binding of the database that holds identities, jobs and the registry of buckets. */
export const FIRST_DATABASE = "DB";

/**
 * One SQL statement with at most 100 parameters. A join driven by a JSON list of keys is written as CROSS JOIN: SQLite
 * cannot estimate the list's length, and would otherwise reorder the join into a table scan.
 */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
  /** The bucket that a lookup's statement reads, if it is not the one that the request addresses. */
  readonly bucketName?: string;
  /** Whether the first parameter is a JSON list that can be joined with others (see joined-statements.ts). */
  readonly takesList?: boolean;
  /** Returns a statement that does the same with a list, for where others are joined with it. */
  readonly asList?: () => Statement;
  /** Whether the last parameter is a time that may be some milliseconds later. */
  readonly endsWithTime?: boolean;
}

/** The result of one statement of a batch. */
export interface StatementResult {
  readonly rows: readonly unknown[];
  /** Rows that the statement inserted, changed or deleted. */
  readonly changes: number;
  /** The size of the database after the statement, in bytes. */
  readonly databaseBytes?: number;
}

/** Statements that read the facts an operation needs, and the function that parses their results. */
export interface Lookup<Facts> {
  readonly statements: readonly Statement[];
  readonly read: (results: readonly StatementResult[]) => Facts;
}

/** Creates a statement. */
export function statement(sql: string, ...parameters: readonly SqlValue[]): Statement {
  return { sql, parameters };
}

/** Combines two lookups into one round trip. */
export function lookUpBoth<First, Second>(first: Lookup<First>, second: Lookup<Second>): Lookup<First & Second> {
  const count = first.statements.length;
  return {
    statements: [...first.statements, ...second.statements],
    read: (results) => ({ ...first.read(results.slice(0, count)), ...second.read(results.slice(count)) }),
  };
}

/** Returns the rows of one result. The caller asserts their type next to the SQL that selects the columns. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function rowsOf<Row>(results: readonly StatementResult[], index = 0): readonly Row[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (results[index]?.rows ?? []) as readonly Row[];
}

/** The reads that wait for each database, from all requests of the isolate. */
const SHARED_READS = new WeakMap<D1Connection, SharedReads>();

/** A D1 database that counts its calls. Reads use the primary, because S3 is strongly consistent. */
export class Database {
  /** The name of its binding. */
  readonly name: string;
  readonly #d1: D1Connection;
  readonly #counts: Counts;
  readonly #keepAlive: KeepAlive | undefined;
  #bytes = 0;

  /**
   * @param d1 a database, or a session of one
   * @param keepAlive lets work continue after the request; undefined: reads never share a round trip
   */
  constructor(d1: D1Connection, counts: Counts, name = FIRST_DATABASE, keepAlive?: KeepAlive) {
    this.name = name;
    this.#d1 = d1;
    this.#counts = counts;
    this.#keepAlive = keepAlive;
  }

  /** Whether it holds identities, jobs and the registry of buckets. */
  get isFirst(): boolean {
    return this.name === FIRST_DATABASE;
  }

  /** The size of the database in bytes, as the latest answer reported it; 0 before the first. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Runs statements as one transaction.
   * @throws Error from D1; the batch may have been applied nonetheless
   */
  async batch(statements: readonly Statement[]): Promise<readonly StatementResult[]> {
    if (statements.length === 0) return [];
    this.#counts.addD1RoundTrip(statements.length);
    const results = await this.#d1.batch(
      statements.map(({ sql, parameters }) => this.#d1.prepare(sql).bind(...parameters)),
    );
    return this.#countRows(results);
  }

  /**
   * Runs statements that only read as one transaction. They may share their round trip with the reads of other requests:
   * it counts for the request that sends it, and the rows count for the request whose statements read them.
   * @throws Error from D1
   */
  async read(statements: readonly Statement[]): Promise<readonly StatementResult[]> {
    if (this.#keepAlive === undefined || statements.length === 0) return this.batch(statements);
    const shared = SHARED_READS.get(this.#d1) ?? new SharedReads(this.#d1);
    SHARED_READS.set(this.#d1, shared);
    const { results, sent } = await shared.read(statements, this.#keepAlive);
    for (const count of sent) this.#counts.addD1RoundTrip(count);
    return this.#countRows(results);
  }

  /** Runs a lookup that only reads, in a round trip that other requests may share. */
  async lookShared<Facts>(lookup: Lookup<Facts>): Promise<Facts> {
    return lookup.read(await this.read(lookup.statements));
  }

  /** Runs a lookup in one round trip. */
  async look<Facts>(lookup: Lookup<Facts>): Promise<Facts> {
    return lookup.read(await this.batch(lookup.statements));
  }

  #countRows(results: readonly D1Result[]): readonly StatementResult[] {
    return results.map(({ results: rows, meta }) => {
      this.#counts.addD1Rows(meta.rows_read, meta.rows_written);
      this.#bytes = meta.size_after;
      return { rows, changes: meta.changes, databaseBytes: meta.size_after };
    });
  }
}
