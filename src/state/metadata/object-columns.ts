// The columns of a version, in the tables objects and versions. Every statement that reads, writes or moves versions takes
// its columns from here, so a new column is one entry beside its migration.
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

/** A checksum takes three columns, which are all null or all set. */
const CHECKSUM: Field<ObjectChecksum | undefined> = {
  columns: ["checksum_algorithm", "checksum_type", "checksum"],
  write: (checksum) => [checksum?.algorithm ?? null, checksum?.type ?? null, checksum?.value ?? null],
  read: ([algorithm, type, value]) =>
    algorithm === null || type === null || value === null
      ? undefined
      : // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        ({ algorithm, type, value } as ObjectChecksum),
};

/** How a version is stored. */
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
};

/** All columns of a version, the bucket's id first, as a list for INSERT or SELECT. */
export const VERSION_COLUMNS: readonly string[] = ["bucket_id", ...columnsOf(OBJECT_FIELDS)];

/** What to select for {@link objectFromRow}, with the table under the name `o`. */
export const OBJECT_COLUMNS = selectList(OBJECT_FIELDS, "o");

/** A row that has {@link OBJECT_COLUMNS}. */
export type ObjectRow = Row & { readonly key: string };

/** The version that a row stores. */
export function objectFromRow(row: ObjectRow): StoredObject {
  return valueFromRow(OBJECT_FIELDS, row);
}
