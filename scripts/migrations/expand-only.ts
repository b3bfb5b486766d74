// Finds changes in migrations that break a Worker of an earlier release. Such a Worker still runs while its successor
// is being deployed, and again after a roll-back.
import { DatabaseSync } from "node:sqlite";
import type { Migration } from "./folder.ts";
import { type Schema, readSchema } from "./schema.ts";

/**
 * A unique index on an existing table that was added before the first release, and a trigger that skips the insert of a
 * bucket whose name is taken, which earlier Workers answer as such. The triggers of Object Lock raise on locked versions
 * only: an earlier Worker creates none, and must not delete those of a later one. Those of quotas raise in buckets with a
 * quota only, which an earlier Worker must not exceed.
 */
const ACCEPTED = new Set([
  "0006_versions.sql: makes columns of versions unique",
  "0023_bucket_placements.sql: raises on writes to buckets",
  "0025_object_lock.sql: raises on writes to objects",
  "0025_object_lock.sql: raises on writes to versions",
  "0025_object_lock.sql: raises on writes to buckets",
  "0030_bucket_quotas.sql: raises on writes to objects",
]);

/** The changes of each migration that break earlier Workers; empty when every migration only adds. */
export function expandOnlyFaults(migrations: readonly Migration[]): string[] {
  const database = new DatabaseSync(":memory:");
  return migrations.flatMap(({ name, sql }) => {
    const before = readSchema(database);
    const strictBefore = requiredColumns(database, before);
    database.exec(sql);
    const after = readSchema(database);
    const strictAfter = requiredColumns(database, after);
    return [
      ...[...statements(sql)].filter((text) => /^ALTER\s+TABLE\b.*\b(RENAME|DROP)\b/is.test(text)).map(shortened),
      ...[...before].flatMap(([id, { columns }]) => {
        const now = after.get(id);
        if (now === undefined) return id.startsWith("index ") ? [] : [`drops ${id}`];
        return columns.filter((column) => !now.columns.includes(column)).map((column) => `${id} loses ${column}`);
      }),
      ...[...strictAfter]
        .filter((column) => isNewRequirement(column, strictBefore, before))
        .map((column) => `requires ${column}`),
      ...[...after].flatMap(([id, { type, table, sql: text, isUnique }]) => {
        if (before.has(id) || !before.has(`table ${table}`)) return [];
        if (isUnique) return [`makes columns of ${table} unique`];
        return type === "trigger" && /\bRAISE\s*\(/i.test(text) ? [`raises on writes to ${table}`] : [];
      }),
    ]
      .map((fault) => `${name}: ${fault}`)
      .filter((fault) => !ACCEPTED.has(fault));
  });
}

/** `table.column` for each column that an INSERT must name. */
function requiredColumns(database: DatabaseSync, schema: Schema): Set<string> {
  return new Set(
    [...schema.values()]
      .filter(({ type }) => type === "table")
      .flatMap(({ name }) =>
        database
          .prepare(`SELECT name FROM pragma_table_info(?) WHERE "notnull" = 1 AND dflt_value IS NULL`)
          .all(name)
          .map((row) => `${name}.${String(row["name"])}`),
      ),
  );
}

function isNewRequirement(column: string, strictBefore: ReadonlySet<string>, before: Schema): boolean {
  return !strictBefore.has(column) && before.has(`table ${column.split(".")[0]}`);
}

function statements(sql: string): string[] {
  return sql
    .replaceAll(/--[^\n]*/g, "")
    .split(";")
    .map((text) => text.trim());
}

function shortened(statement: string): string {
  return statement.replaceAll(/\s+/g, " ");
}
