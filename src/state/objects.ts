// The objects table: the current version of each key.
import { BUCKET_COLUMNS, bucketFromRow, selectBucket, type BucketFacts, type BucketRow } from "./buckets.ts";
import type { ManifestReference } from "./manifests.ts";
import { rowsOf, statement, type Lookup, type Statement, type StatementResult } from "./database.ts";
import type { ObjectChecksum } from "../protocol/checksums.ts";
import type { Tag } from "../protocol/tagging.ts";
import type { DeleteMarker, StoredObject } from "../protocol/stored-object.ts";

/** A version's columns. */
export interface ObjectRow {
  readonly key: string;
  readonly version_id: string;
  readonly is_null_version: number;
  readonly size: number;
  readonly etag: string;
  readonly modified_at: number;
  readonly owner_id: string;
  readonly blob_id: string | null;
  readonly manifest_id: string | null;
  readonly content_type: string | null;
  readonly system_metadata: string | null;
  readonly user_metadata: string | null;
  readonly tags: string | null;
  readonly storage_class: string;
  readonly checksum_algorithm: ObjectChecksum["algorithm"] | null;
  readonly checksum_type: ObjectChecksum["type"] | null;
  readonly checksum: string | null;
  readonly acl: string | null;
  readonly encryption: string | null;
}

/** What to select for an {@link ObjectRow}, with the table under the name `o`. */
export const OBJECT_COLUMNS = `o.key, o.version_id, o.is_null_version, o.size, o.etag, o.modified_at, o.owner_id, o.blob_id, o.manifest_id,
  o.content_type, o.system_metadata, o.user_metadata, o.tags, o.storage_class, o.checksum_algorithm, o.checksum_type, o.checksum,
  o.acl, o.encryption`;

export function objectFromRow(row: ObjectRow): StoredObject {
  const { checksum_algorithm: algorithm, checksum_type: type, checksum: value } = row;
  return {
    key: row.key,
    versionId: row.version_id,
    isNullVersion: row.is_null_version === 1,
    size: row.size,
    etag: row.etag,
    modifiedAt: row.modified_at,
    ownerId: row.owner_id,
    blobId: row.blob_id ?? undefined,
    manifestId: row.manifest_id ?? undefined,
    contentType: row.content_type ?? undefined,
    systemMetadata: parseMetadata(row.system_metadata),
    userMetadata: parseMetadata(row.user_metadata),
    tags: parseTags(row.tags),
    storageClass: row.storage_class,
    checksum: algorithm === null || type === null || value === null ? undefined : { algorithm, type, value },
    acl: row.acl ?? undefined,
    encryption: row.encryption ?? undefined,
  };
}

/** Tags as they are kept. */
export function tagsJson(tags: readonly Tag[]): string | null {
  return tags.length === 0 ? null : JSON.stringify(tags.map(({ key, value }) => [key, value]));
}

/** Reads what tagsJson wrote. */
export function parseTags(json: string | null): readonly Tag[] {
  if (json === null) return [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (JSON.parse(json) as readonly [string, string][]).map(([key, value]) => ({ key, value }));
}

/** Reads what metadataJson wrote. */
export function parseMetadata(json: string | null): Readonly<Record<string, string>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return json === null ? {} : (JSON.parse(json) as Readonly<Record<string, string>>);
}

export function metadataJson(metadata: Readonly<Record<string, string>>): string | null {
  return Object.keys(metadata).length === 0 ? null : JSON.stringify(metadata);
}

/** A bucket and one version of a key. */
export interface VersionFacts extends BucketFacts {
  /** The version that was asked for, unless it is a delete marker. */
  readonly object: StoredObject | undefined;
  /** The delete marker that was asked for, or that is current. */
  readonly deleteMarker: DeleteMarker | undefined;
}

type Absent<Row> = { readonly [Column in keyof Row]: Row[Column] | null };
interface MarkerColumn {
  /** The newest delete marker as JSON [version id, is null version, modified at], where there is no current version. */
  readonly marker: string | null;
}

/**
 * Looks up a bucket and one version of a key, in one statement.
 * @param versionId a version id, `null`, or undefined for the current version
 */
export function lookUpVersion(bucketName: string, key: string, versionId: string | undefined): Lookup<VersionFacts> {
  return versionId === undefined ? lookUpCurrent(bucketName, key) : lookUpOneOfAll(bucketName, key, versionId);
}

