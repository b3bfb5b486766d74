// Counts blob references. A blob or manifest has one reference unless shared_blobs stores a count. Releasing the last
// reference inserts it into the garbage. The statements belong into the batch that writes or deletes the referring
// rows.
import type { SqlValue, Statement } from "../d1/database.ts";
import { listStatement, timedListStatement } from "../d1/joined-statements.ts";

/** Adds a reference to a blob or manifest that already has one; the batch's guard must check that it does. */
export function addReference(referenceId: string): Statement {
  return listStatement(
    `INSERT INTO shared_blobs (blob_id, holders) SELECT value, 2 FROM json_each(?) WHERE true
     ON CONFLICT DO UPDATE SET holders = holders + 1`,
    [referenceId],
  );
}

/**
 * Adds a reference to a blob or manifest that already has one. Aborts the batch with "source changed" unless a condition
 * holds: the reference is null then, which the table does not accept. One statement costs less than a guard and another one.
 * @param condition an SQL expression on `value`, the JSON of `entry`
 * @param referenceId an SQL expression on `value` for the id
 */
export function addReferenceIf(condition: string, referenceId: string, entry: readonly SqlValue[]): Statement {
  return listStatement(
    `INSERT INTO shared_blobs (blob_id, holders) SELECT iif(${condition}, ${referenceId}, NULL), 2 FROM json_each(?1)
     WHERE true ON CONFLICT DO UPDATE SET holders = holders + 1`,
    [entry],
  );
}

/**
 * Records a reference from a row where the orphan scan does not look (see state/repair/orphans.ts): the scan looks only
 * at the key, part and upload that the blob's recovery metadata names. Aborts the batch like {@link addReferenceIf}.
 * @param others the parameters of the condition from `?2` on
 */
export function trackReferenceIf(
  condition: string,
  referenceId: string,
  entry: readonly SqlValue[],
  ...others: readonly SqlValue[]
): Statement {
  return listStatement(
    `INSERT INTO shared_blobs (blob_id, holders) SELECT iif(${condition}, ${referenceId}, NULL), 1 FROM json_each(?1)
     WHERE true ON CONFLICT DO NOTHING`,
    [entry],
    ...others,
  );
}

/**
 * Releases the references of rows; must run before the rows are deleted.
 * @param rows an SQL select of one column `id`, with one row per reference, of a list `?1` and the other parameters
 * @param now milliseconds since the epoch
 */
export function releaseReferences(
  now: number,
  rows: string,
  list: readonly unknown[] | string,
  ...others: readonly SqlValue[]
): Statement {
  return timedListStatement(
    `INSERT INTO reference_releases (blob_id, times, released_at)
     SELECT id, count(*), ?${others.length + 2} FROM (${rows}) WHERE id IS NOT NULL GROUP BY id`,
    list,
    ...others,
    now,
  );
}
