// Aborts many uploads in bounded batches: an upload may have 10,000 parts, and a bucket any number of uploads.
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import { releaseReferences } from "./blob-references.ts";

/** An upload to abort. */
export interface UploadToAbort {
  readonly bucketId: string;
  readonly key: string;
  readonly uploadId: string;
}

export interface UploadBatch {
  readonly uploads: readonly UploadToAbort[];
  /** Whether more uploads remain. */
  readonly hasMore: boolean;
}

/** The limits of a batch. One upload alone may exceed the parts limit (10,000 parts at most). */
const MAX_UPLOADS = 100;
const MAX_PARTS = 5000;

/** Looks up a batch of uploads of a bucket by its name. */
export function lookUpUploadBatchByName(bucketName: string): Lookup<{ readonly batch: UploadBatch }> {
  return lookUpBatch("u.bucket_id = (SELECT id FROM buckets WHERE name = ?1)", bucketName);
}

/** Looks up a batch of uploads of a bucket by its id, which is never reused. */
export function lookUpUploadBatch(bucketId: string): Lookup<{ readonly batch: UploadBatch }> {
  return lookUpBatch("u.bucket_id = ?1", bucketId);
}

/** Looks up a batch of uploads without a bucket. Deleting a bucket never leaves any. */
export function lookUpOrphanedUploads(): Lookup<{ readonly batch: UploadBatch }> {
  return lookUpBatch("u.bucket_id NOT IN (SELECT id FROM buckets)");
}

function lookUpBatch(condition: string, ...parameters: readonly string[]): Lookup<{ readonly batch: UploadBatch }> {
  interface Row {
    readonly bucket_id: string;
    readonly key: string;
    readonly upload_id: string;
    readonly parts: number;
  }
  return {
    statements: [
      statement(
        `SELECT u.bucket_id, u.key, u.upload_id, (
           SELECT count(*) FROM (SELECT 1 FROM parts p WHERE p.upload_id = u.upload_id LIMIT ${MAX_PARTS + 1})) AS parts
         FROM uploads u WHERE ${condition} ORDER BY u.bucket_id, u.key, u.upload_id LIMIT ${MAX_UPLOADS + 1}`,
        ...parameters,
      ),
    ],
    read: (results) => {
      const rows = rowsOf<Row>(results);
      let parts = 0;
      const uploads = rows
        .slice(0, MAX_UPLOADS)
        .filter((row, index) => (parts += row.parts) <= MAX_PARTS || index === 0)
        .map((row) => ({ bucketId: row.bucket_id, key: row.key, uploadId: row.upload_id }));
      return { batch: { uploads, hasMore: uploads.length < rows.length } };
    },
  };
}

/** Purges uploads with their parts and releases the parts' references. */
export function abortUploads(uploads: readonly UploadToAbort[], now: number): Statement[] {
  if (uploads.length === 0) return [];
  const ids = JSON.stringify(uploads.map(({ uploadId }) => uploadId));
  return [
    releaseReferences(
      now,
      `SELECT p.holding_id AS id FROM json_each(?1) i CROSS JOIN parts p ON p.upload_id = i.value`,
      ids,
    ),
    statement(`DELETE FROM parts WHERE upload_id IN (SELECT value FROM json_each(?))`, ids),
    statement(
      `DELETE FROM uploads WHERE (bucket_id, key, upload_id) IN (
         SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?))`,
      JSON.stringify(uploads.map(({ bucketId, key, uploadId }) => [bucketId, key, uploadId])),
    ),
  ];
}
