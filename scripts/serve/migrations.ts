// Applies the migrations folder to a D1 database and records each in wrangler's own table, so that
// `wrangler d1 migrations list` and this script agree.
import type { Miniflare } from "miniflare";
import { sqlStatements } from "../../src/state/d1/sql-statements.ts";
import { readMigrations } from "../migrations/folder.ts";

type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;
const LIST_APPLIED = "SELECT name FROM d1_migrations";
const RECORD_APPLIED = "INSERT INTO d1_migrations (name) VALUES (?)";

/** Applies all pending migrations of a folder in order and returns their names. */
export async function applyMigrations(database: Database, folder: string): Promise<readonly string[]> {
  await database.prepare(CREATE_TABLE).run();
  const { results } = await database.prepare(LIST_APPLIED).all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  const pending = readMigrations(folder).filter(({ name }) => !applied.has(name));
  if (pending.length === 0) return [];

  for (const { name, sql } of pending) {
    const statements = sqlStatements(sql);
    try {
      // One batch is one transaction: a failed migration changes nothing, including its record.
      await database.batch([
        ...statements.map((statement) => database.prepare(statement)),
        database.prepare(RECORD_APPLIED).bind(name),
      ]);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`migration ${name} failed and changed nothing: ${reason}`, { cause: error });
    }
  }
  return pending.map(({ name }) => name);
}

/** Applies all pending migrations to several databases. */
export async function applyToAll(databases: readonly Database[], folder: string): Promise<void> {
  for (const database of databases) await applyMigrations(database, folder);
}
