// Who holds what. A blob or a manifest has one holder unless shared_blobs says otherwise; dropping the last one puts it
// into the garbage, in the same batch. The statements here run in the batch of whatever takes or drops the holding.
import { statement, type SqlValue, type Statement } from "../d1/database.ts";

/** Adds a holder to what somebody holds already; the batch's guard must see to it that somebody does. */
export function addReference(referenceId: string): Statement {
  return statement(
    `INSERT INTO shared_blobs (blob_id, holders) VALUES (?, 2) ON CONFLICT DO UPDATE SET holders = holders + 1`,
    referenceId,
  );
}

/**
 * Keeps track of a holding that is not, or no longer, held where the orphan scan looks for it (see state/orphans.ts): by
 * a version of the key that its birth certificate names, by the part, or by the manifest of the upload.
 */
export function trackReference(referenceId: string): Statement {
  return statement(`INSERT INTO shared_blobs (blob_id, holders) VALUES (?, 1) ON CONFLICT DO NOTHING`, referenceId);
}

/**
 * Drops what rows hold; to be run before those rows go.
 * @param rows an SQL select of one column `id`: a holding for each row that goes, one holding as often as it is held
 * @param now milliseconds since the epoch
 */
export function releaseReferences(now: number, rows: string, ...parameters: readonly SqlValue[]): Statement[] {
  const at = parameters.length + 1;
  const dropped = `(SELECT id, count(*) AS times FROM (${rows}) WHERE id IS NOT NULL GROUP BY id)`;
  return [
    statement(
      `INSERT INTO garbage (blob_id, dropped_at)
       SELECT d.id, ?${at} FROM ${dropped} d LEFT JOIN shared_blobs s ON s.blob_id = d.id
       WHERE coalesce(s.holders, 1) <= d.times ON CONFLICT DO NOTHING`,
      ...parameters,
      now,
    ),
    statement(
      `DELETE FROM shared_blobs WHERE blob_id IN (
         SELECT d.id FROM ${dropped} d CROSS JOIN shared_blobs s ON s.blob_id = d.id WHERE s.holders <= d.times)`,
      ...parameters,
    ),
    statement(
      `UPDATE shared_blobs SET holders = holders - d.times FROM ${dropped} d WHERE d.id = shared_blobs.blob_id`,
      ...parameters,
    ),
  ];
}
