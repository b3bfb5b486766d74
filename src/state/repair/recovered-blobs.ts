// The tables recovered_blobs (blobs that a rebuild found in the blob store, by key) and rebuild_findings.
import { toHex } from "../../bytes/hex-base64.ts";
import type { RecoveryRecord, BlobRole } from "../../protocol/objects/recovery-metadata.ts";
import type { Candidate } from "../../protocol/objects/recovery-order.ts";
import type { BlobEntry } from "../blobs/blob-store.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import { plainLength } from "./rebuilding.ts";

/** A key of a bucket. */
export type KeyAddress = readonly [bucketId: string, key: string];

/** The fields of recovery metadata that are stored as JSON instead of columns. */
type RecoveredFacts = Pick<RecoveryRecord, "bucketName" | "metadata" | "tags" | "encryption" | "modifiedAt"> &
  Pick<RecoveryRecord, "versionId" | "seen" | "lock"> & {
    /** Where a small blob is; undefined for a blob of its own. */
    readonly packed?: PackPlace | undefined;
  };

/** The place of a small blob in a pack. */
export interface PackPlace {
  readonly packId: string;
  /** Bytes of all small blobs in the pack. */
  readonly packSize: number;
  readonly offset: number;
}

/** A blob that a rebuild found. */
export interface FoundBlob {
  readonly blob: BlobEntry;
  readonly record: RecoveryRecord;
  readonly packed?: PackPlace;
}

/** A blob that was stored as an object or as a completion proof. */
export interface RecoveredObject extends Candidate, RecoveredFacts {
  readonly bucketId: string;
  readonly key: string;
  readonly blobId: string;
  readonly role: BlobRole;
  readonly size: number;
  readonly etag: string;
}

/** An upload with recovered parts and without a completion proof. */
export interface RecoveredUpload extends RecoveredFacts {
  readonly bucketId: string;
  readonly key: string;
  readonly uploadId: string;
  /** When its first part was stored, in milliseconds since the epoch. */
  readonly initiatedAt: number;
  readonly parts: number;
  readonly maxPartNumber: number;
}

/** The recovered blobs of some keys. */
export interface RecoveredKeys {
  readonly objects: readonly RecoveredObject[];
  readonly uploads: readonly RecoveredUpload[];
  /** Keys that have an object already, each as JSON, and ids of uploads that are open already. */
  readonly existing: ReadonlySet<string>;
  readonly open: ReadonlySet<string>;
}

/** Records recovered blobs; known ones stay unchanged. */
export function recordRecovered(found: readonly FoundBlob[]): Statement {
  const rows = found.map(({ blob, record, packed }) => {
    const { bucketName, metadata, tags, encryption, modifiedAt, versionId, seen, lock } = record;
    const facts: RecoveredFacts = { bucketName, metadata, tags, encryption, modifiedAt, versionId, seen, lock, packed };
    return [
      record.bucketId,
      record.key,
      blob.blobId,
      record.role,
      record.uploadId ?? null,
      record.partNumber ?? null,
      record.role === "proof" ? blob.size : plainLength(blob.size, encryption !== undefined),
      // For encrypted bytes this is an MD5 of the ciphertext, and serves as an opaque ETag.
      toHex(blob.md5 ?? new Uint8Array(16)),
      blob.uploadedAt,
      JSON.stringify(facts),
    ];
  });
  const columns = Array.from({ length: 10 }, (_, index) => `value ->> ${index}`).join(", ");
  return statement(
    `INSERT INTO recovered_blobs
       (bucket_id, key, blob_id, role, upload_id, part_number, size, etag, stored_at, facts)
     SELECT ${columns} FROM json_each(?) WHERE true ON CONFLICT DO NOTHING`,
    JSON.stringify(rows),
  );
}

/** Lists the keys of recovered blobs after a key. */
export function lookUpRecoveredKeys(after: KeyAddress, limit: number): Lookup<KeyAddress[]> {
  return {
    statements: [
      statement(
        `SELECT DISTINCT bucket_id, key FROM recovered_blobs WHERE (bucket_id, key) > (?, ?)
         ORDER BY bucket_id, key LIMIT ?`,
        ...after,
        limit,
      ),
    ],
    read: (results) =>
      rowsOf<{ readonly bucket_id: string; readonly key: string }>(results).map((row) => [row.bucket_id, row.key]),
  };
}

interface BlobRow {
  readonly bucket_id: string;
  readonly key: string;
  readonly blob_id: string;
  readonly role: BlobRole;
  readonly upload_id: string | null;
  readonly size: number;
  readonly etag: string;
  readonly stored_at: number;
  readonly facts: string;
}
interface UploadRow {
  readonly bucket_id: string;
  readonly key: string;
  readonly upload_id: string;
  readonly initiated_at: number;
  readonly parts: number;
  readonly last: number;
  readonly facts: string;
}

const OF_KEYS = "FROM json_each(?1) k CROSS JOIN";
const AT_KEY = (table: string): string => `${table}.bucket_id = k.value ->> 0 AND ${table}.key = k.value ->> 1`;

