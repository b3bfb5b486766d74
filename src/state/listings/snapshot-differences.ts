// Compares a bucket with one of its snapshots, one page of keys at a time, for RestoreBucketSnapshot.
import { referenceOf, type SourceVersion } from "../reads/copy-sources.ts";
import { rowsOf, statement, type Lookup } from "../d1/database.ts";
import { OBJECT_COLUMNS, objectFromRow, type ObjectRow } from "../metadata/object-columns.ts";
import { IS_IN_SNAPSHOT, JOIN_SNAPSHOT_VERSION, WALK_MAX_KEYS, walkKeys } from "../snapshots/snapshot-keys.ts";

/** A key whose current version differs from the snapshot's. */
export interface Difference {
  readonly key: string;
  /** The id of the snapshot's version; undefined if only the bucket has the key. */
  readonly snapshotVersionId: string | undefined;
}

export interface DifferencesFacts {
  readonly differences: readonly Difference[];
  /** The last compared key; undefined if all keys were compared. */
  readonly last: string | undefined;
}

interface ComparedRow {
  readonly key: string;
  readonly examined: number;
  readonly snapshot_version_id: string | null;
  readonly is_different: number;
}

/** The columns that a restore copies. A current version that equals the snapshot's in all of them is left unchanged. */
const CONTENT = [
  "blob_id",
  "manifest_id",
  "content_type",
  "system_metadata",
  "user_metadata",
  "tags",
  "acl",
  "encryption",
];

/** The keys to compare: those with a prefix, from `from` on (inclusive, in byte order). */
export interface ComparedKeys {
  readonly snapshot: string;
  readonly prefix: string;
  readonly from: string;
}

/** Compares at most {@link WALK_MAX_KEYS} keys. */
export function lookUpDifferences(bucketName: string, keys: ComparedKeys): Lookup<DifferencesFacts> {
  const walk = walkKeys(bucketName, { ...keys, delimiter: "", limit: WALK_MAX_KEYS });
  const same = CONTENT.map((column) => `c.${column} IS v.${column}`).join(" AND ");
  return {
    statements: [
      statement(
        `${walk.sql}
         SELECT page.key, page.examined, CASE WHEN v.is_delete_marker = 0 THEN v.version_id END AS snapshot_version_id,
           CASE WHEN o.key IS NOT NULL THEN 0
             WHEN ${IS_IN_SNAPSHOT} THEN c.key IS NULL OR NOT (${same})
             ELSE c.key IS NOT NULL END AS is_different
         FROM page ${JOIN_SNAPSHOT_VERSION}
         LEFT JOIN objects c ON c.bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND c.key = page.key
         WHERE page.key IS NOT NULL ORDER BY page.key`,
        ...walk.parameters,
      ),
    ],
    read: (results) => {
      const rows = rowsOf<ComparedRow>(results);
      const differences = rows
        .filter((row) => row.is_different === 1)
        .map((row) => ({ key: row.key, snapshotVersionId: row.snapshot_version_id ?? undefined }));
      return { differences, last: rows[WALK_MAX_KEYS - 1]?.key };
    },
  };
}

/** Looks up the snapshot's versions of differing keys, by key, as copy sources. All of them are noncurrent. */
export function lookUpSnapshotVersions(
  bucketId: string,
  differences: readonly Difference[],
): Lookup<{ readonly sources: ReadonlyMap<string, SourceVersion> }> {
  const named = differences.flatMap(({ key, snapshotVersionId }) =>
    snapshotVersionId === undefined ? [] : [[key, snapshotVersionId]],
  );
  return {
    statements: [
      statement(
        `SELECT ${OBJECT_COLUMNS} FROM json_each(?2) n
         CROSS JOIN versions o ON o.bucket_id = ?1 AND o.key = n.value ->> 0 AND o.version_id = n.value ->> 1`,
        bucketId,
        JSON.stringify(named),
      ),
    ],
    read: (results) => ({
      sources: new Map(
        rowsOf<ObjectRow>(results).map((row) => {
          const version = objectFromRow(row);
          return [row.key, { ...version, bucketId, isInVersionedBucket: true, referenceId: referenceOf(version) }];
        }),
      ),
    }),
  };
}
