// The databases of a deployment: the first, bound as DB, and optional further ones, bound as META_1, META_2, … A bucket's
// rows are in one of them (see "Several databases" in docs/architecture.md); identities, jobs and the registry of buckets
// are in the first.
import type { Counts } from "./counts.ts";
import type { D1Connection, KeepAlive } from "./shared-reads.ts";
import { Database, FIRST_DATABASE, type Statement, type StatementResult } from "./database.ts";

const FURTHER_DATABASE = /^META_[1-9]\d{0,2}$/;

/** A binding of a database. */
export interface DatabaseBinding {
  readonly name: string;
  readonly d1: D1Database;
}

// A binding exists as long as its isolate, so its environment is searched once.
const KNOWN = new WeakMap<object, readonly DatabaseBinding[]>();

/** The bound databases: the first, then the others in the order of their numbers. */
export function databaseBindings(env: Env): readonly DatabaseBinding[] {
  const known = KNOWN.get(env);
  if (known !== undefined) return known;
  const further = Object.keys(env)
    .filter(isFurtherDatabase)
    .sort((one, other) => numberOf(one) - numberOf(other))
    .flatMap((name) => {
      const d1 = env[name];
      return d1 === undefined ? [] : [{ name, d1 }];
    });
  const bindings = [{ name: FIRST_DATABASE, d1: env.DB }, ...further];
  KNOWN.set(env, bindings);
  return bindings;
}

/** Whether a binding's name is that of a further database. */
function isFurtherDatabase(name: string): name is `META_${number}` {
  return FURTHER_DATABASE.test(name);
}

function numberOf(name: string): number {
  return Number(name.slice("META_".length));
}

/** A bucket's database is not bound to this Worker. */
export class MissingDatabaseError extends Error {
  readonly database: string;

  constructor(database: string) {
    super(`the database ${database} is not bound`);
    this.database = database;
  }
}

/** The databases of a deployment, with one object for each binding. */
export class Databases {
  readonly first: Database;
  /** All of them; the first comes first. */
  readonly all: readonly Database[];

  /** @param keepAlive lets work continue after the request; undefined: reads never share a round trip */
  constructor(
    bindings: readonly { readonly name: string; readonly d1: D1Connection }[],
    counts: Counts,
    keepAlive?: KeepAlive,
  ) {
    this.all = bindings.map(({ name, d1 }) => new Database(d1, counts, name, keepAlive));
    const [first] = this.all;
    if (first === undefined) throw new Error("no database is bound");
    this.first = first;
  }

  /** Whether there is more than the first. */
  get areSeveral(): boolean {
    return this.all.length > 1;
  }

  /** The database of a name. @throws MissingDatabaseError if it is not bound */
  named(name: string): Database {
    const found = this.find(name);
    if (found === undefined) throw new MissingDatabaseError(name);
    return found;
  }

  /** The database of a name; undefined if it is not bound. */
  find(name: string): Database | undefined {
    return this.all.find((database) => database.name === name);
  }
}

/** Statements for one database. */
export interface DatabaseBatch {
  readonly database: Database;
  readonly statements: readonly Statement[];
}

/**
 * Runs batches that only read in parallel, those for the same database as one.
 * @returns the results of each batch, in order
 */
export async function readTogether(batches: readonly DatabaseBatch[]): Promise<(readonly StatementResult[])[]> {
  const byDatabase = Map.groupBy(batches, ({ database }) => database);
  const results = new Map<DatabaseBatch, readonly StatementResult[]>();
  await Promise.all(
    Array.from(byDatabase, async ([database, together]) => {
      const all = await database.read(together.flatMap(({ statements }) => statements));
      let start = 0;
      for (const batch of together) {
        results.set(batch, all.slice(start, start + batch.statements.length));
        start += batch.statements.length;
      }
    }),
  );
  return batches.map((batch) => results.get(batch) ?? []);
}
