// Reads the metadata for a backup, page by page. One page reads whole keys in one transaction: the current version, all
// others, their manifests and which of their references are shared. So each key is backed up as it was at one moment. A
// second pass reads the keys again that were written since the backup began, and so finds what was renamed meanwhile.
import { compareUtf8 } from "../../bytes/text.ts";
import { cutoffAt } from "../../protocol/core/version-id.ts";
import { rowsOf, statement, type Database, type SqlValue, type Statement } from "../d1/database.ts";
import type { Row } from "../d1/row-mapping.ts";

/** Rows by their tables, and the ids among their references that `shared_blobs` has. */
export interface BackupPage {
  /** The further database of the rows; undefined: the first. */
  readonly database?: string;
  readonly tables: Readonly<Record<string, readonly Row[]>>;
  readonly shared: readonly string[];
}

/** The tables that are read row by row, with their primary keys, children before what they depend on. */
const ROW_TABLES = {
  rename_tokens: ["bucket_id", "token"],
  completed_uploads: ["bucket_id", "key", "upload_id"],
  annotations: ["bucket_id", "key", "version_id", "name"],
  snapshots: ["bucket_id", "cutoff"],
  upstream_deletions: ["bucket_id", "key"],
  access_keys: ["id"],
  user_policies: ["user_id", "name"],
  users: ["id"],
  parts: ["upload_id", "part_number"],
  uploads: ["bucket_id", "key", "upload_id"],
  packs: ["pack_id"],
  buckets: ["name"],
} as const satisfies Readonly<Record<string, readonly string[]>>;
type RowTable = keyof typeof ROW_TABLES;

/**
 * Tables without a backup: a restore recounts references and registers the buckets of further databases again, triggers
 * derive the hosts, the counters of quotas and the indexes of queries, counted requests and events are no part of the store, one-time
 * sessions end within hours, and the rest is progress of jobs or belongs to one database.
 */
export const NOT_BACKED_UP = [
  "jobs",
  "delivery_hosts",
  "garbage",
  "orphans",
  "scan_tombstones",
  "scrub_findings",
  "recovered_blobs",
  "rebuild_findings",
  "deletion_hold",
  "store_generation",
  "transitions",
  "storage_class_transitions",
  "bucket_placements",
  "deleted_buckets",
  "request_usage",
  "request_totals",
  "usage_writers",
  "bucket_events",
  "event_deliveries",
  "dead_events",
  "purged_annotations",
  "bucket_quotas",
  "query_indexes",
  "query_entries",
  "deleted_query_indexes",
  "upstream_imports",
  "user_quotas",
  "spent_sessions",
] as const;
export const BACKED_UP = [
  ...Object.keys(ROW_TABLES),
  "objects",
  "versions",
  "manifests",
  "shared_blobs",
  "small_blobs",
];

const PHASES = [
  "rename_tokens",
  "completed_uploads",
  "annotations",
  "snapshots",
  "upstream_deletions",
  "access_keys",
  "user_policies",
  "users",
  "parts",
  "uploads",
  "keys",
  "changed objects",
  "changed versions",
  "packs",
  "buckets",
] as const;

/** The position at which a backup continues: after a primary key, or at a phase's beginning. */
export interface BackupPosition {
  /** The further database; undefined: the first. */
  readonly database?: string;
  readonly phase: (typeof PHASES)[number];
  readonly after: readonly SqlValue[];
}

export const FIRST_POSITION: BackupPosition = { phase: "rename_tokens", after: [] };

// A parameter may hold 2 MB, and a restore passes the keys of a page as one.
const PAGE_ROWS = 400;
/** Each has up to 1 MiB. */
const PAGE_ANNOTATIONS = 8;
const PAGE_SCANNED = 1500;
/** Of manifests and small blobs in one page of keys, unless one key has more. */
const PAGE_CONTENT_BYTES = 4_000_000;
/** How far the clocks of writers may be apart. */
const CLOCK_MARGIN_MS = 10 * 60_000;

type Reader = Pick<Database, "batch">;

/** How long the manifest or the small blob of a row `t` is. */
const CONTENT_BYTES = `coalesce((
  SELECT sum(length(m.slices) + length(m.parts)) FROM manifests m WHERE m.manifest_id = t.manifest_id), (
  SELECT length(b.recovery_metadata) + length(b.bytes) FROM small_blobs b WHERE b.blob_id = t.blob_id), 0) AS bytes`;

