// The snapshots table. A snapshot is made in time independent of its bucket's size: it is a place in the order of
// version ids, its cutoff, and shows of each key the newest version from before it. What makes that exact, whatever the
// clocks of the coordinators say, is the bucket's floor:
// - Every commit is guarded by the floor that its version ids were chosen above, and a snapshot raises it to its own
//   cutoff, so what commits after a snapshot is later than the cutoff.
// - No version was ever committed with a time past the floor as it then was, or past the database's clock then and one
//   second, without the guard raising the floor past it (see migration 0015). The cutoff is later than both, so what
//   committed before a snapshot is not later than the cutoff.
import { S3Error } from "../../protocol/core/s3-error.ts";
import { cutoffAt } from "../../protocol/core/version-id.ts";
import type { Bucket } from "../metadata/buckets.ts";
import { commitBatch } from "../commit/commit.ts";
import { rowsOf, statement, type Database, type Lookup, type Statement } from "../d1/database.ts";

/** A snapshot of a bucket. */
export interface Snapshot {
  readonly name: string;
  /** Below this are, in byte order, the ids of the versions that came later. */
  readonly cutoff: string;
  /** Milliseconds since the epoch, by the database's clock. */
  readonly createdAt: number;
}

interface SnapshotRow {
  readonly name: string;
  readonly cutoff: string;
  readonly created_at: number;
}

const BUCKET_ID = "(SELECT id FROM buckets WHERE name = ?1)";

// The database's clock may be set back by less than this between a commit and a snapshot, and the snapshot has it still.
const AHEAD_MS = 60_000;

function snapshotFromRow({ name, cutoff, created_at: createdAt }: SnapshotRow): Snapshot {
  return { name, cutoff, createdAt };
}

/** Looks up a snapshot by its bucket's name and its own. */
export function lookUpSnapshot(bucketName: string, name: string): Lookup<{ readonly snapshot: Snapshot | undefined }> {
  return {
    statements: [
      statement(
        `SELECT name, cutoff, created_at FROM snapshots WHERE bucket_id = ${BUCKET_ID} AND name = ?2`,
        bucketName,
        name,
      ),
    ],
    read: (results) => ({ snapshot: rowsOf<SnapshotRow>(results).map(snapshotFromRow)[0] }),
  };
}

/** Looks up all snapshots of a bucket by its name, the newest first. */
export function lookUpSnapshots(bucketName: string): Lookup<{ readonly snapshots: readonly Snapshot[] }> {
  return {
    statements: [
      statement(
        `SELECT name, cutoff, created_at FROM snapshots WHERE bucket_id = ${BUCKET_ID} ORDER BY cutoff`,
        bucketName,
      ),
    ],
    read: (results) => ({ snapshots: rowsOf<SnapshotRow>(results).map(snapshotFromRow) }),
  };
}

/** What a snapshot's cutoff is chosen by. */
export interface SnapshotPreconditions {
  /** The database's clock, in milliseconds since the epoch. */
  readonly clock: number;
  /** How many snapshots the bucket has. */
  readonly count: number;
}

/** Looks up what a new snapshot of a bucket is to be made on. */
export function lookUpSnapshotPreconditions(
  bucketName: string,
): Lookup<{ readonly preconditions: SnapshotPreconditions }> {
  return {
    statements: [
      statement(
        `SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS clock,
           (SELECT count(*) FROM snapshots WHERE bucket_id = ${BUCKET_ID}) AS count`,
        bucketName,
      ),
    ],
    read: (results) => ({ preconditions: rowsOf<SnapshotPreconditions>(results)[0] ?? { clock: 0, count: 0 } }),
  };
}

/**
 * Makes a snapshot, unless the bucket has changed since it was looked up, or the name is taken.
 * @returns the snapshot; undefined where it was not made, which a look at the bucket explains
 * @throws S3Error InsufficientStorage
 */
export async function createSnapshot(
  database: Database,
  bucket: Bucket,
  name: string,
  { clock }: SnapshotPreconditions,
): Promise<Snapshot | undefined | "unknown"> {
  const floor = Math.max(clock + AHEAD_MS, (bucket.snapshotFloor ?? 0) + 1);
  const snapshot: Snapshot = { name, cutoff: cutoffAt(floor), createdAt: clock };
  const isThere = async (): Promise<boolean> => {
    const { snapshot: found } = await database.look(lookUpSnapshot(bucket.name, name));
    return found?.cutoff === snapshot.cutoff;
  };
  // Requests of one millisecond have one cutoff: whose snapshot it is, the rows tell that a batch has changed. Only where
  // an answer was lost is nothing else known than that it is there.
  let changes = 0;
  let isDoubtful = false;
  const observed: Pick<Database, "batch"> = {
    async batch(statements) {
      try {
        const results = await database.batch(statements);
        changes = results[0]?.changes ?? 0;
        return results;
      } catch (error) {
        isDoubtful = true;
        throw error;
      }
    },
  };
  const outcome = await commitBatch(observed, insertSnapshot(bucket, snapshot, floor), isThere);
  if (outcome === "database full") throw new S3Error("InsufficientStorage");
  if (outcome !== "applied") return "unknown";
  const isMade = isDoubtful ? await isThere() : changes === 1;
  return isMade ? snapshot : undefined;
}

function insertSnapshot(bucket: Bucket, { name, cutoff, createdAt }: Snapshot, floor: number): Statement[] {
  return [
    statement(
      `INSERT INTO snapshots (bucket_id, cutoff, name, created_at)
       SELECT b.id, ?3, ?4, ?5 FROM buckets b
       WHERE b.name = ?1 AND b.id = ?2 AND b.versioning = 'Enabled' AND b.snapshot_floor IS ?6
         AND unixepoch('subsec') * 1000 + 1000 <= ?7
       ON CONFLICT DO NOTHING`,
      bucket.name,
      bucket.id,
      cutoff,
      name,
      createdAt,
      bucket.snapshotFloor,
      floor,
    ),
    statement(
      `UPDATE buckets SET snapshot_floor = ?3
       WHERE name = ?1 AND snapshot_floor IS ?5
         AND EXISTS (SELECT 1 FROM snapshots s WHERE s.bucket_id = ?2 AND s.cutoff = ?4)`,
      bucket.name,
      bucket.id,
      floor,
      cutoff,
      bucket.snapshotFloor,
    ),
  ];
}

/** Forgets a snapshot, and lets go of the versions that only it showed. */
export function deleteSnapshot({ id }: Bucket, { cutoff }: Snapshot): Statement {
  return statement(`DELETE FROM snapshots WHERE bucket_id = ? AND cutoff = ?`, id, cutoff);
}
