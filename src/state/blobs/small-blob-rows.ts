// The rows of small blobs in the databases. References stay within one database, so one of them has the row.
import { statement, type Database, type Statement } from "../d1/database.ts";
import type { SmallBlobRows } from "./small-blob-store.ts";
import { lookUpSmallBlobs, type SmallBlob } from "./small-blobs.ts";

export class DatabaseSmallBlobs implements SmallBlobRows {
  readonly #databases: readonly Database[];

  constructor(databases: readonly Database[]) {
    this.#databases = databases;
  }

  async find(blobId: string): Promise<SmallBlob | undefined> {
    const lookup = lookUpSmallBlobs([blobId]);
    const found = await Promise.all(this.#databases.map(async (database) => database.lookShared(lookup)));
    return found.flat()[0];
  }

  async delete(blobIds: readonly string[]): Promise<void> {
    await Promise.all(this.#databases.map(async (database) => database.batch(deleteSmallBlobs(blobIds))));
  }
}

/** Deletes rows of small blobs and what their packs count of them. A batch that runs again changes nothing. */
function deleteSmallBlobs(blobIds: readonly string[]): Statement[] {
  const json = JSON.stringify(blobIds);
  return [
    statement(
      `UPDATE packs SET live_bytes = live_bytes - d.bytes, live_blobs = live_blobs - d.blobs
       FROM (SELECT b.pack_id, sum(b.length) AS bytes, count(*) AS blobs
             FROM json_each(?) i CROSS JOIN small_blobs b ON b.blob_id = i.value
             WHERE b.pack_id IS NOT NULL GROUP BY b.pack_id) d
       WHERE d.pack_id = packs.pack_id`,
      json,
    ),
    statement(`DELETE FROM small_blobs WHERE blob_id IN (SELECT value FROM json_each(?))`, json),
  ];
}
