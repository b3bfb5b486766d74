// Counts blob references. A blob or manifest has one reference unless shared_blobs stores a count. Releasing the last
// reference inserts it into the garbage. The statements belong into the batch that writes or deletes the referring
// rows.
import { statement, type SqlValue, type Statement } from "../d1/database.ts";

/** Adds a reference to a blob or manifest that already has one; the batch's guard must check that it does. */
export function addReference(referenceId: string): Statement {
  return statement(
    `INSERT INTO shared_blobs (blob_id, holders) VALUES (?, 2) ON CONFLICT DO UPDATE SET holders = holders + 1`,
    referenceId,
  );
}

/**
 * Records a reference from a row where the orphan scan does not look (see state/repair/orphans.ts): the scan looks only
 * at the key, part and upload that the blob's recovery metadata names.
 */
export function trackReference(referenceId: string): Statement {
  return statement(`INSERT INTO shared_blobs (blob_id, holders) VALUES (?, 1) ON CONFLICT DO NOTHING`, referenceId);
}

/**
 * Releases the references of rows; must run before the rows are deleted.
 * @param rows an SQL select of one column `id`, with one row per reference
 * @param now milliseconds since the epoch
 */
export function releaseReferences(now: number, rows: string, ...parameters: readonly SqlValue[]): Statement[] {
  const at = parameters.length + 1;
  const released = `(SELECT id, count(*) AS times FROM (${rows}) WHERE id IS NOT NULL GROUP BY id)`;
  return [
    statement(
      `INSERT INTO garbage (blob_id, dropped_at)
       SELECT d.id, ?${at} FROM ${released} d LEFT JOIN shared_blobs s ON s.blob_id = d.id
       WHERE coalesce(s.holders, 1) <= d.times ON CONFLICT DO NOTHING`,
      ...parameters,
      now,
    ),
    statement(
      `DELETE FROM shared_blobs WHERE blob_id IN (
         SELECT d.id FROM ${released} d CROSS JOIN shared_blobs s ON s.blob_id = d.id WHERE s.holders <= d.times)`,
      ...parameters,
    ),
    statement(
      `UPDATE shared_blobs SET holders = holders - d.times FROM ${released} d WHERE d.id = shared_blobs.blob_id`,
      ...parameters,
    ),
  ];
}