function lookUpCurrent(bucketName: string, key: string): Lookup<VersionFacts> {
  return {
    statements: [
      statement(
        `SELECT ${BUCKET_COLUMNS}, ${OBJECT_COLUMNS},
           CASE WHEN o.key IS NULL THEN
             (SELECT json_array(v.version_id, v.is_null_version, v.modified_at) FROM versions v
              WHERE v.bucket_id = b.id AND v.key = ?2 ORDER BY v.version_id LIMIT 1) END AS marker
         FROM buckets b LEFT JOIN objects o ON o.bucket_id = b.id AND o.key = ?2 WHERE b.name = ?1`,
        bucketName,
        key,
      ),
    ],
    read: (results) => {
      const row = rowsOf<BucketRow & MarkerColumn & (ObjectRow | Absent<ObjectRow>)>(results)[0];
      if (row === undefined) return { bucket: undefined, object: undefined, deleteMarker: undefined };
      return {
        bucket: bucketFromRow(row),
        object: isPresent(row) ? objectFromRow(row) : undefined,
        deleteMarker: markerFromJson(key, row.marker),
      };
    },
  };
}

function lookUpOneOfAll(bucketName: string, key: string, versionId: string): Lookup<VersionFacts> {
  const match = versionId === "null" ? "is_null_version = 1" : "version_id = ?3";
  const parameters = versionId === "null" ? [bucketName, key] : [bucketName, key, versionId];
  const of = `o.bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND o.key = ?2 AND o.${match}`;
  return {
    statements: [
      selectBucket(bucketName),
      statement(
        `SELECT ${OBJECT_COLUMNS}, 0 AS is_delete_marker FROM objects o WHERE ${of}
         UNION ALL SELECT ${OBJECT_COLUMNS}, o.is_delete_marker FROM ${versionsTable(versionId)} WHERE ${of}`,
        ...parameters,
      ),
    ],
    read: versionFacts,
  };
}

/** Reads a bucket and, of a second statement, one row of objects or versions with `is_delete_marker`. */
export function versionFacts(results: readonly StatementResult[]): VersionFacts {
  const bucket = rowsOf<BucketRow>(results).map(bucketFromRow)[0];
  const row = rowsOf<ObjectRow & { readonly is_delete_marker: number }>(results, 1)[0];
  const version = row === undefined ? undefined : objectFromRow(row);
  const isMarker = row?.is_delete_marker === 1;
  return { bucket, object: isMarker ? undefined : version, deleteMarker: isMarker ? version : undefined };
}

/** The current versions of those keys that have one. */
export function selectCurrentObjects(bucketName: string, keys: readonly string[]): Statement {
  return statement(
    `SELECT ${OBJECT_COLUMNS} FROM json_each(?2) k
     CROSS JOIN objects o ON o.bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND o.key = k.value`,
    bucketName,
    JSON.stringify(keys),
  );
}

/** Where a statement finds the manifest of a version, if that has one. */
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

/** The versions table, under the name `o`. Left to itself, SQLite would look for `null` among all of a key's versions. */
function versionsTable(versionId: string): string {
  return versionId === "null" ? "versions AS o INDEXED BY null_versions" : "versions AS o";
}

function isPresent(row: ObjectRow | Absent<ObjectRow>): row is ObjectRow {
  return row.key !== null;
}

function markerFromJson(key: string, json: string | null): DeleteMarker | undefined {
  if (json === null) return undefined;
  // What json_array wrote in the statement above.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const [versionId, isNull, modifiedAt] = JSON.parse(json) as [string, number, number];
  return { key, versionId, isNullVersion: isNull === 1, modifiedAt };
}

/** Makes a version the current one of its key, in place of whatever is there. */
export function upsertObject(bucketId: string, object: StoredObject): Statement {
  return statement(
    `INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, blob_id,
       manifest_id, content_type, system_metadata, user_metadata, tags, storage_class, checksum_algorithm,
       checksum_type, checksum, acl, encryption)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (bucket_id, key) DO UPDATE SET
       version_id = excluded.version_id, is_null_version = excluded.is_null_version, size = excluded.size,
       etag = excluded.etag, modified_at = excluded.modified_at, owner_id = excluded.owner_id,
       blob_id = excluded.blob_id, manifest_id = excluded.manifest_id, content_type = excluded.content_type,
       system_metadata = excluded.system_metadata, user_metadata = excluded.user_metadata, tags = excluded.tags,
       storage_class = excluded.storage_class, checksum_algorithm = excluded.checksum_algorithm,
       checksum_type = excluded.checksum_type, checksum = excluded.checksum, acl = excluded.acl,
       encryption = excluded.encryption`,
    bucketId,
    object.key,
    object.versionId,
    object.isNullVersion ? 1 : 0,
    object.size,
    object.etag,
    object.modifiedAt,
    object.ownerId,
    object.blobId ?? null,
    object.manifestId ?? null,
    object.contentType ?? null,
    metadataJson(object.systemMetadata),
    metadataJson(object.userMetadata),
    tagsJson(object.tags),
    object.storageClass,
    object.checksum?.algorithm ?? null,
    object.checksum?.type ?? null,
    object.checksum?.value ?? null,
    object.acl ?? null,
    object.encryption ?? null,
  );
}
