// Lists all versions and delete markers of a bucket: by key, and newest first within a key.
import type { ListedObject } from "../../protocol/objects/stored-object.ts";
import { rowsOf, statement, type Lookup } from "../d1/database.ts";
import { entryFromFields, LISTED_COLUMNS } from "./object-listing.ts";
import { lookUpEntryPage, type EntryKind, type EntryPage, type EntryPageFacts } from "./entry-listing.ts";

/** A version or delete marker as ListObjectVersions returns it. */
export interface ListedVersion extends ListedObject {
  readonly versionId: string;
  readonly isNullVersion: boolean;
  readonly isLatest: boolean;
  readonly isDeleteMarker: boolean;
}

interface VersionEntry {
  readonly version: ListedVersion;
}

const BUCKET_ID = "(SELECT id FROM buckets WHERE name = ?1)";
const either = (column: string): string => `coalesce(o.${column}, v.${column})`;

/** A delete marker of `table` is the latest version if no object and no newer marker of its key exists. */
const isLatestMarker = (table: string, key: string, id: string): string => `coalesce(${table}.is_delete_marker = 1
    AND NOT EXISTS (SELECT 1 FROM objects c WHERE c.bucket_id = ${BUCKET_ID} AND c.key = ${key})
    AND NOT EXISTS (SELECT 1 FROM versions n WHERE n.bucket_id = ${BUCKET_ID} AND n.key = ${key}
      AND n.version_id < ${id}), 0)`;

const VERSIONS: EntryKind = {
  seeks: [
    { table: "objects", id: "version_id", own: { is_delete_marker: "0", is_latest: "1" } },
    { table: "versions", id: "version_id", own: { is_latest: isLatestMarker("t", "t.key", "t.version_id") } },
  ],
  columns: {
    ...Object.fromEntries(LISTED_COLUMNS.map((column) => [column, either(column)])),
    is_null_version: either("is_null_version"),
    is_delete_marker: "coalesce(v.is_delete_marker, 0)",
    is_latest: `o.key IS NOT NULL OR ${isLatestMarker("v", "page.key", "page.id")}`,
  },
  joins: `LEFT JOIN objects o ON o.bucket_id = ${BUCKET_ID} AND o.key = page.key AND o.version_id = page.id
    LEFT JOIN versions v ON o.key IS NULL AND v.bucket_id = ${BUCKET_ID} AND v.key = page.key AND v.version_id = page.id`,
};

/** Looks up a bucket and a page of its versions. */
export function lookUpVersionPage(page: EntryPage): Lookup<EntryPageFacts<VersionEntry>> {
  return lookUpEntryPage(VERSIONS, page, versionFromFields);
}

/** The first columns of a version are those of a listed object. */
function versionFromFields(fields: readonly string[]): VersionEntry | { readonly commonPrefix: string } {
  const entry = entryFromFields(fields);
  if ("commonPrefix" in entry) return entry;
  const [isNullVersion, isDeleteMarker, isLatest, versionId = ""] = fields.slice(LISTED_COLUMNS.length);
  return {
    version: {
      ...entry.object,
      versionId,
      isNullVersion: isNullVersion === "1",
      isLatest: isLatest === "1",
      isDeleteMarker: isDeleteMarker === "1",
    },
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
