// The objects table: the current version of each key.
import { BUCKET_COLUMNS, bucketFromRow, type BucketFacts, type BucketRow } from "./buckets.ts";
import { rowsOf, statement, type Lookup, type Statement } from "./database.ts";
import type { ObjectChecksum } from "../protocol/checksums.ts";
import type { ConditionSubject } from "../protocol/conditions.ts";
import type { StoredObject } from "../protocol/stored-object.ts";

interface ObjectRow {
  readonly key: string;
  readonly version_id: string;
  readonly is_null_version: number;
  readonly size: number;
  readonly etag: string;
  readonly modified_at: number;
  readonly owner_id: string;
  readonly blob_id: string;
  readonly content_type: string | null;
  readonly system_metadata: string | null;
  readonly user_metadata: string | null;
  readonly storage_class: string;
  readonly checksum_algorithm: ObjectChecksum["algorithm"] | null;
  readonly checksum_type: ObjectChecksum["type"] | null;
  readonly checksum: string | null;
}

const OBJECT_COLUMNS = `o.key, o.version_id, o.is_null_version, o.size, o.etag, o.modified_at, o.owner_id, o.blob_id,
  o.content_type, o.system_metadata, o.user_metadata, o.storage_class, o.checksum_algorithm, o.checksum_type, o.checksum`;

function objectFromRow(row: ObjectRow): StoredObject {
  const { checksum_algorithm: algorithm, checksum_type: type, checksum: value } = row;
  return {
    key: row.key,
    versionId: row.version_id,
    isNullVersion: row.is_null_version === 1,
    size: row.size,
    etag: row.etag,
    modifiedAt: row.modified_at,
    ownerId: row.owner_id,
    blobId: row.blob_id,
    contentType: row.content_type ?? undefined,
    systemMetadata: parseMetadata(row.system_metadata),
    userMetadata: parseMetadata(row.user_metadata),
    storageClass: row.storage_class,
    checksum: algorithm === null || type === null || value === null ? undefined : { algorithm, type, value },
  };
}

/** Reads what metadataJson wrote. */
function parseMetadata(json: string | null): Readonly<Record<string, string>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return json === null ? {} : (JSON.parse(json) as Readonly<Record<string, string>>);
}

function metadataJson(metadata: Readonly<Record<string, string>>): string | null {
  return Object.keys(metadata).length === 0 ? null : JSON.stringify(metadata);
}

/** A bucket and the current version of one key. */
export interface ObjectLookupFacts extends BucketFacts {
  readonly object: StoredObject | undefined;
}

type Absent<Row> = { readonly [Column in keyof Row]: Row[Column] | null };

/** Looks up a bucket and the current version of a key, in one statement. */
export function lookUpObject(bucketName: string, key: string): Lookup<ObjectLookupFacts> {
  return {
    statements: [
      statement(
        `SELECT ${BUCKET_COLUMNS}, ${OBJECT_COLUMNS}
         FROM buckets b LEFT JOIN objects o ON o.bucket_id = b.id AND o.key = ?2 WHERE b.name = ?1`,
        bucketName,
        key,
      ),
    ],
    read: (results) => {
      const row = rowsOf<BucketRow & (ObjectRow | (Absent<ObjectRow> & { readonly key: null }))>(results)[0];
      if (row === undefined) return { bucket: undefined, object: undefined };
      return { bucket: bucketFromRow(row), object: row.key === null ? undefined : objectFromRow(row) };
    },
  };
}

/** What a key's current version is recognised by, for preconditions and compare-and-swap. */
export interface HeadRow {
  readonly key: string;
  readonly version_id: string;
  readonly etag: string;
  readonly size: number;
  readonly modified_at: number;
}

export function subjectFromRow(row: HeadRow): ConditionSubject {
  return { versionId: row.version_id, etag: row.etag, size: row.size, modifiedAt: row.modified_at };
}

/** The current versions of those keys (a JSON array) that have one; `bucketId` is an SQL expression. */
function selectHeads(bucketId: string, ...parameters: readonly [keysJson: string, bucket: string]): Statement {
  return statement(
    `SELECT o.key, o.version_id, o.etag, o.size, o.modified_at
     FROM json_each(?1) k JOIN objects o ON o.bucket_id = ${bucketId} AND o.key = k.value`,
    ...parameters,
  );
}

function headsByKey(rows: readonly HeadRow[]): Map<string, ConditionSubject> {
  return new Map(rows.map((row) => [row.key, subjectFromRow(row)]));
}

