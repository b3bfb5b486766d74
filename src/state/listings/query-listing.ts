// Reads candidates of a query (docs/search.md) from a bucket's current versions in key order: of a bounded range of keys,
// whose last key its first statement finds, or of keys that an index has selected.
import { successorOfPrefix } from "../../bytes/text.ts";
import type { ChecksumAlgorithm, ChecksumType } from "../../protocol/core/checksums.ts";
import { metadataJson, parseMetadata, parseTags, tagsJson } from "../../protocol/core/stored-metadata.ts";
import type { Tag } from "../../protocol/core/tagging.ts";
import type { ObjectQuery } from "../../protocol/listings/object-query.ts";
import type { ListedObject } from "../../protocol/objects/stored-object.ts";
import { rowsOf, statement, type Lookup, type SqlValue } from "../d1/database.ts";

/** A range of keys to examine. */
export interface QueryRange {
  /** The first key, in byte order. */
  readonly from: string;
  /** The last key (inclusive); undefined: the statement finds it, `rows` after the first. */
  readonly through: string | undefined;
  /** Every key of the range has this prefix. */
  readonly prefix: string;
  /** The most rows to examine. */
  readonly rows: number;
  /** The most candidates to return. */
  readonly limit: number;
}

/** An object that may meet a query's conditions. */
export interface QueryCandidate extends ListedObject {
  readonly contentType: string;
  readonly tags: readonly Tag[];
  readonly userMetadata: Readonly<Record<string, string>>;
  /** The stored form of the access control list. */
  readonly acl: string | undefined;
  readonly hasCustomerKey: boolean;
}

export interface QueryPage {
  readonly candidates: readonly QueryCandidate[];
  /** Whether candidates may follow within the range. */
  readonly hasMore: boolean;
  /** The last key of the range; undefined if it ends with the keys of the prefix. */
  readonly through: string | undefined;
}

const DEFAULT_TYPE = "binary/octet-stream";
const COLUMNS = [
  "key",
  "size",
  "etag",
  "modified_at",
  "owner_id",
  "storage_class",
  "checksum_algorithm",
  "checksum_type",
  "content_type",
  "user_metadata",
  "tags",
  "acl",
  "encryption",
];

interface CandidateRow {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly modified_at: number;
  readonly owner_id: string;
  readonly storage_class: string;
  readonly checksum_algorithm: ChecksumAlgorithm | null;
  readonly checksum_type: ChecksumType | null;
  readonly content_type: string | null;
  readonly user_metadata: string | null;
  readonly tags: string | null;
  readonly acl: string | null;
  readonly encryption: string | null;
}

// Keys have at most 1024 bytes.
const AFTER_ALL_KEYS = "\u{10ffff}".repeat(257);

/** A text that sorts after every key with a prefix. */
export function endOfRange(prefix: string): string {
  return successorOfPrefix(prefix) ?? AFTER_ALL_KEYS;
}

/**
 * Looks up the candidates in a range of a bucket's keys. Rows are read at most twice: to find the last key, and to test
 * them.
 * @param texts texts that every matching key contains
 * @param onlyWithoutIndexes whether to find nothing in a bucket that has indexes
 */
export function lookUpCandidates(
  bucketName: string,
  query: ObjectQuery,
  texts: readonly string[],
  range: QueryRange,
  onlyWithoutIndexes = false,
): Lookup<QueryPage> {
  const end = endOfRange(range.prefix);
  const parameters: SqlValue[] = [bucketName, range.from, end, range.through ?? range.rows - 1, range.limit];
  const bind = (value: SqlValue): string => `?${parameters.push(value)}`;
  const bucketId = `(SELECT id FROM buckets WHERE name = ?1${onlyWithoutIndexes ? " AND query_index IS NULL" : ""})`;
  const inBucket = `o.bucket_id = ${bucketId} AND o.key >= ?2`;
  const last = `SELECT o.key FROM objects o WHERE ${inBucket} AND o.key < ?3 ORDER BY o.key LIMIT 1 OFFSET ?4`;
  const conditions = conditionsOf(query, texts, bind).map((condition) => ` AND ${condition}`);
  const sql = `WITH through (key) AS MATERIALIZED (SELECT ${range.through === undefined ? `(${last})` : "?4"}),
       page AS (
         SELECT ${COLUMNS.join(", ")} FROM objects o
         WHERE ${inBucket} AND o.key <= coalesce((SELECT key FROM through), ?3)${conditions.join("")}
         ORDER BY o.key LIMIT ?5
       )
     SELECT 0 AS is_last, page.* FROM page
     UNION ALL SELECT 1, (SELECT key FROM through), ${COLUMNS.slice(1)
       .map(() => "NULL")
       .join(", ")}`;
  return {
    statements: [statement(sql, ...parameters)],
    read: (results) => {
      const rows = rowsOf<CandidateRow & { readonly is_last: 0 | 1 }>(results);
      const found = rows.filter(({ is_last: isLast }) => isLast === 0);
      const through = rowsOf<{ readonly is_last: 0 | 1; readonly key: string | null }>(results).at(-1)?.key;
      return {
        candidates: found.map(candidateFromRow),
        hasMore: found.length === range.limit,
        through: through ?? undefined,
      };
    },
  };
}

