// Hosts that buckets claim for delivery, and the epoch of each bucket's cached answers. The table delivery_hosts of the first
// database has each host once: triggers derive it from the delivery configurations of that database's buckets, and
// buckets of further databases claim hosts in it before they store their configuration (writes/host-claims.ts).
import { rowsOf, statement, type Lookup, type Statement, type StatementResult } from "../d1/database.ts";
import { BUCKET_COLUMNS, bucketFromRow, type Bucket, type BucketRow } from "./buckets.ts";

/** Selects the bucket of the first database that claims a host. */
export function selectClaimant(host: string): Statement {
  return statement(
    `SELECT ${BUCKET_COLUMNS} FROM delivery_hosts h
     CROSS JOIN buckets b ON b.name = h.bucket_name AND b.id = h.bucket_id WHERE h.host = ?`,
    host,
  );
}

/** A bucket of a further database that has claimed a host. Its own configuration confirms the claim. */
export interface PlacedClaimant {
  readonly name: string;
  readonly id: string;
  readonly database: string;
}

/** Selects the bucket of a further database that has claimed a host. */
export function selectPlacedClaimant(host: string): Statement {
  return statement(
    `SELECT p.name, p.id, p.database FROM delivery_hosts h
     CROSS JOIN bucket_placements p ON p.name = h.bucket_name AND p.id = h.bucket_id WHERE h.host = ?`,
    host,
  );
}

/** The bucket of the result of {@link selectPlacedClaimant} at this position. */
export function placedClaimantOf(results: readonly StatementResult[], index: number): PlacedClaimant | undefined {
  return rowsOf<PlacedClaimant>(results, index)[0];
}

/** The bucket of a result of {@link selectClaimant} or of a bucket's lookup by name. */
export function bucketOf(results: readonly StatementResult[]): Bucket | undefined {
  return rowsOf<BucketRow>(results).map(bucketFromRow)[0];
}

/** Looks up, in the first database, which of these hosts another bucket claims or, by its name, owns. */
export function lookUpForeignHosts(
  { name, id }: Bucket,
  hosts: readonly { readonly host: string; readonly label: string }[],
): Lookup<readonly string[]> {
  return {
    statements: [
      statement(
        `SELECT k.value ->> 'host' AS host FROM json_each(?1) k
         WHERE EXISTS (SELECT 1 FROM delivery_hosts h WHERE h.host = k.value ->> 'host' AND h.bucket_id <> ?3)
            OR EXISTS (SELECT 1 FROM buckets b WHERE b.name = k.value ->> 'label' AND b.name <> ?2)
            OR EXISTS (SELECT 1 FROM bucket_placements p WHERE p.name = k.value ->> 'label' AND p.name <> ?2)`,
        JSON.stringify(hosts),
        name,
        id,
      ),
    ],
    read: (results) => rowsOf<{ readonly host: string }>(results).map(({ host }) => host),
  };
}

/** Whether D1 refused a configuration because another bucket claims one of its hosts. */
export function isHostConflict(error: unknown): boolean {
  return error instanceof Error && error.message.includes("UNIQUE constraint failed: delivery_hosts.host");
}

/** Begins a new epoch of a bucket: answers that were cached in an earlier one are not used. */
export function raiseEpoch({ name, id }: Bucket): Statement {
  return statement(`UPDATE buckets SET delivery_epoch = delivery_epoch + 1 WHERE name = ? AND id = ?`, name, id);
}
