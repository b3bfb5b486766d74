// Protects the versions (delete markers included) that a snapshot contains from being purged while the snapshot exists.
// A snapshot's content never changes, since every later commit is after its cutoff. A result therefore holds until the
// next snapshot raises the bucket's floor, which the commit guard checks.
import type { WriteRefusal } from "../../protocol/objects/conditions.ts";
import type { Bucket } from "../metadata/buckets.ts";
import type { PurgeChange } from "./changes.ts";
import { rowsOf, statement, type Database, type Lookup } from "../d1/database.ts";

/**
 * An SQL condition: whether a snapshot contains the version of the row alias `row` (objects or versions). It reads a
 * few rows, for any number of versions and snapshots.
 */
export function isProtectedBySnapshot(row: string): string {
  return `EXISTS (${selectProtectingSnapshots(row, "1")})`;
}

/** Selects the snapshots that contain a version: later than it, and earlier than the next version of its key. */
function selectProtectingSnapshots(row: string, columns: string): string {
  const ofKey = (table: string): string => `${table}.bucket_id = ${row}.bucket_id AND ${table}.key = ${row}.key`;
  const newer = `coalesce(
    (SELECT n.version_id FROM versions n WHERE ${ofKey("n")} AND n.version_id < ${row}.version_id
     ORDER BY n.version_id DESC LIMIT 1),
    (SELECT c.version_id FROM objects c WHERE ${ofKey("c")} AND c.version_id < ${row}.version_id), '')`;
  return `SELECT ${columns} FROM snapshots s
    WHERE s.bucket_id = ${row}.bucket_id AND s.cutoff <= ${row}.version_id AND s.cutoff > ${newer}`;
}

const arm = (table: string): string =>
  `SELECT c.key AS number, (${selectProtectingSnapshots("t", "s.name")} LIMIT 1) AS snapshot
   FROM json_each(?2) c CROSS JOIN ${table} t
     ON t.bucket_id = ?1 AND t.key = c.value ->> 0 AND t.version_id = c.value ->> 1`;

/** Maps the index of each purge of a protected version to the name of a snapshot that contains it. */
function lookUpProtected(bucketId: string, changes: readonly PurgeChange[]): Lookup<ReadonlyMap<number, string>> {
  return {
    statements: [
      statement(
        `SELECT * FROM (${arm("objects")} UNION ALL ${arm("versions")}) WHERE snapshot IS NOT NULL`,
        bucketId,
        JSON.stringify(changes.map(({ key, versionId }) => [key, versionId])),
      ),
    ],
    read: (results) =>
      new Map(
        rowsOf<{ readonly number: number; readonly snapshot: string }>(results).map(({ number, snapshot }) => [
          number,
          snapshot,
        ]),
      ),
  };
}

/** Returns a refusal per purge of a protected version. Skips the lookup if the bucket never had a snapshot. */
export async function checkSnapshotProtection(
  database: Database,
  { id, snapshotFloor }: Bucket,
  changes: readonly PurgeChange[],
): Promise<(WriteRefusal | undefined)[]> {
  if (snapshotFloor === null) return [];
  const protecting = await database.look(lookUpProtected(id, changes));
  return changes.map((_change, index) => {
    const snapshot = protecting.get(index);
    if (snapshot === undefined) return undefined;
    const message = `The snapshot ${snapshot} of the bucket shows this version. It can be removed once the snapshot is deleted.`;
    return { code: "AccessDenied", fields: {}, message };
  });
}