/** A bucket and the current versions of several keys. */
export interface HeadsFacts extends BucketFacts {
  readonly heads: ReadonlyMap<string, ConditionSubject>;
}

/** Looks up a bucket by name and the current versions of keys, in one round trip. */
export function lookUpHeads(bucketName: string, keys: readonly string[]): Lookup<HeadsFacts> {
  return {
    statements: [
      statement(`SELECT ${BUCKET_COLUMNS} FROM buckets b WHERE b.name = ?`, bucketName),
      selectHeads("(SELECT id FROM buckets WHERE name = ?2)", JSON.stringify(keys), bucketName),
    ],
    read: (results) => ({
      bucket: rowsOf<BucketRow>(results).map(bucketFromRow)[0],
      heads: headsByKey(rowsOf<HeadRow>(results, 1)),
    }),
  };
}

/** The current versions of keys of a bucket whose id is known. */
export function currentHeads(bucketId: string, keys: readonly string[]): Lookup<Map<string, ConditionSubject>> {
  return {
    statements: [selectHeads("?2", JSON.stringify(keys), bucketId)],
    read: (results) => headsByKey(rowsOf<HeadRow>(results)),
  };
}

/**
 * The commit of a blob under a key, if there was one: as the current version, or in the garbage, where whoever replaced
 * or removed that version has put it (there, nothing is left of its id).
 */
export function commitOfBlob(
  bucketId: string,
  key: string,
  blobId: string,
): Lookup<{ readonly versionId: string | undefined; readonly modifiedAt: number } | undefined> {
  return {
    statements: [
      statement(
        `SELECT version_id, modified_at FROM objects WHERE bucket_id = ?1 AND key = ?2 AND blob_id = ?3
         UNION ALL SELECT NULL, dropped_at FROM garbage WHERE blob_id = ?3`,
        bucketId,
        key,
        blobId,
      ),
    ],
    read: (results) => {
      const row = rowsOf<{ readonly version_id: string | null; readonly modified_at: number }>(results)[0];
      return row === undefined ? undefined : { versionId: row.version_id ?? undefined, modifiedAt: row.modified_at };
    },
  };
}

/** Makes a version the current one of its key, in place of whatever is there. */
export function upsertObject(bucketId: string, object: StoredObject): Statement {
  return statement(
    `INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, blob_id,
       content_type, system_metadata, user_metadata, storage_class, checksum_algorithm, checksum_type, checksum)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (bucket_id, key) DO UPDATE SET
       version_id = excluded.version_id, is_null_version = excluded.is_null_version, size = excluded.size,
       etag = excluded.etag, modified_at = excluded.modified_at, owner_id = excluded.owner_id,
       blob_id = excluded.blob_id, manifest_id = NULL, content_type = excluded.content_type,
       system_metadata = excluded.system_metadata, user_metadata = excluded.user_metadata, tags = NULL,
       storage_class = excluded.storage_class, checksum_algorithm = excluded.checksum_algorithm,
       checksum_type = excluded.checksum_type, checksum = excluded.checksum, encryption = NULL`,
    bucketId,
    object.key,
    object.versionId,
    object.isNullVersion ? 1 : 0,
    object.size,
    object.etag,
    object.modifiedAt,
    object.ownerId,
    object.blobId,
    object.contentType ?? null,
    metadataJson(object.systemMetadata),
    metadataJson(object.userMetadata),
    object.storageClass,
    object.checksum?.algorithm ?? null,
    object.checksum?.type ?? null,
    object.checksum?.value ?? null,
  );
}

/** Removes the current versions of keys (a JSON array). */
export function deleteObjects(bucketId: string, keysJson: string): Statement {
  return statement(
    `DELETE FROM objects WHERE bucket_id = ?1 AND key IN (SELECT value FROM json_each(?2))`,
    bucketId,
    keysJson,
  );
}

/** Puts the blobs of the current versions of keys (a JSON array) into the garbage; runs before they are replaced. */
export function dropBlobsOf(bucketId: string, keysJson: string, now: number): Statement {
  return statement(
    `INSERT INTO garbage (blob_id, dropped_at)
     SELECT o.blob_id, ?3 FROM json_each(?2) k JOIN objects o ON o.bucket_id = ?1 AND o.key = k.value
     WHERE o.blob_id IS NOT NULL`,
    bucketId,
    keysJson,
    now,
  );
}
