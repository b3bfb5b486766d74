// How rows are made again where the database is lost, from what was found in the blob store, and how references to blobs
// are counted again.
import { FrameLayout } from "../../bytes/frame-layout.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import { insertManifest, type Manifest } from "../metadata/manifests.ts";
import { upsertObject } from "../metadata/objects.ts";
import { metadataJson, tagsJson } from "../../protocol/core/stored-metadata.ts";
import type { Upload } from "../metadata/uploads.ts";

/** A bucket as far as its blobs' recovery metadata tells. */
export interface RebuiltBucket {
  readonly id: string;
  /** Undefined where no metadata tells; the id is a name as well. */
  readonly name: string | undefined;
  readonly ownerId: string;
  readonly region: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** Whether there is no bucket and nothing in one: a database that is not empty is not lost. */
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

/** Makes a bucket, under its id where its name is another one's: of a bucket that was made again, the first that is found. */
export function rebuildBucket({ id, name, ownerId, region, createdAt }: RebuiltBucket): Statement[] {
  return [name ?? id, id].map((candidate) =>
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
}

/** Shows an object unless its key shows one already. */
export function rebuildObject(bucketId: string, object: StoredObject): Statement[] {
  const { sql, parameters } = upsertObject(bucketId, object);
  const { blobId } = object;
  return [
    { sql: `${sql} WHERE false`, parameters },
    ...(blobId === undefined ? [] : [addOwnReferences("SELECT ?1", blobId)]),
  ];
}

/** Shows an object of several blobs; those that were stored as other objects or their parts are shared with these. */
export function rebuildManifest(
  bucketId: string,
  object: StoredObject,
  manifest: Manifest,
  foreignIds: readonly string[],
): Statement[] {
  const own = manifest.references.filter((id) => !foreignIds.includes(id));
  return [
    addForeignReferences(foreignIds),
    addOwnReferences("SELECT value FROM json_each(?1)", JSON.stringify(own)),
    ...insertManifest(manifest),
    ...rebuildObject(bucketId, object),
  ];
}

/** Counts one more reference to blobs that are shared already, from where they were stored. */
function addOwnReferences(ids: string, parameter: string): Statement {
  return statement(`UPDATE shared_blobs SET holders = holders + 1 WHERE blob_id IN (${ids})`, parameter);
}

/** Counts references to blobs from elsewhere than where they were stored; they may have one from there as well. */
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

/** Opens an upload again. */
export function rebuildUpload(bucketId: string, upload: Upload): Statement {
  return statement(
    `INSERT INTO uploads (bucket_id, key, upload_id, initiated_at, owner_id, content_type, system_metadata,
       user_metadata, tags, storage_class, encryption)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
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
  );
}

/** Puts the parts of an upload in their places; of several with one number, the one that was stored last. */
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

/** How many bytes a blob's bytes were before they were encrypted with a customer's key, if they were. */
export function plainLength(storedLength: number, isEncrypted: boolean): number {
  return isEncrypted ? FrameLayout.ofSealed(storedLength).length : storedLength;
}
