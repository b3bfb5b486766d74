// The columns of a version in the tables objects and versions. Every statement on versions derives its columns from
// this list, so a new column needs one entry here and a migration.
import type { Retention, RetentionMode } from "../../protocol/objects/object-lock.ts";
import type { ObjectChecksum } from "../../protocol/core/checksums.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import {
  columnsOf,
  flag,
  optional,
  required,
  selectList,
  text,
  valueFromRow,
  type Field,
  type Row,
  type RowMapping,
} from "../d1/row-mapping.ts";
import { metadataJson, parseMetadata, parseTags, tagsJson } from "../../protocol/core/stored-metadata.ts";

/** A checksum takes three columns: all null or all set. */
const CHECKSUM: Field<ObjectChecksum | undefined> = {
  columns: ["checksum_algorithm", "checksum_type", "checksum"],
  write: (checksum) => [checksum?.algorithm ?? null, checksum?.type ?? null, checksum?.value ?? null],
  read: ([algorithm, type, value]) =>
    algorithm === null || type === null || value === null
      ? undefined
      : // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        ({ algorithm, type, value } as ObjectChecksum),
};

/** A retention takes two columns: both null or both set. Uploads have the same columns. */
export const RETENTION: Field<Retention | undefined> = {
  columns: ["retention_mode", "retain_until"],
  write: (retention) => [retention?.mode ?? null, retention?.retainUntil ?? null],
  read: ([mode, retainUntil]) =>
    typeof mode === "string" && typeof retainUntil === "number"
      ? // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        { mode: mode as RetentionMode, retainUntil }
      : undefined,
};

/** The mapping of a version to its columns. */
export const OBJECT_FIELDS: RowMapping<StoredObject> = {
  key: required("key"),
  versionId: required("version_id"),
  isNullVersion: flag("is_null_version"),
  size: required("size"),
  etag: required("etag"),
  modifiedAt: required("modified_at"),
  ownerId: required("owner_id"),
  blobId: optional("blob_id"),
  manifestId: optional("manifest_id"),
  contentType: optional("content_type"),
  systemMetadata: text("system_metadata", metadataJson, parseMetadata),
  userMetadata: text("user_metadata", metadataJson, parseMetadata),
  tags: text("tags", tagsJson, parseTags),
  storageClass: required("storage_class"),
  checksum: CHECKSUM,
  acl: optional("acl"),
  encryption: optional("encryption"),
  retention: RETENTION,
  legalHold: optional("legal_hold"),
};

/** All columns of a version, `bucket_id` first. */
export const VERSION_COLUMNS: readonly string[] = ["bucket_id", ...columnsOf(OBJECT_FIELDS)];

/** The columns that {@link objectFromRow} reads, for the table alias `o`. */
export const OBJECT_COLUMNS = selectList(OBJECT_FIELDS, "o");

/** A row with {@link OBJECT_COLUMNS}. */
export type ObjectRow = Row & { readonly key: string };

/** Reads the version of a row. */
export function objectFromRow(row: ObjectRow): StoredObject {
  return valueFromRow(OBJECT_FIELDS, row);
}
