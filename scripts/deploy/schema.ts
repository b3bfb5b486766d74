// The database's schema as the deployment sees it: what the migrations make, what D1 has of it, and wrangler's record of
// the migrations that were applied.
import type { WranglerToml } from "../project/wrangler-toml.ts";
import { readMigrations } from "../migrations/folder.ts";
import { type Schema, databaseOf, isOwnedByOthers, readSchema } from "../migrations/schema.ts";
import { type Api, field, textField } from "./api.ts";
import { ApiFailure, DeployFailure } from "./failure.ts";
import type { Identifiers } from "./configuration.ts";
import { removeConfiguration, writeConfiguration } from "./configuration.ts";
import { askWrangler } from "./wrangler.ts";

/** What a database holds, as far as a deployment compares it. */
export interface RemoteSchema {
  /** The text of each object by its type and name. */
  readonly objects: ReadonlyMap<string, string>;
  /** The names of the migrations that are recorded as applied. */
  readonly applied: ReadonlySet<string>;
}

const LIST_OBJECTS = "SELECT type, name, sql FROM sqlite_master";
const LIST_APPLIED = "SELECT name FROM d1_migrations";

/** Reads what a database holds. */
export async function readRemoteSchema(api: Api, databaseId: string): Promise<RemoteSchema> {
  const rows = await runQuery(api, databaseId, LIST_OBJECTS);
  const found = rows.map((row) => ({ id: `${textOf(row, "type")} ${textOf(row, "name")}`, sql: textOf(row, "sql") }));
  const isRecorded = found.some(({ id }) => id === "table d1_migrations");
  const recorded = isRecorded ? await runQuery(api, databaseId, LIST_APPLIED) : [];
  return {
    objects: new Map(found.filter(({ id }) => !isOwnedByOthers(nameOf(id))).map(({ id, sql }) => [id, sql])),
    applied: new Set(recorded.map((row) => textOf(row, "name"))),
  };
}

/** What stands against migrating a database: that it belongs to something else. */
export function requireOwnSchema({ objects, applied }: RemoteSchema, toml: WranglerToml): void {
  const expected = expectedSchema(toml);
  const foreign = [...objects.keys()].filter((id) => id.startsWith("table ") && !expected.has(id));
  const isOurs = readMigrations(toml.d1.migrationsDir).some(({ name }) => applied.has(name));
  if (foreign.length === 0 || isOurs) return;
  throw new DeployFailure(
    `The D1 database ${toml.d1.databaseName} holds tables of something else (${foreign.slice(0, 3).map(nameOf).join(", ")}): set another database_name in wrangler.toml.`,
  );
}

/** What the database lacks of the schema: names of tables, indexes, views and triggers, or those that read differently. */
export function schemaDifferences({ objects }: RemoteSchema, toml: WranglerToml): string[] {
  return [...expectedSchema(toml)].flatMap(([id, { type, sql }]) => {
    const remote = objects.get(id);
    if (remote === undefined) return [`${id} is missing`];
    const isCode = type === "trigger" || type === "view";
    return isCode && normalized(remote) !== normalized(sql) ? [`${id} is not what the migrations make`] : [];
  });
}

/** The migrations that the database has not had. */
export function pendingMigrations({ applied }: RemoteSchema, toml: WranglerToml): string[] {
  return readMigrations(toml.d1.migrationsDir)
    .map(({ name }) => name)
    .filter((name) => !applied.has(name));
}

/** Applies the pending migrations with wrangler; answers what it printed where that failed. */
export async function migrateWithWrangler(toml: WranglerToml, ids: Identifiers): Promise<string | undefined> {
  try {
    const config = writeConfiguration(toml, ids, "paid");
    const { ok, stdout, stderr } = await askWrangler(
      ["d1", "migrations", "apply", toml.d1.binding, "--remote", "--config", config],
      { CLOUDFLARE_ACCOUNT_ID: ids.accountId },
    );
    return ok ? undefined : `${stdout}${stderr}`;
  } finally {
    removeConfiguration();
  }
}

function expectedSchema(toml: WranglerToml): Schema {
  return readSchema(databaseOf(readMigrations(toml.d1.migrationsDir).map(({ sql }) => sql)));
}

/** Runs a query of a database. */
export async function runQuery(api: Api, databaseId: string, sql: string): Promise<readonly unknown[]> {
  const answer = await api.send("POST", `/d1/database/${databaseId}/query`, { sql }).catch((error: unknown) => {
    // A token that may create databases but not read them fails with its permission; this is another error.
    if (error instanceof ApiFailure && error.code === 7500) {
      throw new DeployFailure(`D1 refused a query (${error.message}): try again.`, undefined, error);
    }
    throw error;
  });
  const [result]: unknown[] = Array.isArray(answer) ? answer : [];
  const rows = field(result, "results");
  if (!Array.isArray(rows)) throw new DeployFailure("D1's answer to a query cannot be read: try again.");
  return rows;
}

function textOf(row: unknown, column: string): string {
  return textField(row, column) ?? "";
}

function nameOf(id: string): string {
  return id.slice(id.indexOf(" ") + 1);
}

function normalized(sql: string): string {
  return sql
    .replaceAll(/--[^\n]*/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
}
