// Statements that rebuild rows and reference counts of a lost database from the blobs found in the blob store.
import { FrameLayout } from "../../bytes/frame-layout.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import { insertManifest, type Manifest } from "../metadata/manifests.ts";
import { VERSION_COLUMNS } from "../metadata/object-columns.ts";
import { upsertObject } from "../metadata/objects.ts";
import { metadataJson, tagsJson } from "../../protocol/core/stored-metadata.ts";
import type { Upload } from "../metadata/uploads.ts";

/** A bucket, as derived from its blobs' recovery metadata. */
export interface RebuiltBucket {
  readonly id: string;
  /** Undefined if no metadata contains it; the id then serves as the name. */
  readonly name: string | undefined;
  readonly ownerId: string;
  readonly region: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** The stored form of its Object Lock configuration; undefined: none is known. */
  readonly objectLock: string | undefined;
}

/** Whether the database has no buckets and no versions. A rebuild requires an empty database. */
export function isDatabaseEmpty(): Lookup<boolean> {
  return {
    statements: [
      statement(
        `SELECT EXISTS (SELECT 1 FROM buckets) + EXISTS (SELECT 1 FROM objects) + EXISTS (SELECT 1 FROM versions) AS found`,
      ),
    ],
    read: (results) => rowsOf<{ readonly found: number }>(results)[0]?.found === 0,
  };
}

/**
 * Inserts a bucket, under its id if another bucket has its name. Of several with one name, the first one found gets it.
 */
export function rebuildBucket({ id, name, ownerId, region, createdAt, objectLock }: RebuiltBucket): Statement[] {
  const inserts = [name ?? id, id].map((candidate) =>
    statement(
      `INSERT INTO buckets (name, id, owner_id, region, created_at)
       SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM buckets WHERE id = ?2) ON CONFLICT DO NOTHING`,
      candidate,
      id,
      ownerId,
      region,
      createdAt,
    ),
  );
  if (objectLock === undefined) return inserts;
  const enable = `UPDATE buckets SET versioning = 'Enabled', object_lock = ? WHERE id = ? AND object_lock IS NULL`;
  return [...inserts, statement(enable, objectLock, id)];
}

/** Whether a rebuilt version is the current one of its key or an older one. */
export type VersionPlace = "current" | "noncurrent";

const INSERT_NONCURRENT = `INSERT INTO versions (${VERSION_COLUMNS.join(", ")}, is_delete_marker)
  VALUES (${VERSION_COLUMNS.map(() => "?").join(", ")}, 0) ON CONFLICT DO NOTHING`;

/** Inserts a version; a current one unless its key has one already. */
export function rebuildObject(bucketId: string, object: StoredObject, place: VersionPlace): Statement[] {
  const { sql, parameters } = upsertObject(bucketId, object);
  const { blobId } = object;
  return [
    { sql: place === "current" ? `${sql} WHERE false` : INSERT_NONCURRENT, parameters },
    ...(blobId === undefined ? [] : [addOwnReferences("SELECT ?1", blobId)]),
  ];
}

/**
 * Inserts an object of several blobs.
 * @param foreignIds its blobs that were stored for other objects, and may be shared with them
 */
export function rebuildManifest(
  bucketId: string,
  object: StoredObject,
  manifest: Manifest,
  foreignIds: readonly string[],
  place: VersionPlace,
): Statement[] {
  const own = manifest.references.filter((id) => !foreignIds.includes(id));
  return [
    addForeignReferences(foreignIds),
    addOwnReferences("SELECT value FROM json_each(?1)", JSON.stringify(own)),
    ...insertManifest(manifest),
    ...rebuildObject(bucketId, object, place),
  ];
}

/**
 * Inserts the rows of those recovered blobs that are small, and counts them in their packs.
 * @param blobIds blobs that a rebuilt row references
 */