/** Looks up the candidates among keys, in their order. */
export function lookUpCandidatesAmong(
  bucketName: string,
  query: ObjectQuery,
  texts: readonly string[],
  keys: readonly string[],
  limit: number,
): Lookup<QueryPage> {
  const parameters: SqlValue[] = [bucketName, JSON.stringify(keys), limit];
  const bind = (value: SqlValue): string => `?${parameters.push(value)}`;
  const conditions = conditionsOf(query, texts, bind).map((condition) => ` AND ${condition}`);
  const sql = `SELECT ${COLUMNS.map((column) => `o.${column}`).join(", ")} FROM json_each(?2) k
     CROSS JOIN objects o ON o.bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND o.key = k.value
     WHERE true${conditions.join("")} ORDER BY k.key LIMIT ?3`;
  return {
    statements: [statement(sql, ...parameters)],
    read: (results) => {
      const candidates = rowsOf<CandidateRow>(results).map(candidateFromRow);
      return { candidates, hasMore: candidates.length === limit, through: undefined };
    },
  };
}

/** SQL that every matching row meets. It only narrows the candidates; the caller tests them exactly. */
function conditionsOf(query: ObjectQuery, texts: readonly string[], bind: (value: SqlValue) => string): string[] {
  const { minSize, maxSize, modifiedAfter, modifiedBefore, contentType, storageClass } = query;
  const conditions = texts.map((text) => `instr(o.key, ${bind(text)}) > 0`);
  if (minSize !== undefined) conditions.push(`o.size >= ${bind(minSize)}`);
  if (maxSize !== undefined) conditions.push(`o.size <= ${bind(maxSize)}`);
  if (modifiedAfter !== undefined) conditions.push(`o.modified_at >= ${bind(modifiedAfter)}`);
  if (modifiedBefore !== undefined) conditions.push(`o.modified_at < ${bind(modifiedBefore)}`);
  if (storageClass !== undefined) conditions.push(`o.storage_class = ${bind(storageClass)}`);
  if (contentType !== undefined) {
    const type = bind(contentType.replace(/\*$/, ""));
    conditions.push(`instr(lower(coalesce(o.content_type, '${DEFAULT_TYPE}')), ${type}) = 1`);
  }
  // The stored forms contain each pair literally, between the brackets that enclose them.
  for (const { name, value } of query.tags) {
    conditions.push(`instr(o.tags, ${bind(inner(tagsJson([{ key: name, value }])))}) > 0`);
  }
  for (const { name, value } of query.metadata) {
    conditions.push(`instr(o.user_metadata, ${bind(inner(metadataJson({ [name]: value })))}) > 0`);
  }
  // Of a value that begins with a text, all but the ends of its pair.
  for (const { name, value } of query.tagPrefixes) {
    conditions.push(`instr(o.tags, ${bind(inner(tagsJson([{ key: name, value }])).slice(0, -2))}) > 0`);
  }
  for (const { name, value } of query.metadataPrefixes) {
    conditions.push(`instr(o.user_metadata, ${bind(inner(metadataJson({ [name]: value })).slice(0, -1))}) > 0`);
  }
  return conditions;
}

function inner(json: string | null): string {
  return (json ?? "").slice(1, -1);
}

function candidateFromRow(row: CandidateRow): QueryCandidate {
  return {
    key: row.key,
    size: row.size,
    etag: row.etag,
    modifiedAt: row.modified_at,
    ownerId: row.owner_id,
    storageClass: row.storage_class,
    checksumAlgorithm: row.checksum_algorithm ?? undefined,
    checksumType: row.checksum_type ?? undefined,
    contentType: row.content_type ?? DEFAULT_TYPE,
    userMetadata: parseMetadata(row.user_metadata),
    tags: parseTags(row.tags),
    acl: row.acl ?? undefined,
    hasCustomerKey: row.encryption !== null,
  };
}
