// Multipart uploads: the uploads, parts and completed_uploads tables.
import type { ChecksumAlgorithm, ChecksumType, ObjectChecksum } from "../protocol/checksums.ts";
import type { ObjectMetadata } from "../protocol/object-metadata.ts";
import type { Tag } from "../protocol/tagging.ts";
import { bucketFromRow, selectBucket, type Bucket, type BucketFacts, type BucketRow } from "./buckets.ts";
import { rowsOf, statement, type Database, type Lookup, type Statement } from "./database.ts";
import { dropHoldings } from "./holdings.ts";
import { metadataJson, parseMetadata, parseTags, tagsJson } from "./objects.ts";

/** An upload in progress. */
export interface Upload extends ObjectMetadata {
  readonly key: string;
  readonly uploadId: string;
  /** Milliseconds since the epoch. */
  readonly initiatedAt: number;
  /** The head of the key when the upload began. */
  readonly initialHead: string | null;
  readonly ownerId: string;
  readonly tags: readonly Tag[];
  readonly storageClass: string;
  /** What the client announced; undefined where it announced nothing. */
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
  /** As the completed object will have them. */
  readonly acl: string | undefined;
  readonly encryption: string | undefined;
}

interface UploadRow {
  readonly key: string;
  readonly upload_id: string;
  readonly initiated_at: number;
  readonly initial_head: string | null;
  readonly owner_id: string;
  readonly content_type: string | null;
  readonly system_metadata: string | null;
  readonly user_metadata: string | null;
  readonly tags: string | null;
  readonly storage_class: string;
  readonly checksum_algorithm: ChecksumAlgorithm | null;
  readonly checksum_type: ChecksumType | null;
  readonly acl: string | null;
  readonly encryption: string | null;
}

const UPLOAD_COLUMNS = `u.key, u.upload_id, u.initiated_at, u.initial_head, u.owner_id, u.content_type, u.system_metadata,
  u.user_metadata, u.tags, u.storage_class, u.checksum_algorithm, u.checksum_type, u.acl,
  u.encryption`;

function uploadFromRow(row: UploadRow): Upload {
  return {
    key: row.key,
    uploadId: row.upload_id,
    initiatedAt: row.initiated_at,
    initialHead: row.initial_head,
    ownerId: row.owner_id,
    contentType: row.content_type ?? undefined,
    systemMetadata: parseMetadata(row.system_metadata),
    userMetadata: parseMetadata(row.user_metadata),
    tags: parseTags(row.tags),
    storageClass: row.storage_class,
    checksumAlgorithm: row.checksum_algorithm ?? undefined,
    checksumType: row.checksum_type ?? undefined,
    acl: row.acl ?? undefined,
    encryption: row.encryption ?? undefined,
  };
}

export interface UploadFacts extends BucketFacts {
  /** Undefined for an upload that never was, was aborted or is completed. */
  readonly upload: Upload | undefined;
}

/** Looks up a bucket and an upload in progress. */
export function lookUpUpload(bucketName: string, key: string, uploadId: string): Lookup<UploadFacts> {
  return {
    statements: [
      selectBucket(bucketName),
      statement(
        `SELECT ${UPLOAD_COLUMNS} FROM uploads u
         WHERE u.bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND u.key = ?2 AND u.upload_id = ?3`,
        bucketName,
        key,
        uploadId,
      ),
    ],
    read: (results) => ({
      bucket: rowsOf<BucketRow>(results).map(bucketFromRow)[0],
      upload: rowsOf<UploadRow>(results, 1).map(uploadFromRow)[0],
    }),
  };
}

/**
 * Begins an upload, if its bucket is still there.
 * @returns whether it is
 */
export async function beginUpload(database: Database, bucket: Bucket, upload: Upload): Promise<boolean> {
  const insert = statement(
    `INSERT INTO uploads (bucket_id, key, upload_id, initiated_at, initial_head, owner_id, content_type,
       system_metadata, user_metadata, tags, storage_class, checksum_algorithm, checksum_type, acl, encryption)
     SELECT id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16 FROM buckets WHERE name = ?1 AND id = ?2`,
    bucket.name,
    bucket.id,
    upload.key,
    upload.uploadId,
    upload.initiatedAt,
    upload.initialHead,
    upload.ownerId,
    upload.contentType ?? null,
    metadataJson(upload.systemMetadata),
    metadataJson(upload.userMetadata),
    tagsJson(upload.tags),
    upload.storageClass,
    upload.checksumAlgorithm ?? null,
    upload.checksumType ?? null,
    upload.acl ?? null,
    upload.encryption ?? null,
  );
  const [result] = await database.batch([insert]);
  return result?.changes === 1;
}

/**
 * The statement that aborts its batch unless an upload is open and the parts that were chosen are there as they were.
 * @param chosen part number, holding and ETag of each
 */
export function guardUpload(
  bucketId: string,
  { key, uploadId }: Pick<Upload, "key" | "uploadId">,
  chosen: readonly (readonly [partNumber: number, holdingId: string, etag: string])[] | undefined,
): Statement {
  return statement(
    `INSERT INTO upload_guard (bucket_id, key, upload_id, chosen_parts) VALUES (?, ?, ?, ?)`,
    bucketId,
    key,
    uploadId,
    chosen === undefined ? null : JSON.stringify(chosen),
  );
}

