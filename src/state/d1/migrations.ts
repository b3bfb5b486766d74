// Applies the bundled migrations through the D1 binding. `npm run deploy` applies them before it uploads the Worker;
// this path repairs a database that lacks them.
import { type Migration, MIGRATIONS } from "./migration-files.ts";
import { sqlStatements } from "./sql-statements.ts";

/** A database's schema, compared with the migrations that this Worker bundles. */
export interface SchemaState {
  /** Bundled migrations that the database has not applied. */
  readonly pending: readonly Migration[];
  /** Names of applied migrations that this Worker does not bundle. */
  readonly unknown: readonly string[];
  /** Whether the database contains tables but no applied migration. */
  readonly isForeign: boolean;
}

// The table is wrangler's own, so that both agree on what is applied.
const CREATE_MIGRATIONS_TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;
const LIST_APPLIED = "SELECT name FROM d1_migrations ORDER BY id";
const LIST_TABLES = `SELECT name FROM sqlite_master
  WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*' AND name <> 'd1_migrations' LIMIT 1`;
const FIND_APPLIED = "SELECT 1 FROM d1_migrations WHERE name = ?";
const RECORD_APPLIED = "INSERT INTO d1_migrations (name) VALUES (?)";

/** Compares a database with the bundled migrations. Creates the migrations table if it is missing. */
export async function readSchemaState(d1: D1Database): Promise<SchemaState> {
  const [, applied, tables] = await d1.batch<{ name: string }>([
    d1.prepare(CREATE_MIGRATIONS_TABLE),
    d1.prepare(LIST_APPLIED),
    d1.prepare(LIST_TABLES),
  ]);
  const names = new Set((applied?.results ?? []).map(({ name }) => name));
  const known = new Set(MIGRATIONS.map(({ name }) => name));
  return {
    pending: MIGRATIONS.filter(({ name }) => !names.has(name)),
    unknown: Array.from(names).filter((name) => !known.has(name)),
    isForeign: names.size === 0 && (tables?.results ?? []).length > 0,
  };
}

/**
 * Applies migrations, one transaction each. The transaction first inserts the migration's unique name, which acts as a
 * lock: when several processes (wrangler included) apply the same migration, exactly one commits.
 */
export async function applyMigrations(d1: D1Database, pending: readonly Migration[]): Promise<void> {
  for (const { name, sql } of pending) {
    try {
      const statements = sqlStatements(sql).map((statement) => d1.prepare(statement));
      await d1.batch([d1.prepare(RECORD_APPLIED).bind(name), ...statements]);
    } catch (error) {
      // Another process may have applied the migration concurrently.
      if ((await d1.prepare(FIND_APPLIED).bind(name).first()) === null) throw error;
    }
  }
}
