// Statements that insert, move and purge versions, from which the batches of writes and deletions are composed. Each
// works on a set of keys of one bucket, given as a JSON array.
import type { Bucket } from "../metadata/buckets.ts";
import type { Statement } from "../d1/database.ts";
import { listStatement } from "../d1/joined-statements.ts";
import { VERSION_COLUMNS } from "../metadata/object-columns.ts";
import { releaseReferences } from "../metadata/blob-references.ts";

const COLUMNS = VERSION_COLUMNS.join(", ");
const OF_KEYS = "bucket_id = ?2 AND key IN (SELECT value FROM json_each(?1))";

/**
 * Prepares each key for a new version or delete marker: moves the current version to the versions table, or releases
 * its blob if the bucket's versioning replaces it. The caller replaces or deletes the rows in objects.
 */
export function moveCurrentToVersions({ id, versioning }: Bucket, keysJson: string, now: number): Statement[] {
  if (versioning === null) {
    const current = `SELECT coalesce(blob_id, manifest_id) AS id FROM objects WHERE ${OF_KEYS}`;
    return [releaseReferences(now, current, keysJson, id)];
  }
  const movedOnly = versioning === "Enabled" ? "" : "AND is_null_version = 0";
  const move = listStatement(
    `INSERT INTO versions (${COLUMNS}, is_delete_marker)
     SELECT ${COLUMNS}, 0 FROM objects WHERE ${OF_KEYS} ${movedOnly}`,
    keysJson,
    id,
  );
  // The next write creates the null version, so an existing one is purged, current or not.
  return versioning === "Enabled" ? [move] : [...purgeNullVersions(id, keysJson, now), move];
}

// Without the hint, SQLite scans all versions of the key for the null version.
const NULL_VERSIONS = "versions INDEXED BY null_versions";

function purgeNullVersions(bucketId: string, keysJson: string, now: number): Statement[] {
  const ofNull = `${OF_KEYS} AND is_null_version = 1`;
  return [
    releaseReferences(
      now,
      `SELECT coalesce(blob_id, manifest_id) AS id FROM objects WHERE ${ofNull}
       UNION ALL SELECT coalesce(blob_id, manifest_id) FROM ${NULL_VERSIONS} WHERE ${ofNull}`,
      keysJson,
      bucketId,
    ),
    listStatement(`DELETE FROM ${NULL_VERSIONS} WHERE ${ofNull}`, keysJson, bucketId),
  ];
}

/** Deletes the rows of current versions that {@link moveCurrentToVersions} has moved or released. */
export function deleteCurrentRows(bucketId: string, keysJson: string): Statement {
  return listStatement(`DELETE FROM objects WHERE ${OF_KEYS}`, keysJson, bucketId);
}

/** A delete marker to insert. */
export interface NewDeleteMarker {
  readonly key: string;
  readonly versionId: string;
  readonly ownerId: string;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** Inserts delete markers as the newest versions of their keys. */
export function insertDeleteMarkers({ id, versioning }: Bucket, markers: readonly NewDeleteMarker[]): Statement {
  return listStatement(
    `INSERT INTO versions (bucket_id, key, version_id, is_null_version, is_delete_marker, size, etag, modified_at,
       owner_id, storage_class)
     SELECT ?2, m.value ->> 'key', m.value ->> 'versionId', ?3, 1, 0, '', m.value ->> 'modifiedAt',
       m.value ->> 'ownerId', 'STANDARD' FROM json_each(?1) m`,
    markers,
    id,
    versioning === "Suspended" ? 1 : 0,
  );
}

/** A version to purge. */
export interface VersionTarget {
  readonly key: string;
  readonly versionId: string;
}

const OF_TARGETS = `bucket_id = ?2 AND (key, version_id) IN (
  SELECT value ->> 'key', value ->> 'versionId' FROM json_each(?1))`;

/** Purges versions. The newest remaining version of each key becomes current unless it is a delete marker. */
export function purgeVersions(bucketId: string, targets: readonly VersionTarget[], now: number): Statement[] {
  const json = JSON.stringify(targets);
  const keysJson = JSON.stringify(Array.from(new Set(targets.map(({ key }) => key))));
  return [
    releaseReferences(
      now,
      `SELECT coalesce(blob_id, manifest_id) AS id FROM objects WHERE ${OF_TARGETS}
       UNION ALL SELECT coalesce(blob_id, manifest_id) FROM versions WHERE ${OF_TARGETS}`,
      json,
      bucketId,
    ),
    listStatement(`DELETE FROM objects WHERE ${OF_TARGETS}`, json, bucketId),
    listStatement(`DELETE FROM versions WHERE ${OF_TARGETS}`, json, bucketId),
    listStatement(
      `INSERT INTO objects (${COLUMNS})
       SELECT ${VERSION_COLUMNS.map((column) => `v.${column}`).join(", ")}
       FROM json_each(?1) k CROSS JOIN versions v ON v.bucket_id = ?2 AND v.key = k.value AND v.version_id = (
         SELECT n.version_id FROM versions n WHERE n.bucket_id = ?2 AND n.key = k.value ORDER BY n.version_id LIMIT 1)
       WHERE v.is_delete_marker = 0
         AND NOT EXISTS (SELECT 1 FROM objects o WHERE o.bucket_id = ?2 AND o.key = k.value)`,
      keysJson,
      bucketId,
    ),
    listStatement(
      `DELETE FROM versions WHERE bucket_id = ?2 AND (key, version_id) IN (
         SELECT o.key, o.version_id FROM json_each(?1) k CROSS JOIN objects o ON o.bucket_id = ?2 AND o.key = k.value)`,
      keysJson,
      bucketId,
    ),
  ];
}
