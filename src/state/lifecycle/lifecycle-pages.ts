// Reads pages of a bucket's versions and uploads for the evaluation of lifecycle rules. A page costs only its rows,
// for any size of the bucket.
import { BUCKET_COLUMNS, bucketFromRow, type Bucket, type BucketRow } from "../metadata/buckets.ts";
import { hasObjectLock, isLocked } from "../commit/object-lock.ts";
import { rowsOf, statement, type Database, type Lookup, type SqlValue, type Statement } from "../d1/database.ts";
import type { KeyRange } from "../d1/key-ranges.ts";
import { isProtectedBySnapshot } from "../writes/snapshot-protection.ts";

/** A current version. */
export interface CurrentRow {
  readonly key: string;
  readonly version_id: string;
  readonly is_null_version: number;
  readonly size: number;
  readonly etag: string;
  readonly modified_at: number;
  readonly tags: string | null;
  readonly storage_class: string;
}

/** A row of the versions table, joined with the current version of its key. */
export interface VersionRow {
  readonly key: string;
  readonly version_id: string;
  readonly is_null_version: number;
  readonly is_delete_marker: number;
  readonly size: number;
  readonly modified_at: number;
  readonly tags: string | null;
  readonly storage_class: string;
  /** 1: a snapshot or a lock protects the version from being purged. */
  readonly is_protected: number;
  /** null: the key has no current version. */
  readonly current_id: string | null;
  readonly current_etag: string | null;
  readonly current_size: number | null;
  readonly current_modified_at: number | null;
}

/** An open upload. */
export interface UploadRow {
  readonly key: string;
  readonly upload_id: string;
  readonly initiated_at: number;
}

/** An SQL expression on the row alias `r` of the versions table: 1 if a snapshot or a lock protects the version. */
function isProtected(bucket: Bucket, locksAt: number | undefined): string {
  const protections = [
    ...(bucket.snapshotFloor === null ? [] : [isProtectedBySnapshot("r")]),
    ...(hasObjectLock(bucket) ? [isLocked("r", locksAt)] : []),
  ];
  return protections.length === 0 ? "0" : protections.join(" OR ");
}

const FIRST_RANGE_ROWS = 1000;
const OTHER_RANGE_ROWS = 100;
/** The most ranges of a page; each is one statement. */
const RANGES_PER_PAGE = 20;

/** A page of rows. */
export interface RowPage<Row> {
  readonly rows: readonly Row[];
  /** The first row after the page in the range of its last row; undefined: none. */
  readonly following: Row | undefined;
  /** Where the next page begins if there is no such row; undefined on the last page. */
  readonly nextFrom: string | undefined;
}

/**
 * Reads a page of rows from several ranges in one round trip.
 * @param select returns the statement that selects at most `limit` rows of a range, in order
 */
async function readPage<Row>(
  database: Database,
  ranges: readonly KeyRange[],
  select: (range: KeyRange, limit: number) => Statement,
): Promise<RowPage<Row>> {
  const limits = ranges
    .slice(0, RANGES_PER_PAGE)
    .map((range, index) => ({ range, limit: index === 0 ? FIRST_RANGE_ROWS : OTHER_RANGE_ROWS }));
  const results = await database.batch(limits.map(({ range, limit }) => select(range, limit + 1)));
  const rows: Row[] = [];
  for (const [index, { limit }] of limits.entries()) {
    const ofRange = rowsOf<Row>(results, index);
    rows.push(...ofRange.slice(0, limit));
    const following = ofRange[limit];
    if (following !== undefined) return { rows, following, nextFrom: undefined };
  }
  return { rows, following: undefined, nextFrom: ranges[limits.length]?.from };
}

