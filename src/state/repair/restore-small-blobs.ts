// Restores rows of small blobs, and counts in packs what they contain of them.
import { jsonPages } from "../d1/json-pages.ts";
import { statement, type Statement } from "../d1/database.ts";
import type { Row } from "../d1/row-mapping.ts";

/** Inserts the sizes of packs. Their counts come from the small blobs that are inserted. */
export function restorePacks(rows: readonly Row[]): Statement[] {
  return jsonPages(rows).map((json) =>
    statement(
      `INSERT INTO packs (pack_id, size, live_bytes, live_blobs, packed_to)
       SELECT value ->> 'pack_id', value ->> 'size', 0, 0, value ->> 'packed_to' FROM json_each(?) WHERE true
       ON CONFLICT DO UPDATE SET size = excluded.size, packed_to = excluded.packed_to`,
      json,
    ),
  );
}

/** Inserts small blobs, each at most once, and skips those that exist. */
export function restoreSmallBlobs(rows: readonly Row[]): Statement[] {
  return jsonPages(rows).flatMap((json) => [
    statement(
      `INSERT INTO packs (pack_id, size, live_bytes, live_blobs)
       SELECT value ->> 'pack_id', 0, sum(value ->> 'length'), count(*) FROM json_each(?) e
       WHERE value ->> 'pack_id' IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM small_blobs b WHERE b.blob_id = e.value ->> 'blob_id')
       GROUP BY value ->> 'pack_id'
       ON CONFLICT DO UPDATE SET live_bytes = live_bytes + excluded.live_bytes, live_blobs = live_blobs + excluded.live_blobs`,
      json,
    ),
    statement(
      `INSERT INTO small_blobs (blob_id, length, pack_id, pack_offset, recovery_metadata, bytes)
       SELECT value ->> 'blob_id', value ->> 'length', value ->> 'pack_id', value ->> 'pack_offset',
         value ->> 'recovery_metadata', value ->> 'bytes'
       FROM json_each(?) WHERE true ON CONFLICT DO NOTHING`,
      json,
    ),
  ]);
}
