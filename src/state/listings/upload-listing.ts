// Lists a bucket's open uploads.
import type { ChecksumAlgorithm, ChecksumType } from "../../protocol/core/checksums.ts";
import type { Lookup } from "../d1/database.ts";
import { optionalText } from "./page-text.ts";
import { lookUpEntryPage, type EntryKind, type EntryPage, type EntryPageFacts } from "./entry-listing.ts";

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

interface UploadEntry {
  readonly upload: ListedUpload;
}

const UPLOADS: EntryKind = {
  seeks: [{ table: "uploads", id: "upload_id", own: {} }],
  columns: {
    initiated_at: "u.initiated_at",
    owner_id: "u.owner_id",
    storage_class: "u.storage_class",
    checksum_algorithm: "u.checksum_algorithm",
    checksum_type: "u.checksum_type",
  },
  joins: `LEFT JOIN uploads u ON u.bucket_id = (SELECT id FROM buckets WHERE name = ?1)
    AND u.key = page.key AND u.upload_id = page.id`,
};

/** Looks up a bucket and a page of its open uploads, by key and time of initiation. */
export function lookUpUploadPage(page: EntryPage): Lookup<EntryPageFacts<UploadEntry>> {
  return lookUpEntryPage(UPLOADS, page, entryFromFields);
}

function entryFromFields(fields: readonly string[]): UploadEntry | { readonly commonPrefix: string } {
  const [initiatedAt, ownerId = "", storageClass = "", algorithm = "", type = "", uploadId = ""] = fields;
  const text = fields.at(-1) ?? "";
  if (fields.at(-2) === "1") return { commonPrefix: text };
  const checksumAlgorithm = optionalText<ChecksumAlgorithm>(algorithm);
  const checksumType = optionalText<ChecksumType>(type);
  return {
    upload: {
      key: text,
      uploadId,
      initiatedAt: Number(initiatedAt),
      ownerId,
      storageClass,
      checksumAlgorithm,
      checksumType,
    },
  };
}
