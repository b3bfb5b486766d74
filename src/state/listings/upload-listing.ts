// Lists a bucket's open uploads.
import type { ChecksumAlgorithm, ChecksumType } from "../../protocol/core/checksums.ts";
import { bucketFromRow, selectBucket, type BucketFacts, type BucketRow } from "../metadata/buckets.ts";
import { rowsOf, type Lookup } from "../d1/database.ts";
import { selectEntries, type EntryKind, type EntryPage } from "./entry-listing.ts";

/** An upload as ListMultipartUploads returns it. */
export interface ListedUpload {
  readonly key: string;
  readonly uploadId: string;
  /** Milliseconds since the epoch. */
  readonly initiatedAt: number;
  readonly ownerId: string;
  readonly storageClass: string;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
}

export interface UploadPageFacts extends BucketFacts {
  readonly entries: readonly ({ readonly commonPrefix: string } | { readonly upload: ListedUpload })[];
  readonly isTruncated: boolean;
}

interface ListedUploadRow {
  readonly key: string;
  readonly id: string;
  readonly common_prefix: string | null;
  readonly initiated_at: number;
  readonly owner_id: string;
  readonly storage_class: string;
  readonly checksum_algorithm: ChecksumAlgorithm | null;
  readonly checksum_type: ChecksumType | null;
}

const UPLOADS: EntryKind = {
  seeks: [{ table: "uploads", id: "upload_id" }],
  columns: "u.initiated_at, u.owner_id, u.storage_class, u.checksum_algorithm, u.checksum_type",
  joins: `CROSS JOIN uploads u ON u.bucket_id = (SELECT id FROM buckets WHERE name = ?1)
    AND u.key = page.key AND u.upload_id = page.id`,
};

/** Looks up a bucket and a page of its open uploads, by key and time of initiation. */
export function lookUpUploadPage(page: EntryPage): Lookup<UploadPageFacts> {
  return {
    statements: [selectBucket(page.bucketName), ...(page.limit > 0 ? [selectEntries(UPLOADS, page)] : [])],
    read: (results) => {
      const rows = rowsOf<ListedUploadRow>(results, 1);
      return {
        bucket: rowsOf<BucketRow>(results).map(bucketFromRow)[0],
        isTruncated: rows.length > page.limit,
        entries: rows.slice(0, page.limit).map((row) =>
          row.common_prefix === null
            ? {
                upload: {
                  key: row.key,
                  uploadId: row.id,
                  initiatedAt: row.initiated_at,
                  ownerId: row.owner_id,
                  storageClass: row.storage_class,
                  checksumAlgorithm: row.checksum_algorithm ?? undefined,
                  checksumType: row.checksum_type ?? undefined,
                },
              }
            : { commonPrefix: row.common_prefix },
        ),
      };
    },
  };
}
