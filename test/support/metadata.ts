// The metadata as tests read and change it without the Worker: all databases as one. A statement runs in the database
// of the bucket that its parameters name, by id or name, and otherwise in every database.
import { env } from "cloudflare:workers";

import { databaseBindings } from "../../src/state/d1/databases.ts";

type Parameter = unknown;

interface TextStatement {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
}

const DATABASES = databaseBindings(env).map(({ d1 }) => d1);

/** A prepared statement for all databases, with D1's methods. */
export class MetadataStatement implements TextStatement {
  readonly sql: string;
  readonly parameters: readonly Parameter[];

  constructor(sql: string, parameters: readonly Parameter[] = []) {
    this.sql = sql;
    this.parameters = parameters;
  }

  bind(...parameters: readonly Parameter[]): MetadataStatement {
    return new MetadataStatement(this.sql, parameters);
  }

  /** The rows of all databases. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  async all<Row>(): Promise<{ readonly results: Row[] }> {
    const found = await Promise.all(DATABASES.map((d1) => on(d1, this).all<Row>()));
    return { results: found.flatMap(({ results }) => results) };
  }

  /** The first row; of counts, which every database returns, the sum. */
  async first<Row extends object>(): Promise<Row | null> {
    const { results } = await this.all<Row>();
    const [first, ...others] = results;
    if (first === undefined) return null;
    const isCount = /^\s*SELECT (?:count|sum)\(/i.test(this.sql);
    if (!isCount || others.length === 0) return first;
    const names = Object.keys(first);
    const sumOf = (name: string): number => results.reduce((sum, row) => sum + Number(Reflect.get(row, name)), 0);
    // The row's own columns, with the sums of their numbers.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return Object.fromEntries(names.map((name) => [name, sumOf(name)])) as Row;
  }

  async run(): Promise<void> {
    await metadata.batch([this]);
  }
}

export const metadata = {
  prepare: (sql: string): MetadataStatement => new MetadataStatement(sql),

  /** Runs statements as one transaction in each database that they concern. */
  async batch(statements: readonly MetadataStatement[]): Promise<void> {
    const named = statements.flatMap(({ parameters }) =>
      parameters.filter((one): one is string => typeof one === "string"),
    );
    const holding = await Promise.all(DATABASES.map((d1) => holdsOneOf(d1, named)));
    const concerned = DATABASES.filter((_, index) => holding[index]);
    await Promise.all(
      (concerned.length === 0 ? DATABASES : concerned).map((d1) => d1.batch(statements.map((one) => on(d1, one)))),
    );
  },
};

function on(d1: D1Database, { sql, parameters }: TextStatement): D1PreparedStatement {
  return d1.prepare(sql).bind(...parameters);
}

async function holdsOneOf(d1: D1Database, named: readonly string[]): Promise<boolean> {
  const found = await d1
    .prepare(
      "SELECT 1 FROM buckets WHERE id IN (SELECT value FROM json_each(?1)) OR name IN (SELECT value FROM json_each(?1))",
    )
    .bind(JSON.stringify(named))
    .first();
  return found !== null;
}
