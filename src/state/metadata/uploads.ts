// The uploads table: open multipart uploads. Completing or aborting an upload deletes its row and its parts.
import type { ChecksumAlgorithm, ChecksumType } from "../../protocol/core/checksums.ts";
import type { ObjectLock } from "../../protocol/objects/object-lock.ts";
import type { ObjectMetadata } from "../../protocol/objects/object-metadata.ts";
import type { Tag } from "../../protocol/core/tagging.ts";
import { BUCKET_COLUMNS, bucketFromRow, type Bucket, type BucketFacts, type BucketRow } from "./buckets.ts";
import { rowsOf, statement, type Database, type Lookup, type Statement } from "../d1/database.ts";
import { releaseReferences } from "./blob-references.ts";
import { RETENTION } from "./object-columns.ts";
import {
  columnsOf,
  nullable,
  optional,
  parametersOf,
  required,
  selectList,
  text,
  valueFromRow,
  type Row,
  type RowMapping,
} from "../d1/row-mapping.ts";
import { metadataJson, parseMetadata, parseTags, tagsJson } from "../../protocol/core/stored-metadata.ts";

/** An open upload. */
export interface Upload extends ObjectMetadata, ObjectLock {
  readonly key: string;
  readonly uploadId: string;
  /** Milliseconds since the epoch. */
  readonly initiatedAt: number;
  /** The head of the key when the upload began. */
  readonly initialHead: string | null;
  readonly ownerId: string;
  readonly tags: readonly Tag[];
  readonly storageClass: string;
  /** As the client announced; undefined: not announced. */
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
  /** In the stored form of the completed object. */
  readonly acl: string | undefined;
  readonly encryption: string | undefined;
}

const UPLOAD_FIELDS: RowMapping<Upload> = {
  key: required("key"),
  uploadId: required("upload_id"),
  initiatedAt: required("initiated_at"),
  initialHead: nullable("initial_head"),
  ownerId: required("owner_id"),
  contentType: optional("content_type"),
  systemMetadata: text("system_metadata", metadataJson, parseMetadata),
  userMetadata: text("user_metadata", metadataJson, parseMetadata),
  tags: text("tags", tagsJson, parseTags),
  storageClass: required("storage_class"),
  checksumAlgorithm: optional("checksum_algorithm"),
  checksumType: optional("checksum_type"),
  acl: optional("acl"),
  encryption: optional("encryption"),
  retention: RETENTION,
  legalHold: optional("legal_hold"),
};

const UPLOAD_COLUMNS = columnsOf(UPLOAD_FIELDS);

export interface UploadFacts extends BucketFacts {
  /** Undefined if the upload never existed, was aborted or is completed. */
  readonly upload: Upload | undefined;
}

/** Looks up a bucket and an open upload, in one statement: the database takes time for each. */
export function lookUpUpload(bucketName: string, key: string, uploadId: string): Lookup<UploadFacts> {
  return {
    statements: [
      statement(
        `SELECT ${BUCKET_COLUMNS}, ${selectList(UPLOAD_FIELDS, "u")} FROM buckets b
         LEFT JOIN uploads u ON u.bucket_id = b.id AND u.key = ?2 AND u.upload_id = ?3 WHERE b.name = ?1`,
        bucketName,
        key,
        uploadId,
      ),
    ],
    read(results) {
      const row = rowsOf<BucketRow & Row>(results)[0];
      if (row === undefined) return { bucket: undefined, upload: undefined };
      const upload = row["upload_id"] === null ? undefined : valueFromRow(UPLOAD_FIELDS, row);
      return { bucket: bucketFromRow(row), upload };
    },
  };
}

/**
 * Creates an upload if its bucket still exists.
 * @returns whether the bucket exists
 */
export async function beginUpload(database: Database, bucket: Bucket, upload: Upload): Promise<boolean> {
  const insert = statement(
    `INSERT INTO uploads (bucket_id, ${UPLOAD_COLUMNS.join(", ")})
     SELECT id, ${UPLOAD_COLUMNS.map((_column, index) => `?${index + 3}`).join(", ")} FROM buckets WHERE name = ?1 AND id = ?2`,
    bucket.name,
    bucket.id,
    ...parametersOf(UPLOAD_FIELDS, upload),
  );
  const [result] = await database.batch([insert]);
  return result?.changes === 1;
}

/**
 * Aborts the batch unless the upload is open and the chosen parts are unchanged.
 * @param chosen part number, blob or manifest id, and ETag of each part
 */
export function guardUpload(
  bucketId: string,
  { key, uploadId }: Pick<Upload, "key" | "uploadId">,
  chosen: readonly (readonly [partNumber: number, referenceId: string, etag: string])[] | undefined,
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
 * Closes an upload: purges it with its parts and releases the references of all parts that are not chosen.
 * @param chosen part numbers whose references the completed object takes over
 */
export function closeUpload(
  bucketId: string,
  { key, uploadId }: Pick<Upload, "key" | "uploadId">,
  chosen: readonly number[],
  now: number,
): Statement[] {
  return [
    releaseReferences(
      now,
      `SELECT holding_id AS id FROM parts
       WHERE upload_id = ?2 AND part_number NOT IN (SELECT value FROM json_each(?1))`,
      chosen,
      uploadId,
    ),
    statement(`DELETE FROM parts WHERE upload_id = ?`, uploadId),
    statement(`DELETE FROM uploads WHERE bucket_id = ? AND key = ? AND upload_id = ?`, bucketId, key, uploadId),
  ];
}
