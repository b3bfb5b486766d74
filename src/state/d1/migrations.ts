// The migrations that this Worker carries, and how it applies them itself through its D1 binding. `npm run deploy` has
// them applied before the Worker is uploaded; this is for a Worker that meets a database without them.
import buckets from "../../../migrations/0001_buckets.sql";
import objects from "../../../migrations/0002_objects.sql";
import blobs from "../../../migrations/0003_blobs.sql";
import commitGuard from "../../../migrations/0004_commit_guard.sql";
import multipart from "../../../migrations/0005_multipart.sql";
import versions from "../../../migrations/0006_versions.sql";
import renameTokens from "../../../migrations/0007_rename_tokens.sql";
import bucketTags from "../../../migrations/0008_bucket_tags.sql";
import bucketCors from "../../../migrations/0009_bucket_cors.sql";
import bucketAccess from "../../../migrations/0010_bucket_access.sql";
import objectAcls from "../../../migrations/0011_object_acls.sql";
import identities from "../../../migrations/0012_identities.sql";
import jobs from "../../../migrations/0013_jobs.sql";
import lifecycle from "../../../migrations/0014_lifecycle.sql";
import snapshots from "../../../migrations/0015_snapshots.sql";
import orphansAndFindings from "../../../migrations/0016_orphans_and_findings.sql";
import transitionsBackwards from "../../../migrations/0017_transitions_backwards.sql";
import storageClassTransitions from "../../../migrations/0018_storage_class_transitions.sql";
import manifestPages from "../../../migrations/0019_manifest_pages.sql";
import { sqlStatements } from "./sql-statements.ts";

interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** Every file of the migrations folder, in order. */
export const MIGRATIONS: readonly Migration[] = [
  { name: "0001_buckets.sql", sql: buckets },
  { name: "0002_objects.sql", sql: objects },
  { name: "0003_blobs.sql", sql: blobs },
  { name: "0004_commit_guard.sql", sql: commitGuard },
  { name: "0005_multipart.sql", sql: multipart },
  { name: "0006_versions.sql", sql: versions },
  { name: "0007_rename_tokens.sql", sql: renameTokens },
  { name: "0008_bucket_tags.sql", sql: bucketTags },
  { name: "0009_bucket_cors.sql", sql: bucketCors },
  { name: "0010_bucket_access.sql", sql: bucketAccess },
  { name: "0011_object_acls.sql", sql: objectAcls },
  { name: "0012_identities.sql", sql: identities },
  { name: "0013_jobs.sql", sql: jobs },
  { name: "0014_lifecycle.sql", sql: lifecycle },
  { name: "0015_snapshots.sql", sql: snapshots },
  { name: "0016_orphans_and_findings.sql", sql: orphansAndFindings },
  { name: "0017_transitions_backwards.sql", sql: transitionsBackwards },
  { name: "0018_storage_class_transitions.sql", sql: storageClassTransitions },
  { name: "0019_manifest_pages.sql", sql: manifestPages },
];

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
const CREATE_LEDGER = `CREATE TABLE IF NOT EXISTS d1_migrations(
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
    d1.prepare(CREATE_LEDGER),
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
