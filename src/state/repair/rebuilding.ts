// How rows are made again where the database is lost, from what is known of blobs: of everything that was born under a
// key, the newest is shown. The statements may be repeated.
import { FrameLayout } from "../../bytes/frame-layout.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import { releaseReferences } from "../metadata/blob-references.ts";
import { upsertObject } from "../metadata/objects.ts";
import { metadataJson, tagsJson } from "../metadata/stored-metadata.ts";
import type { Upload } from "../metadata/uploads.ts";

/** A bucket as far as its blobs' birth certificates tell. */
export interface RebuiltBucket {
  readonly id: string;
  /** Undefined where no certificate tells; the id is a name as well. */
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

/** Shows an object unless its key shows one that is as new. */
export function rebuildObject(bucketId: string, object: StoredObject): Statement {
  const { sql, parameters } = upsertObject(bucketId, object);
  return { sql: `${sql} WHERE excluded.modified_at > objects.modified_at`, parameters };
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

/** A part of which all is known that its blob tells. */
export interface RebuiltPart {
  readonly partNumber: number;
  readonly blobId: string;
  readonly size: number;
  readonly etag: string;
  readonly modifiedAt: number;
}

/** Puts a part in its place unless one is there that is as new. */
export function rebuildPart(uploadId: string, { partNumber, blobId, size, etag, modifiedAt }: RebuiltPart): Statement {
  return statement(
    `INSERT INTO parts (upload_id, part_number, holding_id, size, etag, modified_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET holding_id = excluded.holding_id, size = excluded.size, etag = excluded.etag,
       modified_at = excluded.modified_at
     WHERE excluded.modified_at > parts.modified_at`,
    uploadId,
    partNumber,
    blobId,
    size,
    etag,
    modifiedAt,
  );
}

/** The statements that show what an upload has made, in place of what its key shows. */
export function replaceObject(bucketId: string, object: StoredObject, now: number): Statement[] {
  return [
    // A blob that is replaced is nobody's from here on, which the orphan scan sees; a manifest nobody would see.
    ...releaseReferences(
      now,
      `SELECT manifest_id AS id FROM objects WHERE bucket_id = ?1 AND key = ?2`,
      bucketId,
      object.key,
    ),
    upsertObject(bucketId, object),
  ];
}

/** How many bytes a blob's bytes were before they were encrypted with a customer's key, if they were. */
export function plainLength(storedLength: number, isEncrypted: boolean): number {
  return isEncrypted ? FrameLayout.ofSealed(storedLength).length : storedLength;
}