/** Looks up the recovered blobs of keys. */
export function lookUpRecovered(keys: readonly KeyAddress[]): Lookup<RecoveredKeys> {
  const json = JSON.stringify(keys);
  return {
    statements: [
      statement(
        `SELECT r.bucket_id, r.key, r.blob_id, r.role, r.upload_id, r.size, r.etag, r.stored_at, r.facts
         ${OF_KEYS} recovered_blobs r ON ${AT_KEY("r")} WHERE r.role IN ('object', 'proof')`,
        json,
      ),
      // SQLite takes `facts` from the row of min(stored_at), the first stored part.
      statement(
        `SELECT r.bucket_id, r.key, r.upload_id, min(r.stored_at) AS initiated_at, r.facts,
           count(DISTINCT r.part_number) AS parts,
           (SELECT max(p.part_number) FROM recovered_blobs p
            WHERE p.bucket_id = r.bucket_id AND p.key = r.key AND p.upload_id = r.upload_id) AS last
         ${OF_KEYS} recovered_blobs r ON ${AT_KEY("r")}
         WHERE r.role = 'part' AND NOT EXISTS (
           SELECT 1 FROM recovered_blobs p
           WHERE p.bucket_id = r.bucket_id AND p.key = r.key AND p.upload_id = r.upload_id AND p.role = 'proof')
         GROUP BY r.bucket_id, r.key, r.upload_id`,
        json,
      ),
      statement(`SELECT json_array(o.bucket_id, o.key) AS name ${OF_KEYS} objects o ON ${AT_KEY("o")}`, json),
      statement(`SELECT u.upload_id AS name ${OF_KEYS} uploads u ON ${AT_KEY("u")}`, json),
    ],
    read: (results) => ({
      objects: rowsOf<BlobRow>(results).map(objectFromRow),
      uploads: rowsOf<UploadRow>(results, 1).map(uploadFromRow),
      existing: new Set(rowsOf<{ readonly name: string }>(results, 2).map(({ name }) => name)),
      open: new Set(rowsOf<{ readonly name: string }>(results, 3).map(({ name }) => name)),
    }),
  };
}

function objectFromRow(row: BlobRow): RecoveredObject {
  return {
    ...parseFacts(row.facts),
    bucketId: row.bucket_id,
    key: row.key,
    blobId: row.blob_id,
    role: row.role,
    referenceId: row.role === "proof" ? `${row.bucket_id}/${row.upload_id}` : row.blob_id,
    size: row.size,
    etag: row.etag,
    storedAt: row.stored_at,
  };
}

function uploadFromRow(row: UploadRow): RecoveredUpload {
  return {
    ...parseFacts(row.facts),
    bucketId: row.bucket_id,
    key: row.key,
    uploadId: row.upload_id,
    initiatedAt: row.initiated_at,
    parts: row.parts,
    maxPartNumber: row.last,
  };
}

function parseFacts(json: string): RecoveredFacts {
  // recordRecovered writes this form.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(json) as RecoveredFacts;
}

/** A recovered blob. */
export interface RecoveredBlob {
  readonly size: number;
  /** The upload or copy that it is a part of; undefined: a whole object. */
  readonly uploadId: string | undefined;
}

/** Looks up recovered blobs by their ids. */
export function lookUpRecoveredBlobs(blobIds: readonly string[]): Lookup<ReadonlyMap<string, RecoveredBlob>> {
  interface FoundRow {
    readonly blob_id: string;
    readonly size: number;
    readonly upload_id: string | null;
  }
  return {
    statements: [
      statement(
        `SELECT r.blob_id, r.size, r.upload_id FROM json_each(?) b CROSS JOIN recovered_blobs r ON r.blob_id = b.value`,
        JSON.stringify(blobIds),
      ),
    ],
    read: (results) =>
      new Map(
        rowsOf<FoundRow>(results).map((row) => [row.blob_id, { size: row.size, uploadId: row.upload_id ?? undefined }]),
      ),
  };
}

/** Purges at most `limit` recovered blobs. */
export function purgeRecovered(limit: number): Statement {
  return statement(`DELETE FROM recovered_blobs WHERE blob_id IN (SELECT blob_id FROM recovered_blobs LIMIT ?)`, limit);
}

/** Something that a rebuild could not determine or restore. */
export interface RebuildFinding {
  readonly bucketId: string;
  readonly key: string;
  /** The blob or upload that it is about. */
  readonly subject: string;
  readonly finding: string;
}

/** Records findings. */
export function recordRebuildFindings(findings: readonly RebuildFinding[]): Statement {
  return statement(
    `INSERT INTO rebuild_findings (bucket_id, key, subject, finding)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true
     ON CONFLICT DO UPDATE SET finding = excluded.finding`,
    JSON.stringify(findings.map(({ bucketId, key, subject, finding }) => [bucketId, key, subject, finding])),
  );
}

/** Purges the findings of an earlier rebuild. */
export function purgeRebuildFindings(): Statement {
  return statement(`DELETE FROM rebuild_findings`);
}
