// The schema of a SQLite database as data, so that two of them can be compared by what they hold.
import { DatabaseSync } from "node:sqlite";

export interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly table: string;
  readonly sql: string;
  /** Of tables and views; empty for indexes and triggers. */
  readonly columns: readonly string[];
  readonly isUnique: boolean;
}

export type Schema = ReadonlyMap<string, SchemaObject>;

/** Names that SQLite, D1 and wrangler keep for themselves. */
const OWNED_BY_OTHERS = /^(sqlite_|_cf_|d1_migrations$)/;

/** Whether a name belongs to SQLite, D1 or wrangler. */
export function isOwnedByOthers(name: string): boolean {
  return OWNED_BY_OTHERS.test(name);
}

/** Reads the tables, indexes, views and triggers of a database, each under its type and name. */
export function readSchema(database: DatabaseSync): Schema {
  const rows = database.prepare("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").all();
  const objects = rows.flatMap((row): SchemaObject[] => {
    const [type, name, sql] = [String(row["type"]), String(row["name"]), String(row["sql"] ?? "")];
    if (isOwnedByOthers(name)) return [];
    const columns = type === "table" || type === "view" ? columnsOf(database, name) : [];
    return [{ type, name, table: String(row["tbl_name"]), sql, columns, isUnique: /^\s*CREATE\s+UNIQUE\b/i.test(sql) }];
  });
  return new Map(objects.map((object) => [`${object.type} ${object.name}`, object]));
}

/** A database in memory to which the texts were applied, each whole. */
export function databaseOf(texts: readonly string[]): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  for (const sql of texts) database.exec(sql);
  return database;
}

function columnsOf(database: DatabaseSync, name: string): string[] {
  return database
    .prepare("SELECT name FROM pragma_table_info(?)")
    .all(name)
    .map((row) => String(row["name"]));
}
