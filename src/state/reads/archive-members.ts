// Looks up the versions that an archive contains: the current versions of keys with a prefix, or a list of versions. Each
// lookup is one transaction, so the versions of an archive are those of one moment.
import { successorOfPrefix } from "../../bytes/text.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import { rowsOf, statement, type Database, type Lookup, type SqlValue } from "../d1/database.ts";
import { jsonPages } from "../d1/json-pages.ts";
import { columnsOf, flag, valueFromRow, type Row, type RowMapping } from "../d1/row-mapping.ts";
import type { Slice } from "../metadata/manifests.ts";
import { slicesFromRows } from "../metadata/manifest-reads.ts";
import { OBJECT_FIELDS } from "../metadata/object-columns.ts";

/** The properties of a version that an archive needs. */
export type ArchivedVersion = Pick<
  StoredObject,
  | "key"
  | "versionId"
  | "size"
  | "etag"
  | "modifiedAt"
  | "blobId"
  | "manifestId"
  | "checksum"
  | "encryption"
  | "tags"
  | "acl"
> & {
  /** Whether the tags and the list are too long to be read with those of many versions. */
  readonly lacksAttributes: boolean;
};

const FIELDS: RowMapping<ArchivedVersion> = {
  key: OBJECT_FIELDS.key,
  versionId: OBJECT_FIELDS.versionId,
  size: OBJECT_FIELDS.size,
  etag: OBJECT_FIELDS.etag,
  modifiedAt: OBJECT_FIELDS.modifiedAt,
  blobId: OBJECT_FIELDS.blobId,
  manifestId: OBJECT_FIELDS.manifestId,
  checksum: OBJECT_FIELDS.checksum,
  encryption: OBJECT_FIELDS.encryption,
  tags: OBJECT_FIELDS.tags,
  acl: OBJECT_FIELDS.acl,
  lacksAttributes: flag("lacks_attributes"),
};
const ATTRIBUTES = ["tags", "acl"];

/** The columns of versions whose tags and lists have at most `maxBytes`; other versions lack both. */
function columnsUpTo(maxBytes: number): string {
  const bytes = ATTRIBUTES.map((column) => `coalesce(octet_length(o.${column}), 0)`).join(" + ");
  const columns = columnsOf(FIELDS).map((column) => {
    if (column === "lacks_attributes") return `${bytes} > ${maxBytes} AS lacks_attributes`;
    return ATTRIBUTES.includes(column) ? `iif(${bytes} > ${maxBytes}, NULL, o.${column}) AS ${column}` : `o.${column}`;
  });
  return columns.join(", ");
}

/** Attributes of 10,000 versions have 16 MB. Unbounded, they could have 300. */
const SHORT_COLUMNS = columnsUpTo(1600);
const ALL_COLUMNS = columnsUpTo(Number.MAX_SAFE_INTEGER);
/** The versions whose long attributes are in memory at a time. */
const LONG_VERSIONS = 250;

/** Keys from one on, in byte order. */
export interface KeyPage {
  readonly prefix: string;
  /** The least key of the page. */
  readonly from: string;
  readonly limit: number;
}

/** Looks up the current versions of a page of keys. */
export function lookUpPrefix(bucketId: string, { prefix, from, limit }: KeyPage): Lookup<readonly ArchivedVersion[]> {
  const end = successorOfPrefix(prefix);
  const parameters: SqlValue[] = [bucketId, from, limit];
  if (end !== undefined) parameters.push(end);
  return {
    statements: [
      statement(
        `SELECT ${SHORT_COLUMNS} FROM objects o
         WHERE o.bucket_id = ?1 AND o.key >= ?2 ${end === undefined ? "" : "AND o.key < ?4"} ORDER BY o.key LIMIT ?3`,
        ...parameters,
      ),
    ],
    read: (results) => rowsOf<Row>(results).map((row) => valueFromRow(FIELDS, row)),
  };
}

/** A version as a client names it: by id, `"null"`, or undefined for the current one. */
export interface ListedVersion {
  readonly key: string;
  readonly versionId: string | undefined;
}

/** A listed version as it was found. */
export type FoundMember = ArchivedVersion | "delete marker" | undefined;

// Without the hint, SQLite scans all versions of the key for the null version.
const NULL_VERSIONS = "versions AS o INDEXED BY null_versions";

const arm = (columns: string, table: string, isMarker: string, match: string): string =>
  `SELECT n.value ->> 0 AS position, ${isMarker} AS is_delete_marker, ${columns}
   FROM json_each(?2) n CROSS JOIN ${table} ON o.bucket_id = ?1 AND o.key = n.value ->> 1 AND ${match}`;

