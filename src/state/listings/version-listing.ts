// Lists all versions and delete markers of a bucket: by key, and newest first within a key.
import type { ChecksumAlgorithm, ChecksumType } from "../../protocol/core/checksums.ts";
import type { ListedObject } from "../../protocol/objects/stored-object.ts";
import { bucketFromRow, selectBucket, type BucketFacts, type BucketRow } from "../metadata/buckets.ts";
import { rowsOf, statement, type Lookup } from "../d1/database.ts";
import { selectEntries, type EntryKind, type EntryPage } from "./entry-listing.ts";

/** A version or delete marker as ListObjectVersions returns it. */
export interface ListedVersion extends ListedObject {
  readonly versionId: string;
  readonly isNullVersion: boolean;
  readonly isLatest: boolean;
  readonly isDeleteMarker: boolean;
}

export interface VersionPageFacts extends BucketFacts {
  readonly entries: readonly ({ readonly commonPrefix: string } | { readonly version: ListedVersion })[];
  readonly isTruncated: boolean;
}

interface ListedVersionRow {
  readonly key: string;
  readonly id: string;
  readonly common_prefix: string | null;
  readonly is_current: number;
  readonly is_newest: number;
  readonly is_null_version: number;
  readonly is_delete_marker: number;
  readonly size: number;
  readonly etag: string;
  readonly modified_at: number;
  readonly owner_id: string;
  readonly storage_class: string;
  readonly checksum_algorithm: ChecksumAlgorithm | null;
  readonly checksum_type: ChecksumType | null;
}

const BUCKET_ID = "(SELECT id FROM buckets WHERE name = ?1)";
const either = (column: string): string => `coalesce(o.${column}, v.${column}) AS ${column}`;

const VERSIONS: EntryKind = {
  seeks: [
    { table: "objects", id: "version_id" },
    { table: "versions", id: "version_id" },
  ],
  columns: `o.key IS NOT NULL AS is_current,

    coalesce(v.is_delete_marker = 1 AND NOT EXISTS (
      SELECT 1 FROM objects c WHERE c.bucket_id = ${BUCKET_ID} AND c.key = page.key)
    AND NOT EXISTS (SELECT 1 FROM versions n WHERE n.bucket_id = ${BUCKET_ID} AND n.key = page.key
      AND n.version_id < page.id), 0) AS is_newest,
    coalesce(v.is_delete_marker, 0) AS is_delete_marker,
    ${["is_null_version", "size", "etag", "modified_at", "owner_id", "storage_class"].map(either).join(", ")},
    ${["checksum_algorithm", "checksum_type"].map(either).join(", ")}`,
  joins: `LEFT JOIN objects o ON o.bucket_id = ${BUCKET_ID} AND o.key = page.key AND o.version_id = page.id
    LEFT JOIN versions v ON o.key IS NULL AND v.bucket_id = ${BUCKET_ID} AND v.key = page.key AND v.version_id = page.id`,
};

/** Looks up a bucket and a page of its versions. */
export function lookUpVersionPage(page: EntryPage): Lookup<VersionPageFacts> {
  return {
    statements: [selectBucket(page.bucketName), ...(page.limit > 0 ? [selectEntries(VERSIONS, page)] : [])],
    read: (results) => {
      const rows = rowsOf<ListedVersionRow>(results, 1);
      return {
        bucket: rowsOf<BucketRow>(results).map(bucketFromRow)[0],
        isTruncated: rows.length > page.limit,
        entries: rows
          .slice(0, page.limit)
          .map((row) =>
            row.common_prefix === null ? { version: versionFromRow(row) } : { commonPrefix: row.common_prefix },
          ),
      };
    },
  };
}

function versionFromRow(row: ListedVersionRow): ListedVersion {
  return {
    key: row.key,
    versionId: row.id,
    isNullVersion: row.is_null_version === 1,
    isLatest: row.is_current === 1 || row.is_newest === 1,
    isDeleteMarker: row.is_delete_marker === 1,
    size: row.size,
    etag: row.etag,
    modifiedAt: row.modified_at,
    ownerId: row.owner_id,
    storageClass: row.storage_class,
    checksumAlgorithm: row.checksum_algorithm ?? undefined,
    checksumType: row.checksum_type ?? undefined,
  };
}

/** Looks up the stored id of a key's null version, for the version id marker `null`. */
export function lookUpNullVersion(bucketName: string, key: string): Lookup<string | undefined> {
  return {
    statements: [
      statement(
        `SELECT version_id FROM objects WHERE bucket_id = ${BUCKET_ID} AND key = ?2 AND is_null_version = 1
         UNION ALL SELECT version_id FROM versions INDEXED BY null_versions WHERE bucket_id = ${BUCKET_ID} AND key = ?2 AND is_null_version = 1`,
        bucketName,
        key,
      ),
    ],
    read: (results) => rowsOf<{ readonly version_id: string }>(results)[0]?.version_id,
  };
}
