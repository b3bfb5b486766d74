// Looks up versions of a key, current or by id, and writes the objects table, which stores current versions.
import { BUCKET_COLUMNS, bucketFromRow, selectBucket, type BucketFacts, type BucketRow } from "./buckets.ts";
import type { ManifestReference } from "./manifest-reads.ts";
import { OBJECT_COLUMNS, OBJECT_FIELDS, objectFromRow, VERSION_COLUMNS, type ObjectRow } from "./object-columns.ts";
import { isDeletedHere } from "./upstream-imports.ts";
import { parametersOf } from "../d1/row-mapping.ts";
import { rowsOf, statement, type Lookup, type SqlValue, type Statement, type StatementResult } from "../d1/database.ts";
import { listStatement } from "../d1/joined-statements.ts";
import type { DeleteMarker, StoredObject } from "../../protocol/objects/stored-object.ts";

/** A bucket and one version of a key. */
export interface VersionFacts extends BucketFacts {
  /** The requested version, unless it is a delete marker. */
  readonly object: StoredObject | undefined;
  /** The requested or current delete marker. */
  readonly deleteMarker: DeleteMarker | undefined;
  /** Whether a bucket with an upstream had the current version and lost it; looked up only if there is none. */
  readonly wasDeleted?: boolean;
}

/** The row of a missing version. */
interface AbsentRow {
  readonly key: null;
}

interface MarkerColumn {
  /** The newest delete marker as JSON [version id, is null version, modified at], if no current version exists. */
  readonly marker: string | null;
  /** Null in a bucket without an upstream. */
  readonly was_deleted: number | null;
}

/**
 * Looks up a bucket and one version of a key.
 * @param versionId a version id, `"null"`, or undefined for the current version
 * @param columns the columns of the version, at least {@link OBJECT_COLUMNS}
 */
export function lookUpVersion(
  bucketName: string,
  key: string,
  versionId: string | undefined,
  columns = OBJECT_COLUMNS,
): Lookup<VersionFacts> {
  return versionId === undefined
    ? lookUpCurrent(bucketName, key, columns)
    : lookUpOneOfAll(bucketName, key, versionId, columns);
}

function lookUpCurrent(bucketName: string, key: string, columns: string): Lookup<VersionFacts> {
  return {
    statements: [
      statement(
        `SELECT ${BUCKET_COLUMNS}, ${columns},
           CASE WHEN o.key IS NULL THEN
             (SELECT json_array(v.version_id, v.is_null_version, v.modified_at) FROM versions v
              WHERE v.bucket_id = b.id AND v.key = ?2 ORDER BY v.version_id LIMIT 1) END AS marker,
           CASE WHEN o.key IS NULL AND b.upstream IS NOT NULL THEN ${isDeletedHere("b.id", "?2")} END AS was_deleted
         FROM buckets b LEFT JOIN objects o ON o.bucket_id = b.id AND o.key = ?2 WHERE b.name = ?1`,
        bucketName,
        key,
      ),
    ],
    read: (results) => {
      const row = rowsOf<BucketRow & MarkerColumn & (ObjectRow | AbsentRow)>(results)[0];
      if (row === undefined) return { bucket: undefined, object: undefined, deleteMarker: undefined };
      return {
        bucket: bucketFromRow(row),
        object: isPresent(row) ? objectFromRow(row) : undefined,
        deleteMarker: markerFromJson(key, row.marker),
        wasDeleted: row.was_deleted === 1,
      };
    },
  };
}

function lookUpOneOfAll(bucketName: string, key: string, versionId: string, columns: string): Lookup<VersionFacts> {
  const match = versionId === "null" ? "is_null_version = 1" : "version_id = ?3";
  const parameters = versionId === "null" ? [bucketName, key] : [bucketName, key, versionId];
  const of = `o.bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND o.key = ?2 AND o.${match}`;
  return {
    statements: [
      selectBucket(bucketName),
      statement(
        `SELECT ${columns}, 0 AS is_delete_marker FROM objects o WHERE ${of}
         UNION ALL SELECT ${columns}, o.is_delete_marker FROM ${versionsTable(versionId)} WHERE ${of}`,
        ...parameters,
      ),
    ],
    read: versionFacts,
  };
}

