// Finds orphans: blobs that no row references. References are looked up through the blob's recovery metadata (versions
// of its key, parts and manifest of its upload), in shared_blobs (blobs copied or renamed elsewhere), in packs and in
// the garbage.
import { type Database, rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";

/** A blob, with the address in its recovery metadata. */
export interface ScannedBlob {
  readonly blobId: string;
  readonly bucketId: string;
  readonly key: string;
  /** Undefined: not stored as a part. */
  readonly uploadId: string | undefined;
  /** Until when the lock in its recovery metadata protects it (milliseconds since the epoch); undefined: not at all. */
  readonly protectedUntil?: number | undefined;
}

interface OrphanRow {
  readonly blob_id: string;
  readonly bucket_id: string;
  readonly key: string;
  readonly upload_id: string | null;
}

/**
 * Selects the blobs of ?1 without references. ?2 and ?3 list the distinct keys and uploads of their recovery metadata,
 * so that each is read once.
 */
const UNREFERENCED = `
  WITH refs (id) AS (
    SELECT o.blob_id FROM json_each(?2) k CROSS JOIN objects o ON o.bucket_id = k.value ->> 0 AND o.key = k.value ->> 1
    UNION ALL
    SELECT v.blob_id FROM json_each(?2) k CROSS JOIN versions v ON v.bucket_id = k.value ->> 0 AND v.key = k.value ->> 1
    UNION ALL
    SELECT p.holding_id FROM json_each(?3) u CROSS JOIN parts p ON p.upload_id = u.value ->> 1
    UNION ALL
    SELECT h.value FROM json_each(?3) u CROSS JOIN manifests m ON m.manifest_id = (u.value ->> 0) || '/' || (u.value ->> 1)
      CROSS JOIN json_each(m.holdings) h)
  SELECT a.value AS blob_id FROM json_each(?1) a
  WHERE a.value NOT IN (SELECT id FROM refs WHERE id IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM shared_blobs s WHERE s.blob_id = a.value)
    AND NOT EXISTS (SELECT 1 FROM packs p WHERE p.pack_id = a.value)
    AND NOT EXISTS (SELECT 1 FROM garbage g WHERE g.blob_id = a.value)`;

function unreferencedParameters(blobs: readonly ScannedBlob[]): [ids: string, keys: string, uploads: string] {
  const keys = new Set(blobs.map(({ bucketId, key }) => JSON.stringify([bucketId, key])));
  const uploads = new Set(
    blobs.flatMap(({ bucketId, uploadId }) => (uploadId === undefined ? [] : [JSON.stringify([bucketId, uploadId])])),
  );
  return [idsJson(blobs), `[${Array.from(keys).join(",")}]`, `[${Array.from(uploads).join(",")}]`];
}

/** Looks up which blobs have no references. */
export function lookUpUnreferenced(blobs: readonly ScannedBlob[]): Lookup<string[]> {
  return {
    statements: [statement(UNREFERENCED, ...unreferencedParameters(blobs))],
    read: blobIdsOf,
  };
}

/** Finds the blobs that no row of any database references. */
export async function findUnreferenced(
  databases: readonly Pick<Database, "look">[],
  blobs: readonly ScannedBlob[],
): Promise<readonly ScannedBlob[]> {
  let left = blobs;
  for (const database of databases) {
    if (left.length === 0) return left;
    const ids = new Set(await database.look(lookUpUnreferenced(left)));
    left = left.filter(({ blobId }) => ids.has(blobId));
  }
  return left;
}

/**
 * Writes tombstones for blobs in every database, whichever their bucket is in.
 * @returns the blobs that may be deleted: no database references them, and now none can
 */
export async function condemn(
  databases: readonly Pick<Database, "look">[],
  blobs: readonly ScannedBlob[],
  now: number,
): Promise<readonly string[]> {
  let left = await findUnreferenced(databases, blobs);
  for (const database of databases) {
    if (left.length === 0) return [];
    const marked = new Set(await database.look(writeTombstones(left, now)));
    left = left.filter(({ blobId }) => marked.has(blobId));
  }
  return left.map(({ blobId }) => blobId);
}

/**
 * Records orphans, except those that a lock protects by the database's clock. Known ones keep the time of their first
 * finding.
 */
export function recordOrphans(blobs: readonly ScannedBlob[], now: number): Statement {
  return statement(
    `INSERT INTO orphans (blob_id, bucket_id, key, upload_id, found_at)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?2 FROM json_each(?1)
     WHERE coalesce(value ->> 4, 0) <= unixepoch('subsec') * 1000 ON CONFLICT DO NOTHING`,
    JSON.stringify(
      blobs.map((blob) => [blob.blobId, blob.bucketId, blob.key, blob.uploadId ?? null, blob.protectedUntil ?? null]),
    ),
    now,
  );
}

/** Looks up orphans found before a time (milliseconds since the epoch), by id, after an id. */
export function lookUpDueOrphans(before: number, after: string, limit: number): Lookup<ScannedBlob[]> {
  return {
    statements: [
      statement(
        `SELECT blob_id, bucket_id, key, upload_id FROM orphans
         WHERE blob_id > ?2 AND found_at < ?1 ORDER BY blob_id LIMIT ?3`,
        before,
        after,
        limit,
      ),
    ],
    read: (results) =>
      rowsOf<OrphanRow>(results).map((row) => ({
        blobId: row.blob_id,
        bucketId: row.bucket_id,
        key: row.key,
        uploadId: row.upload_id ?? undefined,
      })),
  };
}

/**
 * Writes tombstones for the blobs without references. Guards then refuse every commit that would reference one, so
 * these blobs can be deleted safely. Returns all blobs with tombstones, including those of an interrupted earlier try.
 */
function writeTombstones(blobs: readonly ScannedBlob[], now: number): Lookup<string[]> {
  return {
    statements: [
      statement(
        `INSERT INTO scan_tombstones (blob_id, condemned_at)
         SELECT blob_id, ?4 FROM (${UNREFERENCED}) WHERE true ON CONFLICT DO NOTHING`,
        ...unreferencedParameters(blobs),
        now,
      ),
      statement(
        `SELECT t.blob_id FROM json_each(?) b CROSS JOIN scan_tombstones t ON t.blob_id = b.value`,
        idsJson(blobs),
      ),
    ],
    read: ([, tombstones]) => blobIdsOf(tombstones === undefined ? [] : [tombstones]),
  };
}

/** Purges entries of blobs that are deleted, or that turned out to have references. */
export function purgeOrphans(blobs: readonly ScannedBlob[]): Statement {
  return statement(`DELETE FROM orphans WHERE blob_id IN (SELECT value FROM json_each(?))`, idsJson(blobs));
}

function idsJson(blobs: readonly ScannedBlob[]): string {
  return JSON.stringify(blobs.map(({ blobId }) => blobId));
}

const blobIdsOf: Lookup<string[]>["read"] = (results) =>
  rowsOf<{ readonly blob_id: string }>(results).map((row) => row.blob_id);
