// Resolves the version of a read: a named one, the current one, or the one in a snapshot of the bucket.
import { selectBucket } from "../metadata/buckets.ts";
import { statement, type Lookup } from "../d1/database.ts";
import type { ManifestReference } from "../metadata/manifest-reads.ts";
import { OBJECT_COLUMNS } from "../metadata/object-columns.ts";
import { lookUpVersion, manifestOf, versionFacts, type VersionFacts } from "../metadata/objects.ts";

/** The version that a request reads. */
export interface NamedRead {
  readonly bucketName: string;
  readonly key: string;
  readonly versionId: string | undefined;
  /** The snapshot's name; undefined: the bucket's present state. */
  readonly snapshot?: string | undefined;
}

/**
 * Looks up a bucket and the version of a read, in one round trip.
 * @param columns the columns of the version `o`, at least {@link OBJECT_COLUMNS}
 */
export function lookUpNamed(
  { bucketName, key, versionId, snapshot }: NamedRead,
  columns = OBJECT_COLUMNS,
): Lookup<VersionFacts> {
  if (snapshot === undefined) return lookUpVersion(bucketName, key, versionId, columns);
  return {
    statements: [selectBucket(bucketName), statement(snapshotVersion(columns), bucketName, key, snapshot)],
    read: versionFacts,
  };
}

/** Returns the SQL that selects the manifest id of the version of a read, if it has one. */
export function manifestOfNamed({ bucketName, key, versionId, snapshot }: NamedRead): ManifestReference {
  if (snapshot === undefined) return manifestOf(bucketName, key, versionId);
  const sql = `SELECT manifest_id FROM (${snapshotVersion("o.version_id, o.manifest_id")})`;
  return { sql, parameters: [bucketName, key, snapshot] };
}

const BUCKET_ID = "(SELECT id FROM buckets WHERE name = ?1)";

/**
 * Selects the version or delete marker of key ?2 in snapshot ?3 of bucket ?1: the newest from before the cutoff, in
 * either table.
 */
function snapshotVersion(columns: string): string {
  const cutoff = `(SELECT s.cutoff FROM snapshots s WHERE s.bucket_id = ${BUCKET_ID} AND s.name = ?3)`;
  const of = `o.bucket_id = ${BUCKET_ID} AND o.key = ?2 AND o.version_id >= ${cutoff}`;
  return `SELECT * FROM (
      SELECT ${columns}, 0 AS is_delete_marker FROM objects o WHERE ${of}
      UNION ALL
      SELECT * FROM (SELECT ${columns}, o.is_delete_marker FROM versions o WHERE ${of} ORDER BY o.version_id LIMIT 1)
    ) ORDER BY version_id LIMIT 1`;
}
