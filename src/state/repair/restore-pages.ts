// Writes the pages of a backup into an empty database, the last page first: of a key that was read twice, the later state
// counts. References are recounted while rows are written. A page may be written again: existing rows are skipped,
// together with the rows that they refer to.
import { jsonPages } from "../d1/json-pages.ts";
import { rowsOf, statement, type Database, type Statement } from "../d1/database.ts";
import type { Row } from "../d1/row-mapping.ts";
import { valueOf, type BackupPage } from "./backup-pages.ts";
import { restorePacks, restoreSmallBlobs } from "./restore-small-blobs.ts";

/** Added to the count of a reference that keeps its row in `shared_blobs` with any count, until all are counted. */
const TRACKED = 2 ** 40;
const PAGE_COUNTS = 2000;

/** Tables that hold no references, with what their rows depend on. */
const PLAIN_TABLES: Readonly<Record<string, string>> = {
  buckets: "true",
  users: "true",
  uploads: "e.value ->> 'bucket_id' IN (SELECT id FROM buckets)",
  snapshots: "e.value ->> 'bucket_id' IN (SELECT id FROM buckets)",
  upstream_deletions: "e.value ->> 'bucket_id' IN (SELECT id FROM buckets)",
  completed_uploads: "e.value ->> 'bucket_id' IN (SELECT id FROM buckets)",
  rename_tokens: "e.value ->> 'bucket_id' IN (SELECT id FROM buckets)",
  access_keys: "e.value ->> 'user_id' IN (SELECT id FROM users)",
  user_policies: "e.value ->> 'user_id' IN (SELECT id FROM users)",
};

/** Writes a page; answers how many rows it has written. */
export async function restorePage(database: Database, { tables, shared }: BackupPage): Promise<number> {
  const plain = Object.entries(PLAIN_TABLES).flatMap(([table, condition]) =>
    insertions(table, tables[table] ?? [], condition, "ON CONFLICT DO NOTHING"),
  );
  const fresh = await findFresh(database, tables);
  const counts = new Map<string, number>();
  const count = (id: unknown): void => {
    if (typeof id === "string") counts.set(id, (counts.get(id) ?? 0) + 1);
  };
  for (const row of [...fresh.objects, ...fresh.versions]) count(row["blob_id"] ?? row["manifest_id"]);
  for (const row of fresh.parts) count(row["holding_id"]);
  const manifests = reachedManifests(counts.keys(), tables["manifests"] ?? [], fresh.manifestsThere);
  for (const row of manifests) for (const id of holdingsOf(row)) count(id);
  // Only what the written rows reference: a later state of a key may not reference the same blobs.
  const small = (tables["small_blobs"] ?? []).filter((row) => counts.has(String(row["blob_id"])));
  const results = await database.batch([
    ...plain,
    ...restorePacks(tables["packs"] ?? []),
    ...restoreSmallBlobs(small),
    ...insertions("objects", fresh.objects, "true", ""),
    ...insertions("versions", fresh.versions, "true", ""),
    ...insertions("parts", fresh.parts, "true", ""),
    ...insertions("manifests", manifests, "true", ""),
    ...(tables["annotations"] ?? []).map(insertAnnotation),
    ...jsonPages([...counts]).map((json) =>
      statement(
        `INSERT INTO shared_blobs (blob_id, holders) SELECT value ->> 0, value ->> 1 FROM json_each(?) WHERE true
         ON CONFLICT DO UPDATE SET holders = holders + excluded.holders`,
        json,
      ),
    ),
    ...jsonPages(shared).map((json) =>
      statement(
        `UPDATE shared_blobs SET holders = holders + ${TRACKED}
         WHERE blob_id IN (SELECT value FROM json_each(?)) AND holders < ${TRACKED}`,
        json,
      ),
    ),
  ]);
  const rows = fresh.objects.length + fresh.versions.length + fresh.parts.length + manifests.length;
  return rows + results.slice(0, plain.length).reduce((sum, { changes }) => sum + changes, 0);
}

/** Where the counts are put in order: first those of one reference are dropped, then the mark is taken off the others. */
export interface CountPosition {
  readonly phase: "drop" | "unmark";
  readonly after: string;
}

export const FIRST_COUNT: CountPosition = { phase: "drop", after: "" };

/** Puts a page of counts in order; no position after the last. Each phase may be repeated. */
export async function completeCounts(
  database: Database,
  { phase, after }: CountPosition,
): Promise<CountPosition | undefined> {
  const [found] = await database.batch([
    statement(`SELECT blob_id FROM shared_blobs WHERE blob_id > ? ORDER BY blob_id LIMIT ${PAGE_COUNTS}`, after),
  ]);
  const last = rowsOf<{ readonly blob_id: string }>(found === undefined ? [] : [found]).at(-1)?.blob_id;
  if (last === undefined) return phase === "drop" ? { phase: "unmark", after: "" } : undefined;
  const change =
    phase === "drop"
      ? `DELETE FROM shared_blobs WHERE blob_id > ? AND blob_id <= ? AND holders = 1`
      : `UPDATE shared_blobs SET holders = holders - ${TRACKED} WHERE blob_id > ? AND blob_id <= ? AND holders > ${TRACKED}`;
  await database.batch([statement(change, after, last)]);
  return { phase, after: last };
}

