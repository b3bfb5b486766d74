// The query_indexes table: the indexes of buckets that ask for them. Triggers keep their entries in every batch that writes
// current versions (see the migration). An index of a bucket that had objects before is built here, one range of keys
// per batch, while it is written; until then queries do not use it.
import { EVERY_NAME, type IndexKind, type QueryIndex } from "../../protocol/buckets/query-configuration.ts";
import { rowsOf, statement, type Lookup, type Statement, type StatementResult } from "../d1/database.ts";

/** An index as it is stored. */
export interface StoredIndex extends QueryIndex {
  readonly id: number;
  /** Whether all keys are indexed, so that queries can use it. */
  readonly isComplete: boolean;
}

/** An index with a range of keys to index next. */
export interface UnbuiltIndex {
  readonly bucketId: string;
  readonly kind: IndexKind;
  readonly name: string;
  readonly id: number;
  /** The first key that is not indexed. */
  readonly from: string;
}

interface IndexRow {
  readonly bucket_id: string;
  readonly kind: IndexKind;
  readonly name: string;
  readonly id: number;
  readonly indexed_to: string | null;
}

/** The objects that a batch indexes, and the fewer ones where each can have many entries. */
const RANGE_OBJECTS = 1000;
const RANGE_OBJECTS_OF_EVERY_NAME = 200;
// Keys have at most 1024 bytes.
const AFTER_ALL_KEYS = "\u{10ffff}".repeat(257);

const COLUMNS = "bucket_id, kind, name, id, indexed_to";

/** Looks up the indexes of a bucket. */
export function lookUpQueryIndexes(bucketName: string): Lookup<{ readonly indexes: readonly StoredIndex[] }> {
  return {
    statements: [
      statement(
        `SELECT ${COLUMNS} FROM query_indexes WHERE bucket_id = (SELECT id FROM buckets WHERE name = ?)`,
        bucketName,
      ),
    ],
    read: (results) => ({
      indexes: rowsOf<IndexRow>(results).map(({ kind, name, id, indexed_to: indexedTo }) => ({
        kind,
        name,
        id,
        isComplete: indexedTo === null,
      })),
    }),
  };
}

/** Selects an index that is not complete: of one bucket, or of any. */
function selectUnbuilt(bucketId: string | undefined): Statement {
  const of = bucketId === undefined ? "" : "AND bucket_id = ?1";
  return statement(
    `SELECT ${COLUMNS} FROM query_indexes INDEXED BY query_indexes_to_build
     WHERE indexed_to IS NOT NULL ${of} ORDER BY id LIMIT 1`,
    ...(bucketId === undefined ? [] : [bucketId]),
  );
}

function unbuiltOf(results: readonly StatementResult[], index: number): UnbuiltIndex | undefined {
  const [row] = rowsOf<IndexRow>(results, index);
  return row && { bucketId: row.bucket_id, kind: row.kind, name: row.name, id: row.id, from: row.indexed_to ?? "" };
}

/** Looks up an index to build. */
export function lookUpUnbuilt(bucketId?: string): Lookup<{ readonly unbuilt: UnbuiltIndex | undefined }> {
  return { statements: [selectUnbuilt(bucketId)], read: (results) => ({ unbuilt: unbuiltOf(results, 0) }) };
}

/**
 * Indexes a range of keys, and looks up what to build next. The batch has no effect on an index that was deleted or
 * built further meanwhile, and it may be repeated.
 */
export function buildRange(
  { bucketId, kind, name, id, from }: UnbuiltIndex,
  within?: string,
): Lookup<{ readonly unbuilt: UnbuiltIndex | undefined }> {
  const objects = name === EVERY_NAME ? RANGE_OBJECTS_OF_EVERY_NAME : RANGE_OBJECTS;
  const next = `(SELECT o.key FROM objects o WHERE o.bucket_id = ?1 AND o.key >= ?4 ORDER BY o.key LIMIT 1 OFFSET ?5)`;
  const parameters = [bucketId, kind, id, from, objects] as const;
  return {
    statements: [
      statement(
        `INSERT INTO query_entries (index_id, name, value, key)
         SELECT index_id, name, value, key FROM query_terms
         WHERE bucket_id = ?1 AND kind = ?2 AND index_id = ?3 AND key >= ?4 AND key < coalesce(${next}, ?6)
         ON CONFLICT DO NOTHING`,
        ...parameters,
        AFTER_ALL_KEYS,
      ),
      statement(
        `UPDATE query_indexes SET indexed_to = ${next}
         WHERE bucket_id = ?1 AND kind = ?2 AND id = ?3 AND indexed_to = ?4`,
        ...parameters,
      ),
      selectUnbuilt(within),
    ],
    read: (results) => ({ unbuilt: unbuiltOf(results, 2) }),
  };
}

/** Purges up to `limit` entries of deleted indexes. Its second result counts indexes that have none left. */
export function purgeDeletedIndexes(limit: number): Statement[] {
  return [
    statement(
      `DELETE FROM query_entries WHERE (index_id, name, value, key) IN (
         SELECT e.index_id, e.name, e.value, e.key FROM (SELECT id FROM deleted_query_indexes LIMIT ?1) d
         CROSS JOIN query_entries e ON e.index_id = d.id LIMIT ?1)`,
      limit,
    ),
    statement(
      `DELETE FROM deleted_query_indexes WHERE id IN (
         SELECT d.id FROM (SELECT id FROM deleted_query_indexes LIMIT ?1) d
         WHERE NOT EXISTS (SELECT 1 FROM query_entries e WHERE e.index_id = d.id))`,
      limit,
    ),
  ];
}