export function rebuildSmallBlobs(blobIds: readonly string[]): Statement[] {
  const json = JSON.stringify(blobIds);
  const found = `json_each(?) i CROSS JOIN recovered_blobs r ON r.blob_id = i.value
    WHERE r.facts ->> '$.packed.packId' IS NOT NULL AND NOT EXISTS (SELECT 1 FROM small_blobs s WHERE s.blob_id = r.blob_id)`;
  return [
    statement(
      `INSERT INTO packs (pack_id, size, live_bytes, live_blobs)
       SELECT r.facts ->> '$.packed.packId', max(r.facts ->> '$.packed.packSize'), sum(r.size), count(*) FROM ${found}
       GROUP BY 1 ON CONFLICT DO UPDATE SET size = excluded.size,
         live_bytes = live_bytes + excluded.live_bytes, live_blobs = live_blobs + excluded.live_blobs`,
      json,
    ),
    statement(
      `INSERT INTO small_blobs (blob_id, length, pack_id, pack_offset)
       SELECT r.blob_id, r.size, r.facts ->> '$.packed.packId', r.facts ->> '$.packed.offset' FROM ${found}`,
      json,
    ),
  ];
}

/** Adds a reference to blobs that already have a stored count, from the row that they were stored for. */
function addOwnReferences(ids: string, parameter: string): Statement {
  return statement(`UPDATE shared_blobs SET holders = holders + 1 WHERE blob_id IN (${ids})`, parameter);
}

/** Adds a reference to blobs from a row that they were not stored for, on top of one from the original row, if any. */
function addForeignReferences(blobIds: readonly string[]): Statement {
  return statement(
    `INSERT INTO shared_blobs (blob_id, holders)
     SELECT r.blob_id, 1
       + EXISTS (SELECT 1 FROM objects o WHERE o.bucket_id = r.bucket_id AND o.key = r.key AND o.blob_id = r.blob_id)
       + EXISTS (SELECT 1 FROM parts p WHERE p.upload_id = r.upload_id AND p.holding_id = r.blob_id)
       + EXISTS (SELECT 1 FROM manifests m, json_each(m.holdings) h
                 WHERE m.manifest_id = r.bucket_id || '/' || r.upload_id AND h.value = r.blob_id)
     FROM json_each(?) b CROSS JOIN recovered_blobs r ON r.blob_id = b.value
     WHERE true ON CONFLICT DO UPDATE SET holders = holders + 1`,
    JSON.stringify(blobIds),
  );
}

/** Inserts an open upload. */
export function rebuildUpload(bucketId: string, upload: Upload): Statement {
  return statement(
    `INSERT INTO uploads (bucket_id, key, upload_id, initiated_at, owner_id, content_type, system_metadata,
       user_metadata, tags, storage_class, encryption, retention_mode, retain_until, legal_hold)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    bucketId,
    upload.key,
    upload.uploadId,
    upload.initiatedAt,
    upload.ownerId,
    upload.contentType ?? null,
    metadataJson(upload.systemMetadata),
    metadataJson(upload.userMetadata),
    tagsJson(upload.tags),
    upload.storageClass,
    upload.encryption ?? null,
    upload.retention?.mode ?? null,
    upload.retention?.retainUntil ?? null,
    upload.legalHold ?? null,
  );
}

/** Inserts the parts of an upload; of several with one number, the last one stored. */
export function rebuildParts(bucketId: string, { key, uploadId }: Pick<Upload, "key" | "uploadId">): Statement[] {
  return [
    statement(
      `INSERT INTO parts (upload_id, part_number, holding_id, size, etag, modified_at)
       SELECT upload_id, part_number, blob_id, size, etag, stored_at FROM (
         SELECT upload_id, part_number, blob_id, size, etag, stored_at,
           row_number() OVER (PARTITION BY part_number ORDER BY stored_at DESC, blob_id DESC) AS place
         FROM recovered_blobs WHERE bucket_id = ? AND key = ? AND upload_id = ? AND role = 'part')
       WHERE place = 1 ON CONFLICT DO NOTHING`,
      bucketId,
      key,
      uploadId,
    ),
    addOwnReferences("SELECT holding_id FROM parts WHERE upload_id = ?1", uploadId),
  ];
}

/** Returns the plaintext length of a blob. */
export function plainLength(storedLength: number, isEncrypted: boolean): number {
  return isEncrypted ? FrameLayout.ofEncrypted(storedLength).length : storedLength;
}
