// How a bucket differs from one of its snapshots, a page of keys at a time.
import { referenceOf, type SourceVersion } from "../reads/copy-sources.ts";
import { rowsOf, statement, type Lookup } from "../d1/database.ts";
import { OBJECT_COLUMNS, objectFromRow, type ObjectRow } from "../metadata/object-columns.ts";
import { IS_SHOWN, SHOWN, WALK_MAX_KEYS, walkKeys } from "../snapshots/snapshot-keys.ts";

/** A key that is not as the snapshot shows it. */
export interface Difference {
  readonly key: string;
  /** The id of the version that the snapshot shows; undefined where it shows none, and the bucket has one. */
  readonly shownVersionId: string | undefined;
}

export interface DifferencesFacts {
  readonly differences: readonly Difference[];
  /** The last key that was compared, where there may be more. */
  readonly last: string | undefined;
}

interface ComparedRow {
  readonly key: string;
  readonly examined: number;
  readonly shown_version_id: string | null;
  readonly is_different: number;
}

/** What a restored version has of the one that it restores; a version that has all of it is left as it is. */
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

/** Which keys to compare: those from a text on (inclusive, in byte order) that begin with a prefix. */
export interface ComparedKeys {
  readonly snapshot: string;
  readonly prefix: string;
  readonly from: string;
}

/** Compares as many keys as a walk may look at. */
export function lookUpDifferences(bucketName: string, keys: ComparedKeys): Lookup<DifferencesFacts> {
  const walk = walkKeys(bucketName, { ...keys, delimiter: "", limit: WALK_MAX_KEYS });
  const same = CONTENT.map((column) => `c.${column} IS v.${column}`).join(" AND ");
  return {
    statements: [
      statement(
        `${walk.sql}
         SELECT page.key, page.examined, CASE WHEN v.is_delete_marker = 0 THEN v.version_id END AS shown_version_id,
           CASE WHEN o.key IS NOT NULL THEN 0
             WHEN ${IS_SHOWN} THEN c.key IS NULL OR NOT (${same})
             ELSE c.key IS NOT NULL END AS is_different
         FROM page ${SHOWN}
         LEFT JOIN objects c ON c.bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND c.key = page.key
         WHERE page.key IS NOT NULL ORDER BY page.key`,
        ...walk.parameters,
      ),
    ],
    read: (results) => {
      const rows = rowsOf<ComparedRow>(results);
      const differences = rows
        .filter((row) => row.is_different === 1)
        .map((row) => ({ key: row.key, shownVersionId: row.shown_version_id ?? undefined }));
      return { differences, last: rows[WALK_MAX_KEYS - 1]?.key };
    },
  };
}

/** Those of the versions that differ which are noncurrent, as sources to copy from, by key. */
export function lookUpSnapshotVersions(
  bucketId: string,
  differences: readonly Difference[],
): Lookup<{ readonly sources: ReadonlyMap<string, SourceVersion> }> {
  const named = differences.flatMap(({ key, shownVersionId }) =>
    shownVersionId === undefined ? [] : [[key, shownVersionId]],
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
