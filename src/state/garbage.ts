// The garbage table: blobs that lost their last holder.
import { rowsOf, statement, type Lookup, type Statement } from "./database.ts";

/** Blobs that were dropped before a time (milliseconds since the epoch) and that nothing holds. */
export function dueGarbage(before: number, limit: number): Lookup<string[]> {
  return {
    statements: [
      statement(
        `SELECT g.blob_id FROM garbage g
         WHERE g.dropped_at < ?1 AND NOT EXISTS (SELECT 1 FROM shared_blobs s WHERE s.blob_id = g.blob_id)
         LIMIT ?2`,
        before,
        limit,
      ),
    ],
    read: (results) => rowsOf<{ readonly blob_id: string }>(results).map((row) => row.blob_id),
  };
}

/** How many blobs and manifests were dropped before a time (milliseconds since the epoch). */
export function countDueGarbage(before: number): Lookup<number> {
  return {
    statements: [statement(`SELECT count(*) AS due FROM garbage WHERE dropped_at < ?`, before)],
    read: (results) => rowsOf<{ readonly due: number }>(results)[0]?.due ?? 0,
  };
}

/** Takes blobs that are deleted out of the table. */
export function forgetGarbage(blobIds: readonly string[]): Statement {
  return statement(`DELETE FROM garbage WHERE blob_id IN (SELECT value FROM json_each(?))`, JSON.stringify(blobIds));
}
