// How this Worker applies the migrations that it carries itself, through its D1 binding. `npm run deploy` has them applied
// before the Worker is uploaded; this is for a Worker that meets a database without them.
import { type Migration, MIGRATIONS } from "./migration-files.ts";
import { sqlStatements } from "./sql-statements.ts";

/** Where a database stands beside the migrations that this Worker carries. */
export interface SchemaState {
  /** The migrations that the database has not had. */
  readonly pending: readonly Migration[];
  /** The names of applied migrations that this Worker does not know. */
  readonly unknown: readonly string[];
  /** Whether the database holds tables, none of them made by a migration. */
  readonly isForeign: boolean;
}

// Wrangler's own table, so that both always agree on what was applied.
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

/** Finds out where a database stands. */
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
 * Applies migrations, each as one transaction that begins by taking the migration's unique name in the ledger. That name
 * is the lock: of several that apply the same migration, wrangler among them, one commits and the others change nothing.
 */
export async function applyMigrations(d1: D1Database, pending: readonly Migration[]): Promise<void> {
  for (const { name, sql } of pending) {
    try {
      const statements = sqlStatements(sql).map((statement) => d1.prepare(statement));
      await d1.batch([d1.prepare(RECORD_APPLIED).bind(name), ...statements]);
    } catch (error) {
      // Somebody else may have applied it meanwhile.
      if ((await d1.prepare(FIND_APPLIED).bind(name).first()) === null) throw error;
    }
  }
}
