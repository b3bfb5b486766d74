// Reads heads: the newest version of a key, on which preconditions are evaluated and commits are guarded.
import type { ConditionSubject } from "../../protocol/objects/conditions.ts";
import type { Tag } from "../../protocol/core/tagging.ts";
import { bucketFromRow, selectBucket, type BucketFacts, type BucketRow } from "../metadata/buckets.ts";
import { rowsOf, type Lookup, type Statement, type StatementResult, statement } from "../d1/database.ts";
import { jsonPages } from "../d1/json-pages.ts";
import { parseTags } from "../../protocol/core/stored-metadata.ts";

/** The head of a key. */
export interface KeyHead {
  /** The id of the newest version or delete marker; null: the key has no version. */
  readonly versionId: string | null;
  /** The current version; undefined if none exists or it is a delete marker. */
  readonly current: ConditionSubject | undefined;
  /** The current version's tags and ACL, for authorization; undefined if not looked up. */
  readonly subject?: { readonly tags: readonly Tag[]; readonly acl: string | undefined } | undefined;
  /** The blob or manifest of the current version; undefined if not looked up. */
  readonly referenceId?: string | undefined;
}

/** The head of a key that has no version. */
export const NO_HEAD: KeyHead = { versionId: null, current: undefined };

interface HeadRow {
  readonly key: string;
  readonly version_id: string | null;
  readonly etag: string;
  readonly size: number;
  readonly modified_at: number;
  readonly tags: string | null;
  readonly acl: string | null;
  readonly holding_id: string | null;
  readonly newest_marker: string | null;
}

/** Selects the heads of keys, one statement per page of keys; `bucketId` is an SQL expression. */
function selectHeads(bucketId: string, keys: readonly string[], bucket: string): Statement[] {
  return jsonPages(keys).map((page) =>
    statement(
      `SELECT k.value AS key, o.version_id, o.etag, o.size, o.modified_at, o.tags, o.acl,
         coalesce(o.blob_id, o.manifest_id) AS holding_id,
       CASE WHEN o.version_id IS NULL THEN
         (SELECT v.version_id FROM versions v WHERE v.bucket_id = ${bucketId} AND v.key = k.value
          ORDER BY v.version_id LIMIT 1) END AS newest_marker
     FROM json_each(?1) k LEFT JOIN objects o ON o.bucket_id = ${bucketId} AND o.key = k.value`,
      page,
      bucket,
    ),
  );
}

function headFromRow(row: HeadRow): KeyHead {
  if (row.version_id === null) return { versionId: row.newest_marker, current: undefined };
  const { version_id: versionId, etag, size, modified_at: modifiedAt } = row;
  const subject = { tags: parseTags(row.tags), acl: row.acl ?? undefined };
  const referenceId = row.holding_id ?? undefined;
  return { versionId, current: { versionId, etag, size, modifiedAt }, subject, referenceId };
}

function headsByKey(results: readonly StatementResult[]): Map<string, KeyHead> {
  const rows = results.flatMap((_, index) => rowsOf<HeadRow>(results, index));
  return new Map(rows.map((row) => [row.key, headFromRow(row)]));
}

/** A bucket and the heads of keys; the map has an entry for each key. */
export interface HeadsFacts extends BucketFacts {
  readonly heads: ReadonlyMap<string, KeyHead>;
}

/** Looks up a bucket by name and the heads of keys, in one round trip. */
export function lookUpHeads(bucketName: string, keys: readonly string[]): Lookup<HeadsFacts> {
  return {
    statements: [
      selectBucket(bucketName),
      ...selectHeads("(SELECT id FROM buckets WHERE name = ?2)", keys, bucketName),
    ],
    read: (results) => ({
      bucket: rowsOf<BucketRow>(results).map(bucketFromRow)[0],
      heads: headsByKey(results.slice(1)),
    }),
  };
}

/** Looks up the heads of keys of a bucket by its id. */
export function currentHeads(bucketId: string, keys: readonly string[]): Lookup<Map<string, KeyHead>> {
  return {
    statements: selectHeads("?2", keys, bucketId),
    read: headsByKey,
  };
}