/**
 * Ends an upload: it and its parts go, and so does what the parts hold, but for those that a completion has chosen.
 * @param chosen part numbers whose holdings the completed object takes over
 */
export function endUpload(
  bucketId: string,
  { key, uploadId }: Pick<Upload, "key" | "uploadId">,
  chosen: readonly number[],
  now: number,
): Statement[] {
  return [
    ...dropHoldings(
      now,
      `SELECT holding_id AS id FROM parts
       WHERE upload_id = ?1 AND part_number NOT IN (SELECT value FROM json_each(?2))`,
      uploadId,
      JSON.stringify(chosen),
    ),
    statement(`DELETE FROM parts WHERE upload_id = ?`, uploadId),
    statement(`DELETE FROM uploads WHERE bucket_id = ? AND key = ? AND upload_id = ?`, bucketId, key, uploadId),
  ];
}

/** A completed upload as it is remembered for repeated completions. */
export interface CompletedUpload {
  readonly fingerprint: string;
  readonly versionId: string;
  readonly etag: string;
  readonly checksum: ObjectChecksum | undefined;
}

/** Remembers a completion; the version is the one that is current in the same batch. */
export function rememberCompletion(
  bucketId: string,
  { key, uploadId }: Pick<Upload, "key" | "uploadId">,
  completed: Omit<CompletedUpload, "versionId">,
  now: number,
): Statement {
  return statement(
    `INSERT INTO completed_uploads (bucket_id, key, upload_id, fingerprint, version_id, etag, checksum, completed_at)
     SELECT ?1, ?2, ?3, ?4, CASE WHEN is_null_version = 1 THEN 'null' ELSE version_id END, ?5, ?6, ?7
     FROM objects WHERE bucket_id = ?1 AND key = ?2`,
    bucketId,
    key,
    uploadId,
    completed.fingerprint,
    completed.etag,
    completed.checksum === undefined ? null : JSON.stringify(completed.checksum),
    now,
  );
}

/** A completion that was remembered. */
export function lookUpCompletion(
  bucketName: string,
  key: string,
  uploadId: string,
): Lookup<{ readonly completed: CompletedUpload | undefined }> {
  interface CompletedRow {
    readonly fingerprint: string;
    readonly version_id: string;
    readonly etag: string;
    readonly checksum: string | null;
  }
  return {
    statements: [
      statement(
        `SELECT fingerprint, version_id, etag, checksum FROM completed_uploads
         WHERE bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND key = ?2 AND upload_id = ?3`,
        bucketName,
        key,
        uploadId,
      ),
    ],
    read: (results) => {
      const row = rowsOf<CompletedRow>(results)[0];
      if (row === undefined) return { completed: undefined };
      const { fingerprint, version_id: versionId, etag } = row;
      // What rememberCompletion wrote.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const checksum = row.checksum === null ? undefined : (JSON.parse(row.checksum) as ObjectChecksum);
      return { completed: { fingerprint, versionId, etag, checksum } };
    },
  };
}

/** Forgets completions from before a time (milliseconds since the epoch), at most so many. */
export function forgetCompletions(before: number, limit: number): Statement {
  return statement(
    `DELETE FROM completed_uploads WHERE (bucket_id, key, upload_id) IN (
       SELECT bucket_id, key, upload_id FROM completed_uploads WHERE completed_at < ? LIMIT ?)`,
    before,
    limit,
  );
}

/** Where an open upload is among all of them. */
export type UploadAddress = readonly [bucketId: string, key: string, uploadId: string];

/** Open uploads of all buckets after one, in the order of their addresses. */
export function lookUpUploadsAfter(
  after: UploadAddress,
  limit: number,
): Lookup<{ readonly bucketId: string; readonly upload: Upload }[]> {
  return {
    statements: [
      statement(
        `SELECT ${UPLOAD_COLUMNS}, u.bucket_id FROM uploads u
         WHERE (u.bucket_id, u.key, u.upload_id) > (?, ?, ?) ORDER BY u.bucket_id, u.key, u.upload_id LIMIT ?`,
        ...after,
        limit,
      ),
    ],
    read: (results) =>
      rowsOf<UploadRow & { readonly bucket_id: string }>(results).map((row) => ({
        bucketId: row.bucket_id,
        upload: uploadFromRow(row),
      })),
  };
}

/** Open uploads whose bucket is not there, at most so many. No deletion of a bucket leaves one behind. */
export function lookUpStrayUploads(limit: number): Lookup<(Pick<Upload, "key" | "uploadId"> & { bucketId: string })[]> {
  return {
    statements: [
      statement(
        `SELECT bucket_id, key, upload_id FROM uploads WHERE bucket_id NOT IN (SELECT id FROM buckets) LIMIT ?`,
        limit,
      ),
    ],
    read: (results) =>
      rowsOf<{ readonly bucket_id: string; readonly key: string; readonly upload_id: string }>(results).map((row) => ({
        bucketId: row.bucket_id,
        key: row.key,
        uploadId: row.upload_id,
      })),
  };
}