/** Looks up listed versions, in the order of the list. */
export function lookUpListed(
  bucketId: string,
  listed: readonly ListedVersion[],
  columns = SHORT_COLUMNS,
): Lookup<readonly FoundMember[]> {
  const byId = "o.version_id = n.value ->> 2";
  const byNull = "o.is_null_version = 1 AND n.value ->> 2 = 'null'";
  const pages = jsonPages(listed.map(({ key, versionId }, index) => [index, key, versionId ?? null]));
  return {
    statements: pages.map((page) =>
      statement(
        `${arm(columns, "objects AS o", "0", `(n.value ->> 2 IS NULL OR ${byId} OR (${byNull}))`)}
         UNION ALL ${arm(columns, "versions AS o", "o.is_delete_marker", byId)}
         UNION ALL ${arm(columns, NULL_VERSIONS, "o.is_delete_marker", byNull)}`,
        bucketId,
        page,
      ),
    ),
    read: (results) => {
      const found = new Map<number, FoundMember>();
      for (const index of results.keys()) {
        for (const row of rowsOf<Row & { readonly position: number; readonly is_delete_marker: number }>(
          results,
          index,
        )) {
          found.set(row.position, row.is_delete_marker === 1 ? "delete marker" : valueFromRow(FIELDS, row));
        }
      }
      return listed.map((_, index) => found.get(index));
    },
  };
}

/**
 * The members with their tags and lists, in order.
 * @throws S3Error NoSuchKey {Key} if a version whose attributes are long was purged meanwhile
 */
export async function* withAttributes<Member extends FoundMember>(
  database: Database,
  bucketId: string,
  members: readonly Member[],
): AsyncGenerator<Member | ArchivedVersion> {
  for (let from = 0; from < members.length; from += LONG_VERSIONS) {
    const some: readonly FoundMember[] = members.slice(from, from + LONG_VERSIONS);
    const long = some.filter(lacksAttributes);
    const found = long.length === 0 ? [] : await database.look(lookUpListed(bucketId, long, ALL_COLUMNS));
    const complete = new Map(long.map(({ versionId }, index) => [versionId, found[index]]));
    for (const member of members.slice(from, from + LONG_VERSIONS)) {
      if (!lacksAttributes(member)) {
        yield member;
        continue;
      }
      const { key, versionId }: ArchivedVersion = member;
      const version = complete.get(versionId);
      if (typeof version !== "object") throw new S3Error("NoSuchKey", { Key: key });
      yield version;
    }
  }
}

/** The member without its tags and list. Those of all members together could be large. */
export function withoutAttributes(member: ArchivedVersion): ArchivedVersion {
  return { ...member, tags: [], acl: undefined };
}

function lacksAttributes(member: FoundMember): member is ArchivedVersion {
  return typeof member === "object" && member.lacksAttributes;
}

/** The slices of manifests, by manifest id. */
export type SlicesByManifest = ReadonlyMap<string, readonly Slice[]>;

/** The manifests that one statement reads. */
const MANIFESTS_PER_STATEMENT = 1000;

/**
 * Reads all slices of manifests. They exist for as long as the blobs of an object that a write replaces.
 * @param limit the most slices
 * @returns undefined if there are more
 */
export async function readSlices(
  database: Database,
  manifestIds: readonly string[],
  limit: number,
): Promise<SlicesByManifest | undefined> {
  const found = new Map<string, readonly Slice[]>();
  let left = limit;
  for (let from = 0; from < manifestIds.length; from += MANIFESTS_PER_STATEMENT) {
    const ids = manifestIds.slice(from, from + MANIFESTS_PER_STATEMENT);
    const slices = await database.look(lookUpManifests(ids, left));
    if (slices === undefined) return undefined;
    for (const [id, list] of slices) {
      found.set(id, list);
      left -= list.length;
    }
  }
  return found;
}

function lookUpManifests(ids: readonly string[], limit: number): Lookup<SlicesByManifest | undefined> {
  const json = JSON.stringify(ids);
  const manifests = "json_each(?1) n CROSS JOIN manifests m ON m.manifest_id = n.value";
  const count = `(SELECT coalesce(sum(json_array_length(m.slices)), 0) FROM ${manifests})`;
  return {
    statements: [
      statement(`SELECT ${count} AS count`, json),
      // Too many slices are never sent.
      statement(
        `SELECT m.manifest_id, m.slices, 0 AS first, ${Number.MAX_SAFE_INTEGER} AS last FROM ${manifests}
         WHERE ${count} <= ?2 ORDER BY n.key, m.page`,
        json,
        limit,
      ),
    ],
    read: (results) => {
      if ((rowsOf<{ readonly count: number }>(results)[0]?.count ?? 0) > limit) return undefined;
      const slices = new Map<string, Slice[]>();
      for (const row of rowsOf<{ readonly manifest_id: string }>(results, 1)) {
        const known = slices.get(row.manifest_id) ?? [];
        known.push(...slicesFromRows([row]));
        slices.set(row.manifest_id, known);
      }
      return slices;
    },
  };
}