/** The rows of a table whose keys are in a range. */
const inRange = (table: string): string =>
  `${table} t WHERE (t.bucket_id, t.key) > (?1, ?2) AND (t.bucket_id, t.key) <= (?3, ?4)`;

/** The rows of a table whose keys are in a list. */
const listed = (table: string): string =>
  `json_each(?1) k CROSS JOIN ${table} t ON t.bucket_id = k.value ->> 0 AND t.key = k.value ->> 1 WHERE true`;

/** One page and the position of the next; no position after the last. */
export interface BackupStep {
  readonly page: BackupPage;
  readonly next: BackupPosition | undefined;
}

/** @param began when the backup began, in milliseconds since the epoch */
export async function readBackupPage(database: Reader, position: BackupPosition, began: number): Promise<BackupStep> {
  const { phase } = position;
  if (phase === "keys") return readKeys(database, position);
  if (phase === "changed objects") return readChanged(database, "objects", position, began);
  if (phase === "changed versions") return readChanged(database, "versions", position, began);
  return readRows(database, phase, position);
}

/** Whether a page has no rows. */
export function isEmptyPage({ tables }: BackupPage): boolean {
  return Object.values(tables).every((rows) => rows.length === 0);
}

async function readRows(database: Reader, table: RowTable, { phase, after }: BackupPosition): Promise<BackupStep> {
  const columns = ROW_TABLES[table];
  const limit = table === "annotations" ? PAGE_ANNOTATIONS : PAGE_ROWS;
  const key = columns.join(", ");
  const where = after.length === 0 ? "true" : `(${key}) > (${columns.map(() => "?").join(", ")})`;
  const source = `(SELECT * FROM ${table} WHERE ${where} ORDER BY ${key} LIMIT ${limit})`;
  const references = table === "parts" ? referenceStatements(`SELECT holding_id FROM ${source}`, after) : [];
  const results = await database.batch([statement(`SELECT * FROM ${source}`, ...after), ...references]);
  const rows = rowsOf<Row>(results);
  const last = rows.length === limit ? rows.at(-1) : undefined;
  return {
    page: {
      tables: { [table]: rows, manifests: rowsOf<Row>(results, 1), small_blobs: rowsOf<Row>(results, 3) },
      shared: rowsOf<{ readonly blob_id: string }>(results, 2).map((row) => row.blob_id),
    },
    next: last === undefined ? phaseAfter(phase) : { phase, after: columns.map((column) => valueOf(last, column)) },
  };
}

async function readKeys(database: Reader, { phase, after }: BackupPosition): Promise<BackupStep> {
  const from = after.length === 0 ? ["", ""] : after;
  const sized = (table: "objects" | "versions"): Statement =>
    statement(
      `SELECT t.bucket_id, t.key, ${CONTENT_BYTES}
       FROM ${table} t WHERE (t.bucket_id, t.key) > (?, ?) ORDER BY t.bucket_id, t.key LIMIT ${PAGE_ROWS}`,
      ...from,
    );
  const sizes = await database.batch([sized("objects"), sized("versions")]);
  const end = endOfPage([rowsOf<SizedRow>(sizes), rowsOf<SizedRow>(sizes, 1)]);
  if (end === undefined) return { page: { tables: {}, shared: [] }, next: phaseAfter(phase) };
  return { page: await readKeyStates(database, inRange, [...from, ...end]), next: { phase, after: end } };
}

interface SizedRow {
  readonly bucket_id: string;
  readonly key: string;
  readonly bytes: number;
}

/** The last key of a page: all rows up to it were seen, and their manifests are not too long together. */
function endOfPage(tables: readonly (readonly SizedRow[])[]): readonly [string, string] | undefined {
  const bounds = tables.flatMap((rows) => (rows.length === PAGE_ROWS ? (rows.at(-1) ?? []) : []));
  const bound = bounds.toSorted(compareRows)[0];
  let bytes = 0;
  let end: SizedRow | undefined;
  for (const row of tables.flat().toSorted(compareRows)) {
    if (bound !== undefined && compareRows(row, bound) > 0) break;
    bytes += row.bytes;
    if (end !== undefined && bytes > PAGE_CONTENT_BYTES && compareRows(row, end) > 0) break;
    end = row;
  }
  return end === undefined ? undefined : [end.bucket_id, end.key];
}

/** The first rows whose manifests are not too long together, but at least one. */
function withinBytes<Sized extends SizedRow>(rows: readonly Sized[]): readonly Sized[] {
  let bytes = 0;
  const end = rows.findIndex((row, index) => {
    bytes += row.bytes;
    return index > 0 && bytes > PAGE_CONTENT_BYTES;
  });
  return end === -1 ? rows : rows.slice(0, end);
}