/** Reads a bucket and the second statement's row of objects or versions with `is_delete_marker`. */
export function versionFacts(results: readonly StatementResult[]): VersionFacts {
  const bucket = rowsOf<BucketRow>(results).map(bucketFromRow)[0];
  const row = rowsOf<ObjectRow & { readonly is_delete_marker: number }>(results, 1)[0];
  const version = row === undefined ? undefined : objectFromRow(row);
  const isMarker = row?.is_delete_marker === 1;
  return { bucket, object: isMarker ? undefined : version, deleteMarker: isMarker ? version : undefined };
}

/** Selects the current versions of keys that have one. */
export function selectCurrentObjects(bucketName: string, keys: readonly string[]): Statement {
  return statement(
    `SELECT ${OBJECT_COLUMNS} FROM json_each(?2) k
     CROSS JOIN objects o ON o.bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND o.key = k.value`,
    bucketName,
    JSON.stringify(keys),
  );
}

/** Returns the SQL that selects the manifest id of a version, if it has one. */
export function manifestOf(bucketName: string, key: string, versionId: string | undefined): ManifestReference {
  const of = "o.bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND o.key = ?2";
  if (versionId === undefined) {
    return { sql: `SELECT o.manifest_id FROM objects o WHERE ${of}`, parameters: [bucketName, key] };
  }
  const match = versionId === "null" ? "o.is_null_version = 1 AND ?3 = 'null'" : "o.version_id = ?3";
  return {
    sql: `SELECT o.manifest_id FROM objects o WHERE ${of} AND ${match}
          UNION ALL SELECT o.manifest_id FROM ${versionsTable(versionId)} WHERE ${of} AND ${match}`,
    parameters: [bucketName, key, versionId],
  };
}

/**
 * The versions table under the alias `o`. Without the hint, SQLite scans all versions of the key for the null version.
 */
function versionsTable(versionId: string): string {
  return versionId === "null" ? "versions AS o INDEXED BY null_versions" : "versions AS o";
}

function isPresent(row: ObjectRow | AbsentRow): row is ObjectRow {
  return row.key !== null;
}

function markerFromJson(key: string, json: string | null): DeleteMarker | undefined {
  if (json === null) return undefined;
  // json_array in the statement above writes this form.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const [versionId, isNull, modifiedAt] = JSON.parse(json) as [string, number, number];
  return { key, versionId, isNullVersion: isNull === 1, modifiedAt };
}

const REPLACE_CURRENT = `ON CONFLICT (bucket_id, key) DO UPDATE SET
  ${VERSION_COLUMNS.map((column) => `${column} = excluded.${column}`).join(", ")}`;
const UPSERT = `INSERT INTO objects (${VERSION_COLUMNS.join(", ")})
  VALUES (${VERSION_COLUMNS.map(() => "?").join(", ")}) ${REPLACE_CURRENT}`;
// Without a WHERE, SQLite would take ON CONFLICT for the condition of a join.
const UPSERT_ALL = `INSERT INTO objects (${VERSION_COLUMNS.join(", ")})
  SELECT ?2, ${VERSION_COLUMNS.slice(1)
    .map((_, index) => `value ->> ${index}`)
    .join(", ")}
  FROM json_each(?1) WHERE true ${REPLACE_CURRENT}`;

/** Inserts a version as the current one of its key, or replaces the current row. */
export function upsertObject(bucketId: string, object: StoredObject): Statement {
  const parameters = parametersOf(OBJECT_FIELDS, object);
  const single = statement(UPSERT, bucketId, ...parameters);
  if (!parameters.every(hasJsonForm)) return single;
  return { ...single, asList: () => listStatement(UPSERT_ALL, [parameters], bucketId) };
}

/** Whether SQLite reads the same text from JSON as from a parameter: it ends a text in JSON at a NUL. */
function hasJsonForm(value: SqlValue): boolean {
  return typeof value !== "string" || (value.isWellFormed() && !value.includes("\0"));
}
