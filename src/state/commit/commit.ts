// One commit: a guarded batch, sent again while its outcome is open. D1 can lose an answer after it has applied a
// batch, so an error is never taken for a refusal, and nothing is cleaned up because of one.
import { statement, type Database, type Statement } from "../d1/database.ts";
import { isDatabaseFull } from "../d1/transient-errors.ts";
import type { Bucket } from "../metadata/buckets.ts";
import { isSchemaMismatch } from "../d1/schema-errors.ts";

/** What a guard found changed, by the text that it raises (see the migrations that make the guards). */
const REFUSALS = {
  "commit refused: bucket changed": "bucket changed",
  "commit refused: head changed": "head changed",
  "commit refused: blob condemned": "blob has tombstone",
  "commit refused: source changed": "source changed",
  "commit refused: upload gone": "upload gone",
  "commit refused: parts changed": "parts changed",
  "commit refused: bucket not empty": "bucket not empty",
  "commit refused: rules changed": "rules changed",
  "commit refused: judged version changed": "version changed",
  "commit refused: bucket has snapshots": "bucket has snapshots",
  "UNIQUE constraint failed: rename_tokens": "token used",
} as const;

/** Why nothing of a batch was applied: what a guard found changed, or that the database has no room for it. */
type GuardRefusal = (typeof REFUSALS)[keyof typeof REFUSALS] | "database full";

/** How a batch ended: all of it is there, or none of it for a known reason, or nobody can tell. */
export type CommitOutcome = "applied" | GuardRefusal | "unknown";

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 50;

/** The version that each key must still have as its head when the batch runs; null where there must be none. */
export type ExpectedHeads = ReadonlyMap<string, string | null>;

/**
 * The statement that aborts its batch unless the bucket and the heads are as expected and no blob is condemned. A blob
 * in the garbage was committed before, by a lost try of the same write, and has been replaced since: that head is past,
 * and committing it again would show bytes that are about to be deleted.
 * @param writtenAt the time of the newest version that the batch writes, by its id, in milliseconds since the epoch
 */
export function guardCommit(
  bucket: Bucket,
  heads: ExpectedHeads,
  blobIds: readonly string[],
  writtenAt?: number,
): Statement {
  // The guard runs for each row that is inserted, so there is one even where no head matters.
  const entries: unknown[] = Array.from(heads, ([key, head]) => ({ key, head }));
  if (entries.length === 0) entries.push({});
  return statement(
    `INSERT INTO commit_guard (bucket_name, bucket_id, versioning, snapshot_floor, key, head, blob_ids, written_at)
     SELECT ?1, ?2, ?3, ?6, e.value ->> 'key',
       CASE WHEN EXISTS (SELECT 1 FROM garbage WHERE blob_id IN (SELECT value FROM json_each(?5)))
         THEN 'past' ELSE e.value ->> 'head' END,
       ?5, CASE WHEN e.key = json_array_length(?4) - 1 THEN ?7 END
     FROM json_each(?4) e`,
    bucket.name,
    bucket.id,
    bucket.versioning,
    JSON.stringify(entries),
    blobIds.length === 0 ? null : JSON.stringify(blobIds),
    bucket.snapshotFloor,
    writtenAt ?? null,
  );
}

/** The statement that aborts its batch if a blob is condemned; whatever holds the bucket is guarded otherwise. */
export function guardBlobs(blobIds: readonly string[]): Statement {
  return statement(`INSERT INTO blob_guard (blob_ids) VALUES (?)`, JSON.stringify(blobIds));
}

/**
 * Sends a guarded batch until its outcome is known.
 * @param isApplied reads back whether the batch's effect is there
 */
export async function commitBatch(
  database: Pick<Database, "batch">,
  statements: readonly Statement[],
  isApplied: () => Promise<boolean>,
): Promise<CommitOutcome> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      await database.batch(statements);
      return "applied";
    } catch (error) {
      // D1 could not even read the statements: nothing was applied, and the same batch never will be.
      if (isSchemaMismatch(error)) throw error;
      const refusal = refusalOf(error);
      // The guard's word is final on a first attempt. Later, what changed the head may have been our own batch.
      if (refusal !== undefined && attempt === 0) return refusal;
      if (await readBack(isApplied, attempt)) return "applied";
      if (refusal !== undefined) return "unknown";
    }
  }
  return "unknown";
}

/** What a client is told where a batch was not applied, or nobody can tell, and no other reason has an error of its own. */
export function unavailable(outcome: CommitOutcome): "InsufficientStorage" | "ServiceUnavailable" {
  return outcome === "database full" ? "InsufficientStorage" : "ServiceUnavailable";
}

async function readBack(isApplied: () => Promise<boolean>, attempt: number): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** attempt));
  try {
    return await isApplied();
  } catch {
    // Still out of reach: the same batch is sent again, and its guard makes a late twin harmless.
    return false;
  }
}

function refusalOf(error: unknown): GuardRefusal | undefined {
  if (isDatabaseFull(error)) return "database full";
  const message = error instanceof Error ? error.message : "";
  for (const [text, refusal] of Object.entries(REFUSALS)) if (message.includes(text)) return refusal;
  return undefined;
}