function compareRows(one: SizedRow, other: SizedRow): number {
  return compareUtf8(one.bucket_id, other.bucket_id) || compareUtf8(one.key, other.key);
}

/** Reads the keys again of which a page of rows shows a version that was written since the backup began. */
async function readChanged(
  database: Reader,
  table: "objects" | "versions",
  { phase, after }: BackupPosition,
  began: number,
): Promise<BackupStep> {
  const from = after.length === 0 ? ["", "", ""] : after;
  const source = `(SELECT bucket_id, key, version_id, manifest_id, blob_id FROM ${table}
    WHERE (bucket_id, key, version_id) > (?1, ?2, ?3) ORDER BY bucket_id, key, version_id LIMIT ${PAGE_SCANNED})`;
  const [changed, last] = await database.batch([
    statement(
      `SELECT bucket_id, key, version_id, ${CONTENT_BYTES} FROM ${source} t WHERE version_id < ?4`,
      ...from,
      cutoffAt(began - CLOCK_MARGIN_MS),
    ),
    statement(`SELECT * FROM ${source} LIMIT 1 OFFSET ${PAGE_SCANNED - 1}`, ...from),
  ]);
  const rows = rowsOf<SizedRow & Row>(changed === undefined ? [] : [changed]);
  const keys = withinBytes(rows);
  const end = keys.length < rows.length ? keys.at(-1) : rowsOf<Row>(last === undefined ? [] : [last])[0];
  const next =
    end === undefined
      ? phaseAfter(phase)
      : { phase, after: ["bucket_id", "key", "version_id"].map((name) => valueOf(end, name)) };
  if (keys.length === 0) return { page: { tables: {}, shared: [] }, next };
  const json = JSON.stringify(
    Array.from(new Map(keys.map((row) => [`${row.bucket_id}/${row.key}`, [row.bucket_id, row.key]])).values()),
  );
  return { page: await readKeyStates(database, listed, [json]), next };
}

/** @param source the rows `t` of a table: what follows FROM, with a WHERE */
async function readKeyStates(
  database: Reader,
  source: (table: string) => string,
  parameters: readonly SqlValue[],
): Promise<BackupPage> {
  const held = `SELECT coalesce(t.blob_id, t.manifest_id) FROM ${source("objects")}
    UNION SELECT coalesce(t.blob_id, t.manifest_id) FROM ${source("versions")}`;
  const results = await database.batch([
    statement(`SELECT t.* FROM ${source("objects")}`, ...parameters),
    statement(`SELECT t.* FROM ${source("versions")}`, ...parameters),
    ...referenceStatements(held, parameters),
  ]);
  return {
    tables: {
      objects: rowsOf<Row>(results),
      versions: rowsOf<Row>(results, 1),
      manifests: rowsOf<Row>(results, 2),
      small_blobs: rowsOf<Row>(results, 4),
    },
    shared: rowsOf<{ readonly blob_id: string }>(results, 3).map((row) => row.blob_id),
  };
}

/** The manifests that are reached from references, what is shared of all that is reached, and its small blobs. */
function referenceStatements(held: string, parameters: readonly SqlValue[]): Statement[] {
  const reached = `WITH RECURSIVE reached (id) AS (
    SELECT * FROM (${held})
    UNION SELECT h.value FROM reached r CROSS JOIN manifests m ON m.manifest_id = r.id CROSS JOIN json_each(m.holdings) h)`;
  return [
    statement(`${reached} SELECT m.* FROM reached r CROSS JOIN manifests m ON m.manifest_id = r.id`, ...parameters),
    statement(
      `${reached} SELECT s.blob_id FROM reached r CROSS JOIN shared_blobs s ON s.blob_id = r.id`,
      ...parameters,
    ),
    statement(`${reached} SELECT b.* FROM reached r CROSS JOIN small_blobs b ON b.blob_id = r.id`, ...parameters),
  ];
}

function phaseAfter(phase: BackupPosition["phase"]): BackupPosition | undefined {
  const next = PHASES[PHASES.indexOf(phase) + 1];
  return next === undefined ? undefined : { phase: next, after: [] };
}

/** A column of a row; null if it has none. */
export function valueOf(row: Row, column: string): SqlValue {
  const value = row[column];
  return typeof value === "string" || typeof value === "number" ? value : null;
}
