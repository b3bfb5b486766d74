// A second database next to the tests' own, which a rebuild creates from the blobs of one bucket.
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";

import { rebuild } from "../../src/jobs/rebuild/rebuild.ts";
import { checkReferences, type ReferenceReport } from "../../src/state/repair/check-references.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import type { RequestScope } from "./client.ts";
import { runPass, type Pass } from "./jobs.ts";
import { bucketId } from "./stored-state.ts";

// What the configuration bound.
// oxlint-disable typescript/no-unsafe-type-assertion
export const REBUILT = Reflect.get(env, "REBUILT_DB") as D1Database;
const MIGRATIONS = Reflect.get(env, "TEST_MIGRATIONS") as D1Migration[];
// oxlint-enable typescript/no-unsafe-type-assertion

const TABLES = [
  "buckets",
  "objects",
  "versions",
  "uploads",
  "parts",
  "manifests",
  "garbage",
  "shared_blobs",
  "small_blobs",
  "packs",
];
const OF_RECOVERY = ["recovered_blobs", "rebuild_findings", "deletion_hold", "store_generation"];

/** Empties the second database. */
export async function loseDatabase(): Promise<void> {
  await applyD1Migrations(REBUILT, MIGRATIONS);
  await emptyTables(REBUILT, [...TABLES, ...OF_RECOVERY]);
}

/** Empties tables in spite of the triggers by which no statement deletes a locked version. */
export async function emptyTables(database: D1Database, tables: readonly string[]): Promise<void> {
  const { results: guards } = await database
    .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'locked_version_%'")
    .all<{ readonly name: string; readonly sql: string }>();
  await database.batch([
    ...guards.map(({ name }) => database.prepare(`DROP TRIGGER ${name}`)),
    ...tables.map((table) => database.prepare(`DELETE FROM ${table}`)),
    ...guards.map(({ sql }) => database.prepare(sql)),
  ]);
}

/** An R2 bucket that contains only the blobs of one bucket. */
export function onlyBucket(id: string): R2Bucket {
  return new Proxy(env.BLOBS, {
    get(target, property) {
      if (property === "list") return (options: R2ListOptions) => target.list({ ...options, prefix: `${id}/` });
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Rebuilds the database from a bucket's blobs, and returns a scope whose requests see nothing else. */
export async function rebuilt(bucket: string, scope: RequestScope = {}): Promise<{ world: RequestScope; pass: Pass }> {
  const world = { DB: REBUILT, BLOBS: onlyBucket(await bucketId(bucket)) };
  const pass = await runPass(rebuild, Date.now(), { ...world, ...scope });
  return { world, pass };
}

/** The findings of the check on the second database. */
export async function referencesIn({ BLOBS }: RequestScope): Promise<ReferenceReport> {
  const listed = (await BLOBS?.list())?.objects.map(({ key, size }) => ({ blobId: key, size })) ?? [];
  const database = new Database(REBUILT, new Counts());
  return checkReferences(database, async () => ({ blobs: listed, cursor: undefined }));
}

/** A finding of the latest rebuild. */
export interface ShownFinding {
  readonly key: string;
  readonly subject: string;
  readonly finding: string;
}

/** The report of the latest rebuild. */
export async function rebuildFindings(): Promise<ShownFinding[]> {
  const found = await REBUILT.prepare(
    "SELECT key, subject, finding FROM rebuild_findings ORDER BY key, subject",
  ).all<ShownFinding>();
  return found.results;
}
