// Reads the schema of a SQLite database as data, so that two schemas can be compared.
import { DatabaseSync } from "node:sqlite";

export interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly table: string;
  readonly sql: string;
  /** For tables and views; empty for indexes and triggers. */
  readonly columns: readonly string[];
  readonly isUnique: boolean;
}

export type Schema = ReadonlyMap<string, SchemaObject>;

/** Names that SQLite, D1 and wrangler reserve. */
const OWNED_BY_OTHERS = /^(sqlite_|_cf_|d1_migrations$)/;

/** Whether SQLite, D1 or wrangler reserves a name. */
export function isOwnedByOthers(name: string): boolean {
  return OWNED_BY_OTHERS.test(name);
}

/** Reads the tables, indexes, views and triggers of a database, by type and name. */
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

/** Creates a database in memory and executes the given texts. */
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
