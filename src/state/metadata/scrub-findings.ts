// The scrub_findings table: blobs that the scrub found damaged.
import { statement, type Statement } from "../d1/database.ts";

/** A finding about a blob. */
export interface ScrubFinding {
  readonly blobId: string;
  readonly finding: string;
}

/** Records findings. A known one keeps the time of its first finding. */
export function recordFindings(findings: readonly ScrubFinding[], now: number): Statement {
  return statement(
    `INSERT INTO scrub_findings (blob_id, finding, found_at, seen_at)
     SELECT value ->> 0, value ->> 1, ?2, ?2 FROM json_each(?1) WHERE true
     ON CONFLICT DO UPDATE SET finding = excluded.finding, seen_at = excluded.seen_at`,
    JSON.stringify(findings.map(({ blobId, finding }) => [blobId, finding])),
    now,
  );
}

/** Purges the findings of blobs that were found intact. */
export function purgeFindings(blobIds: readonly string[]): Statement {
  return statement(
    `DELETE FROM scrub_findings WHERE blob_id IN (SELECT value FROM json_each(?))`,
    JSON.stringify(blobIds),
  );
}

/** Purges findings last confirmed before a time (milliseconds since the epoch). */
export function purgeFindingsBefore(time: number): Statement {
  return statement(`DELETE FROM scrub_findings WHERE seen_at < ?`, time);
}
