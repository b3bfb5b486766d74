// The buckets table.
import { rowsOf, statement, type Lookup, type Statement } from "./database.ts";

/** A bucket. `id` is new each time a bucket of the name is made. */
export interface Bucket {
  readonly name: string;
  readonly id: string;
  readonly ownerId: string;
  readonly region: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly versioning: "Enabled" | "Suspended" | null;
}

/** A bucket's columns as another table's queries select them, beside their own. */
export interface BucketRow {
  readonly bucket_name: string;
  readonly bucket_id: string;
  readonly bucket_owner_id: string;
  readonly bucket_region: string;
  readonly bucket_created_at: number;
  readonly bucket_versioning: "Enabled" | "Suspended" | null;
}

/** What to select for a {@link BucketRow}, with the table under the name `b`. */
export const BUCKET_COLUMNS = `b.name AS bucket_name, b.id AS bucket_id, b.owner_id AS bucket_owner_id,
  b.region AS bucket_region, b.created_at AS bucket_created_at, b.versioning AS bucket_versioning`;

export function bucketFromRow(row: BucketRow): Bucket {
  return {
    name: row.bucket_name,
    id: row.bucket_id,
    ownerId: row.bucket_owner_id,
    region: row.bucket_region,
    createdAt: row.bucket_created_at,
    versioning: row.bucket_versioning,
  };
}

/** What every operation on a bucket or object needs to know. */
export interface BucketFacts {
  readonly bucket: Bucket | undefined;
}

/** Looks a bucket up by its name. */
export function lookUpBucket(name: string): Lookup<BucketFacts> {
  return {
    statements: [selectBucket(name)],
    read: (results) => ({ bucket: rowsOf<BucketRow>(results).map(bucketFromRow)[0] }),
  };
}

export function selectBucket(name: string): Statement {
  return statement(`SELECT ${BUCKET_COLUMNS} FROM buckets b WHERE b.name = ?`, name);
}

/** Creates a bucket unless one of the name exists; the second result's row is the one that is there afterwards. */
export function insertBucket(bucket: Bucket): Lookup<{ readonly existing: Bucket | undefined }> {
  return {
    statements: [
      statement(
        `INSERT INTO buckets (name, id, owner_id, region, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        bucket.name,
        bucket.id,
        bucket.ownerId,
        bucket.region,
        bucket.createdAt,
      ),
      selectBucket(bucket.name),
    ],
    read: (results) => ({ existing: rowsOf<BucketRow>(results, 1).map(bucketFromRow)[0] }),
  };
}

/** Deletes a bucket if nothing is in it; the second result's row is there where the bucket still is. */
export function deleteEmptyBucket(bucket: Bucket): Lookup<{ readonly remaining: Bucket | undefined }> {
  return {
    statements: [
      statement(
        `DELETE FROM buckets WHERE name = ?1 AND id = ?2
           AND NOT EXISTS (SELECT 1 FROM objects WHERE bucket_id = ?2)
           AND NOT EXISTS (SELECT 1 FROM versions WHERE bucket_id = ?2)`,
        bucket.name,
        bucket.id,
      ),
      statement(`SELECT ${BUCKET_COLUMNS} FROM buckets b WHERE b.name = ? AND b.id = ?`, bucket.name, bucket.id),
    ],
    read: (results) => ({ remaining: rowsOf<BucketRow>(results, 1).map(bucketFromRow)[0] }),
  };
}

/** Which of an owner's buckets to list: names from `from` on, below `before`, in a region. */
export interface BucketPage {
  readonly ownerId: string;
  readonly from: string;
  readonly before: string | undefined;
  readonly region: string | undefined;
  readonly limit: number;
}

/** A page of an owner's buckets in the order of their names. */
export function listBuckets({ ownerId, from, before, region, limit }: BucketPage): Lookup<Bucket[]> {
  return {
    statements: [
      statement(
        `SELECT ${BUCKET_COLUMNS} FROM buckets b
         WHERE b.name >= ?1 AND (?2 IS NULL OR b.name < ?2) AND b.owner_id = ?3 AND (?4 IS NULL OR b.region = ?4)
         ORDER BY b.name LIMIT ?5`,
        from,
        before ?? null,
        ownerId,
        region ?? null,
        limit,
      ),
    ],
    read: (results) => rowsOf<BucketRow>(results).map(bucketFromRow),
  };
}
