// The snapshots table. A snapshot is a cutoff in the order of version ids: it contains the newest version of each key
// from before the cutoff, so its creation takes constant time. The bucket's floor makes it exact in spite of clock
// skew:
// - A snapshot raises the floor to its cutoff. Every commit is guarded by the floor above which its version ids were
//   chosen, so every later commit is after the cutoff.
// - The guard raises the floor when a version id is later than the floor or than the database's clock plus one second (see
//   migration 0015). The cutoff is later than both, so every earlier commit is before the cutoff.
import { S3Error } from "../../protocol/core/s3-error.ts";
import { cutoffAt } from "../../protocol/core/version-id.ts";
import type { Bucket } from "../metadata/buckets.ts";
import { commitBatch } from "../commit/commit.ts";
import { rowsOf, statement, type Database, type Lookup, type Statement } from "../d1/database.ts";

/** A snapshot of a bucket. */
export interface Snapshot {
  readonly name: string;
  /** In byte order, later versions have ids below the cutoff. */
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

// Tolerates the database's clock going back by less than this between a commit and a snapshot.
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

/** The facts on which a snapshot is created. */
export interface SnapshotPreconditions {
  /** The database's clock, in milliseconds since the epoch. */
  readonly clock: number;
  /** The number of the bucket's snapshots. */
  readonly count: number;
}

/** Looks up the facts on which a new snapshot of a bucket is created. */
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
 * Creates a snapshot unless the bucket has changed since it was looked up, or the name is taken.
 * @returns the snapshot; undefined if it was not created; "unknown" if the outcome is unknown
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
  const isCreated = async (): Promise<boolean> => {
    const { snapshot: found } = await database.look(lookUpSnapshot(bucket.name, name));
    return found?.cutoff === snapshot.cutoff;
  };
  // Concurrent requests of one millisecond choose the same cutoff, so the insert's row count decides which one created the
  // snapshot. Only after a lost answer must the lookup decide.
  let changes = 0;
  let isAnswerLost = false;
  const observed: Pick<Database, "batch"> = {
    async batch(statements) {
      try {
        const results = await database.batch(statements);
        changes = results[0]?.changes ?? 0;
        return results;
      } catch (error) {
        isAnswerLost = true;
        throw error;
      }
    },
  };
  const outcome = await commitBatch(observed, insertSnapshot(bucket, snapshot, floor), isCreated);
  if (outcome === "database full") throw new S3Error("InsufficientStorage");
  if (outcome !== "applied") return "unknown";
  const hasCreated = isAnswerLost ? await isCreated() : changes === 1;
  return hasCreated ? snapshot : undefined;
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

/** Deletes a snapshot, which ends the protection of its versions. */
export function deleteSnapshot({ id }: Bucket, { cutoff }: Snapshot): Statement {
  return statement(`DELETE FROM snapshots WHERE bucket_id = ? AND cutoff = ?`, id, cutoff);
}
