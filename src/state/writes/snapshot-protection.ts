// The versions that snapshots keep: what a snapshot shows of a key, a delete marker too, is not removed while the
// snapshot is there. Which version that is never changes, since nothing is ever committed from before a snapshot's
// cutoff; so what is concluded here holds until the bucket's floor, which guards the commit, is raised by another one.
import type { WriteRefusal } from "../../protocol/objects/conditions.ts";
import type { Bucket } from "../metadata/buckets.ts";
import type { PurgeChange } from "./changes.ts";
import { rowsOf, statement, type Database, type Lookup } from "../d1/database.ts";

/**
 * An SQL condition: whether a snapshot shows the version whose row has the name `row` (of objects or versions). It reads
 * a few rows, however many versions and snapshots there are.
 */
export function isProtectedBySnapshot(row: string): string {
  return `EXISTS (${selectProtectingSnapshots(row, "1")})`;
}

/** The snapshots that show a version: not older than it, and older than the next newer version of its key. */
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

/** Which of some removals are of versions that a snapshot shows, and its name. */
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

/** What snapshots have against each of some removals. Asks nothing where there never was a snapshot. */
export async function checkSnapshotProtection(
  database: Database,
  { id, snapshotFloor }: Bucket,
  changes: readonly PurgeChange[],
): Promise<(WriteRefusal | undefined)[]> {
  if (snapshotFloor === null) return [];
  const shown = await database.look(lookUpProtected(id, changes));
  return changes.map((_change, index) => {
    const snapshot = shown.get(index);
    if (snapshot === undefined) return undefined;
    const message = `The snapshot ${snapshot} of the bucket shows this version. It can be removed once the snapshot is deleted.`;
    return { code: "AccessDenied", fields: {}, message };
  });
}
