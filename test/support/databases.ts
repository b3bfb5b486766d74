// The databases of a run with several: which ones have a bucket, and connections to them that fail.
import { env } from "cloudflare:workers";
import { expect } from "vitest";

import { databaseBindings, type DatabaseBinding } from "../../src/state/d1/databases.ts";
import { send, type RequestScope, type SendOptions } from "./client.ts";
import { d1With, type BatchFault } from "./faults.ts";
import { freshBucketName } from "./fresh-bucket.ts";

export const BINDINGS: readonly DatabaseBinding[] = databaseBindings(env);

/** Creates a bucket in a database. */
export function createIn(
  database: string,
  name: string,
  options: SendOptions = {},
  scope: RequestScope = {},
): Promise<Response> {
  return send("PUT", `/${name}`, { ...options, headers: { "x-cairn-database": database, ...options.headers } }, scope);
}

/** A new bucket in a database. */
export async function bucketIn(database: string): Promise<string> {
  const name = freshBucketName();
  expect((await createIn(database, name)).status).toBe(200);
  return name;
}

/** The databases that have a row of a bucket's name. */
export async function databasesOf(name: string): Promise<string[]> {
  const rows = await Promise.all(
    BINDINGS.map(async ({ name: database, d1 }) => {
      const row = await d1.prepare("SELECT 1 FROM buckets WHERE name = ?").bind(name).first();
      return row === null ? [] : [database];
    }),
  );
  return rows.flat();
}

/** The database that the registry has for a name; undefined for none. */
export async function placementOf(name: string): Promise<string | undefined> {
  const row = await env.DB.prepare("SELECT database FROM bucket_placements WHERE name = ?")
    .bind(name)
    .first<{ database: string }>();
  return row?.database;
}

/** A scope in which one database has an interceptor. */
export function failing(database: string, fault: BatchFault): RequestScope {
  const d1 = BINDINGS.find(({ name }) => name === database)?.d1;
  if (d1 === undefined) throw new Error(`no database ${database}`);
  return { [database]: d1With(fault, d1) };
}

/** A fault of the batches that have a statement with a text. */
export function failingAt(text: string, error: () => Error, when: "before" | "after" = "before"): BatchFault {
  return async (sql, send) => {
    if (!sql.some((one) => one.includes(text))) return send();
    if (when === "after") await send();
    throw error();
  };
}

/** D1's error when a database has reached its limit. */
export function databaseFull(): Error {
  return new Error("D1_ERROR: database or disk is full: SQLITE_FULL");
}
