// Commits one guarded batch and resends it while its outcome is unknown. D1 can apply a batch and lose the answer, so
// an error never counts as a refusal, and nothing is cleaned up after one. See "The commit protocol" in
// docs/architecture.md.
import { statement, type Database, type Statement } from "../d1/database.ts";
import { isDatabaseFull } from "../d1/transient-errors.ts";
import type { Bucket } from "../metadata/buckets.ts";
import { isSchemaMismatch } from "../d1/schema-errors.ts";

/** The guards' refusals by the texts that their triggers raise (see the migrations). */
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
  "commit refused: bucket name taken": "bucket name taken",
  "commit refused: version locked": "version locked",
  "commit refused: quota exceeded": "quota exceeded",
  // A reference that a condition has made null (see addReferenceIf).
  "NOT NULL constraint failed: shared_blobs.blob_id": "source changed",
  "UNIQUE constraint failed: rename_tokens": "token used",
} as const;

/** Why a batch was not applied: a guard's refusal, or a full database. */
type GuardRefusal = (typeof REFUSALS)[keyof typeof REFUSALS] | "database full";

/** The outcome of a batch: applied as a whole, not applied for a known reason, or unknown. */
export type CommitOutcome = "applied" | GuardRefusal | "unknown";

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 50;

/** The head that each key must have when the batch runs; null: no version. */
export type ExpectedHeads = ReadonlyMap<string, string | null>;

/**
 * Aborts the batch unless bucket and heads are as expected and no blob has a tombstone. A blob in the garbage also
 * counts as a changed head: a lost try of this write committed it, and a later write has replaced it.
 * @param writtenAt time in the id of the newest version that the batch writes, in milliseconds since the epoch
 */
export function guardCommit(
  bucket: Bucket,
  heads: ExpectedHeads,
  blobIds: readonly string[],
  writtenAt?: number,
): Statement {
  // The trigger runs once per inserted row, so one row is inserted even without expected heads. The first one guards all
  // blobs.
  const entries: unknown[] = Array.from(heads, ([key, head]) => ({ key, head }));
  if (entries.length === 0) entries.push({});
  return statement(
    `INSERT INTO commit_guard (bucket_name, bucket_id, versioning, snapshot_floor, key, head, blob_ids, written_at)
     SELECT ?1, ?2, ?3, ?6, e.value ->> 'key',
       CASE WHEN e.key = 0 AND EXISTS (SELECT 1 FROM garbage WHERE blob_id IN (SELECT value FROM json_each(?5)))
         THEN 'past' ELSE e.value ->> 'head' END,
       CASE WHEN e.key = 0 THEN ?5 END, CASE WHEN e.key = json_array_length(?4) - 1 THEN ?7 END
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

/** Aborts the batch if a blob has a tombstone. The caller guards the bucket by other means. */
export function guardBlobs(blobIds: readonly string[]): Statement {
  return statement(`INSERT INTO blob_guard (blob_ids) VALUES (?)`, JSON.stringify(blobIds));
}

/**
 * Sends a guarded batch until its outcome is known or the attempts are used up.
 * @param isApplied reads back whether the batch was applied
 * @throws Error if the schema does not match
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
      // D1 rejects the statements themselves, so nothing was applied and a retry cannot succeed.
      if (isSchemaMismatch(error)) throw error;
      const refusal = refusalOf(error);
      // On a first attempt a refusal is final. Later, the change may come from this batch's own earlier try.
      if (refusal !== undefined && attempt === 0) return refusal;
      if (await readBack(isApplied, attempt)) return "applied";
      if (refusal !== undefined) return "unknown";
    }
  }
  return "unknown";
}

/** Returns the S3 error for outcomes that have no error of their own. */
export function unavailable(outcome: CommitOutcome): "InsufficientStorage" | "QuotaExceeded" | "ServiceUnavailable" {
  if (outcome === "quota exceeded") return "QuotaExceeded";
  return outcome === "database full" ? "InsufficientStorage" : "ServiceUnavailable";
}

async function readBack(isApplied: () => Promise<boolean>, attempt: number): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** attempt));
  try {
    return await isApplied();
  } catch {
    // D1 is still unreachable. The batch is sent again; its guard makes a late duplicate harmless.
    return false;
  }
}

function refusalOf(error: unknown): GuardRefusal | undefined {
  if (isDatabaseFull(error)) return "database full";
  const message = error instanceof Error ? error.message : "";
  for (const [text, refusal] of Object.entries(REFUSALS)) if (message.includes(text)) return refusal;
  return undefined;
}
