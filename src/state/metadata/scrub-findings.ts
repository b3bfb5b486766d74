// The scrub_findings table: blobs whose bytes are not what they should be.
import { statement, type Statement } from "../d1/database.ts";

/** What is wrong with a blob. */
export interface ScrubFinding {
  readonly blobId: string;
  readonly finding: string;
}

/** Remembers findings; one that is known already keeps the time at which it was found first. */
export function recordFindings(findings: readonly ScrubFinding[], now: number): Statement {
  return statement(
    `INSERT INTO scrub_findings (blob_id, finding, found_at, seen_at)
     SELECT value ->> 0, value ->> 1, ?2, ?2 FROM json_each(?1) WHERE true
     ON CONFLICT DO UPDATE SET finding = excluded.finding, seen_at = excluded.seen_at`,
    JSON.stringify(findings.map(({ blobId, finding }) => [blobId, finding])),
    now,
  );
}

/** Takes blobs out that were found sound. */
export function purgeFindings(blobIds: readonly string[]): Statement {
  return statement(
    `DELETE FROM scrub_findings WHERE blob_id IN (SELECT value FROM json_each(?))`,
    JSON.stringify(blobIds),
  );
}

/** Takes findings out that were seen last before a time (milliseconds since the epoch). */
export function purgeFindingsBefore(time: number): Statement {
  return statement(`DELETE FROM scrub_findings WHERE seen_at < ?`, time);
}