/** Inserts the annotation of a version that exists. As JSON, its payload could exceed the size of a parameter. */
function insertAnnotation(row: Row): Statement {
  const columns = Object.keys(row);
  const at = (column: string): string => `?${columns.indexOf(column) + 1}`;
  const ofVersion = `bucket_id = ${at("bucket_id")} AND key = ${at("key")} AND version_id = ${at("version_id")}`;
  return statement(
    `INSERT INTO annotations (${columns.join(", ")}) SELECT ${columns.map(at).join(", ")}
     WHERE EXISTS (SELECT 1 FROM objects WHERE ${ofVersion}) OR EXISTS (SELECT 1 FROM versions WHERE ${ofVersion})
     ON CONFLICT DO NOTHING`,
    ...columns.map((column) => valueOf(row, column)),
  );
}

interface FreshRows {
  readonly objects: readonly Row[];
  readonly versions: readonly Row[];
  readonly parts: readonly Row[];
  readonly manifestsThere: ReadonlySet<string>;
}

/** The rows of a page whose key, or whose place in an upload, is not taken yet, and whose bucket or upload is there. */
async function findFresh(database: Database, tables: BackupPage["tables"]): Promise<FreshRows> {
  const rows = (table: string): readonly Row[] => tables[table] ?? [];
  const [keyed, parts] = [[...rows("objects"), ...rows("versions")], rows("parts")];
  if (keyed.length + parts.length === 0) return { objects: [], versions: [], parts: [], manifestsThere: new Set() };
  const keys = JSON.stringify(
    Array.from(Map.groupBy(keyed, (row) => JSON.stringify(keyOf(row))).values(), ([row = {}]) => keyOf(row)),
  );
  const places = JSON.stringify(parts.map(placeOf));
  const manifestIds = Array.from(new Set(rows("manifests").map((row) => row["manifest_id"])));
  const results = await database.batch([
    statement(
      `SELECT value AS id FROM json_each(?) k WHERE EXISTS (SELECT 1 FROM objects o
         WHERE o.bucket_id = k.value ->> 0 AND o.key = k.value ->> 1)
       OR EXISTS (SELECT 1 FROM versions v WHERE v.bucket_id = k.value ->> 0 AND v.key = k.value ->> 1)`,
      keys,
    ),
    statement(
      `SELECT value AS id FROM json_each(?) k WHERE EXISTS (SELECT 1 FROM parts p
         WHERE p.upload_id = k.value ->> 0 AND p.part_number = k.value ->> 1)`,
      places,
    ),
    statement(`SELECT id FROM buckets WHERE id IN (SELECT value ->> 0 FROM json_each(?))`, keys),
    statement(`SELECT upload_id AS id FROM uploads WHERE upload_id IN (SELECT value ->> 0 FROM json_each(?))`, places),
    statement(
      `SELECT DISTINCT manifest_id AS id FROM manifests WHERE manifest_id IN (SELECT value FROM json_each(?))`,
      JSON.stringify(manifestIds),
    ),
  ]);
  const [taken, placed, buckets, uploads, manifestsThere] = results.map(
    (_, index) => new Set(rowsOf<{ readonly id: string }>(results, index).map(({ id }) => id)),
  );
  const isFresh = (row: Row): boolean =>
    buckets?.has(String(row["bucket_id"])) === true && taken?.has(JSON.stringify(keyOf(row))) === false;
  return {
    objects: rows("objects").filter(isFresh),
    versions: rows("versions").filter(isFresh),
    parts: parts.filter(
      (row) => uploads?.has(String(row["upload_id"])) === true && placed?.has(JSON.stringify(placeOf(row))) === false,
    ),
    manifestsThere: manifestsThere ?? new Set(),
  };
}

function keyOf(row: Row): unknown[] {
  return [row["bucket_id"], row["key"]];
}

function placeOf(row: Row): unknown[] {
  return [row["upload_id"], row["part_number"]];
}

/** The manifests of a page that references reach and that do not exist yet, each page of them once. */
function reachedManifests(ids: Iterable<string>, rows: readonly Row[], there: ReadonlySet<string>): Row[] {
  const pages = Map.groupBy(rows, (row) => String(row["manifest_id"]));
  const reached = new Map<string, Row[]>();
  const open = Array.from(ids);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const found = pages.get(id);
    if (found === undefined || there.has(id) || reached.has(id)) continue;
    const distinct = new Map(found.map((row) => [row["page"], row]));
    reached.set(id, Array.from(distinct.values()));
    for (const row of found) open.push(...holdingsOf(row));
  }
  return Array.from(reached.values()).flat();
}

function holdingsOf(row: Row): string[] {
  const holdings: unknown = JSON.parse(String(row["holdings"]));
  return Array.isArray(holdings) ? holdings.map(String) : [];
}

/** Rows go in as they came out, column by column. Names come from the backup, and are only taken if they are names. */
function insertions(table: string, rows: readonly Row[], condition: string, conflict: string): Statement[] {
  const columns = Object.keys(rows[0] ?? {}).filter((name) => /^[a-z_]+$/.test(name));
  const values = columns.map((name) => `e.value ->> '${name}'`);
  return jsonPages(rows).map((json) =>
    statement(
      `INSERT INTO ${table} (${columns.join(", ")})
       SELECT ${values.join(", ")} FROM json_each(?) e WHERE ${condition} ${conflict}`,
      json,
    ),
  );
}