/** Reads a page of current versions, by key. */
export function readCurrent(
  database: Database,
  bucketId: string,
  ranges: readonly KeyRange[],
): Promise<RowPage<CurrentRow>> {
  return readPage(database, ranges, (range, limit) =>
    selectRange(
      `SELECT r.key, r.version_id, r.is_null_version, r.size, r.etag, r.modified_at, r.tags, r.storage_class
       FROM objects r WHERE r.bucket_id = ?1 AND r.key >= ?2`,
      "r.key",
      [bucketId, range.from],
      range,
      limit,
    ),
  );
}

/**
 * Reads a page of the versions table, by key and newest first, after a version of the first key.
 * @param from.locksAt see LifecycleWalk
 */
export function readVersions(
  database: Database,
  bucket: Bucket,
  ranges: readonly KeyRange[],
  { after, locksAt }: { readonly after: string; readonly locksAt: number | undefined },
): Promise<RowPage<VersionRow>> {
  return readPage(database, ranges, (range, limit) =>
    selectRange(
      `SELECT r.key, r.version_id, r.is_null_version, r.is_delete_marker, r.size, r.modified_at, r.tags, r.storage_class,
         (${isProtected(bucket, locksAt)}) AS is_protected,
         o.version_id AS current_id, o.etag AS current_etag, o.size AS current_size,
         o.modified_at AS current_modified_at
       FROM versions r LEFT JOIN objects o ON o.bucket_id = r.bucket_id AND o.key = r.key
       WHERE r.bucket_id = ?1 AND (r.key, r.version_id) > (?2, ?3)`,
      "r.key, r.version_id",
      [bucket.id, range.from, range === ranges[0] ? after : ""],
      range,
      limit,
    ),
  );
}

/** Reads a page of open uploads, by key and time, after an upload of the first key. */
export function readUploads(
  database: Database,
  bucketId: string,
  ranges: readonly KeyRange[],
  after: string,
): Promise<RowPage<UploadRow>> {
  return readPage(database, ranges, (range, limit) =>
    selectRange(
      `SELECT r.key, r.upload_id, r.initiated_at FROM uploads r
       WHERE r.bucket_id = ?1 AND (r.key, r.upload_id) > (?2, ?3)`,
      "r.key, r.upload_id",
      [bucketId, range.from, range === ranges[0] ? after : ""],
      range,
      limit,
    ),
  );
}

function selectRange(
  select: string,
  order: string,
  parameters: readonly SqlValue[],
  { before }: KeyRange,
  limit: number,
): Statement {
  const next = parameters.length + 1;
  const below = before === undefined ? "" : `AND r.key < ?${next + 1}`;
  return statement(
    `${select} ${below} ORDER BY ${order} LIMIT ?${next}`,
    ...parameters,
    limit,
    ...(before === undefined ? [] : [before]),
  );
}

/** A version of a key that is newer than the ones under evaluation. */
export interface EarlierRow {
  readonly version_id: string;
  readonly modified_at: number;
}

/** Looks up at most `limit` rows of a key in the versions table: `upTo` and newer ones, the oldest first. */
export function lookUpEarlier(
  bucketId: string,
  key: string,
  upTo: string,
  limit: number,
): Lookup<readonly EarlierRow[]> {
  return {
    statements: [
      statement(
        `SELECT version_id, modified_at FROM versions
         WHERE bucket_id = ? AND key = ? AND version_id <= ? ORDER BY version_id DESC LIMIT ?`,
        bucketId,
        key,
        upTo,
        limit,
      ),
    ],
    read: (results) => rowsOf<EarlierRow>(results),
  };
}

/** Looks up the first bucket from a name on that has a lifecycle configuration. */
export function lookUpNextBucket(from: string): Lookup<Bucket | undefined> {
  return {
    statements: [
      statement(
        `SELECT ${BUCKET_COLUMNS} FROM buckets b INDEXED BY buckets_with_lifecycle
         WHERE b.lifecycle IS NOT NULL AND b.name >= ? ORDER BY b.name LIMIT 1`,
        from,
      ),
    ],
    read: (results) => rowsOf<BucketRow>(results).map(bucketFromRow)[0],
  };
}
