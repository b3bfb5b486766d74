// Reads heads: the newest version of a key, on which preconditions are evaluated and commits are guarded.
import type { ConditionSubject } from "../../protocol/objects/conditions.ts";
import type { Tag } from "../../protocol/core/tagging.ts";
import { BUCKET_COLUMNS, bucketFromRow, type BucketFacts, type BucketRow } from "../metadata/buckets.ts";
import { lookUpVersion, type VersionFacts } from "../metadata/objects.ts";
import { rowsOf, type Lookup, type StatementResult, statement } from "../d1/database.ts";
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
  readonly head_key: string;
  readonly version_id: string | null;
  readonly etag: string;
  readonly size: number;
  readonly modified_at: number;
  readonly tags: string | null;
  readonly acl: string | null;
  readonly holding_id: string | null;
  readonly newest_marker: string | null;
}

/** The columns of a {@link HeadRow}, for the aliases `k` of the keys and `o` of the objects; `bucketId` is an SQL expression. */
function headColumns(bucketId: string): string {
  return `k.value AS head_key, o.version_id, o.etag, o.size, o.modified_at, o.tags, o.acl,
    coalesce(o.blob_id, o.manifest_id) AS holding_id,
    CASE WHEN o.version_id IS NULL THEN
      (SELECT v.version_id FROM versions v WHERE v.bucket_id = ${bucketId} AND v.key = k.value
       ORDER BY v.version_id LIMIT 1) END AS newest_marker`;
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
  return new Map(rows.map((row) => [row.head_key, headFromRow(row)]));
}

/** An SQL expression for the head of a key as JSON, which {@link headFromColumn} reads; null if the key has no version. */
export function headColumn(bucketId: string, key: string): string {
  return `coalesce(
    (SELECT json_array(d.version_id, d.etag, d.size, d.modified_at, d.tags, d.acl, coalesce(d.blob_id, d.manifest_id))
     FROM objects d WHERE d.bucket_id = ${bucketId} AND d.key = ${key}),
    (SELECT json_array(v.version_id) FROM versions v WHERE v.bucket_id = ${bucketId} AND v.key = ${key}
     ORDER BY v.version_id LIMIT 1))`;
}

type HeadJson =
  | readonly [marker: string]
  | readonly [
      versionId: string,
      etag: string,
      size: number,
      modifiedAt: number,
      tags: string | null,
      acl: string | null,
      referenceId: string | null,
    ];

/** Reads a {@link headColumn}. */
export function headFromColumn(json: string | null): KeyHead {
  if (json === null) return NO_HEAD;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const head = JSON.parse(json) as HeadJson;
  if (head.length === 1) return { versionId: head[0], current: undefined };
  const [versionId, etag, size, modifiedAt, tags, acl, referenceId] = head;
  const subject = { tags: parseTags(tags), acl: acl ?? undefined };
  return { versionId, current: { versionId, etag, size, modifiedAt }, subject, referenceId: referenceId ?? undefined };
}

/** A bucket and the heads of keys; if it exists, the map has an entry for each key. */
export interface HeadsFacts extends BucketFacts {
  readonly heads: ReadonlyMap<string, KeyHead>;
}

/** Looks up a bucket by name and the head of a key, in one statement: the database takes time for each. */
export function lookUpHeads(bucketName: string, keys: readonly [string]): Lookup<HeadsFacts> {
  return {
    statements: [
      statement(
        `SELECT ${BUCKET_COLUMNS}, ${headColumns("b.id")}
         FROM buckets b CROSS JOIN json_each(?2) k LEFT JOIN objects o ON o.bucket_id = b.id AND o.key = k.value
         WHERE b.name = ?1`,
        bucketName,
        JSON.stringify(keys),
      ),
    ],
    read: (results) => ({
      bucket: rowsOf<BucketRow>(results).map(bucketFromRow)[0],
      heads: headsByKey(results),
    }),
  };
}

/** A bucket, the current version of a key, and the key's head. */
export interface CurrentFacts extends VersionFacts {
  readonly heads: ReadonlyMap<string, KeyHead>;
}

/** Looks up a bucket, the current version of a key and the key's head, in one statement. */
export function lookUpCurrentHead(bucketName: string, key: string): Lookup<CurrentFacts> {
  const { statements, read } = lookUpVersion(bucketName, key, undefined);
  return {
    statements,
    read(results) {
      const facts = read(results);
      return { ...facts, heads: new Map([[key, headFromFacts(facts)]]) };
    },
  };
}

function headFromFacts({ object, deleteMarker }: VersionFacts): KeyHead {
  if (object === undefined) return { versionId: deleteMarker?.versionId ?? null, current: undefined };
  const { versionId, etag, size, modifiedAt, tags, acl } = object;
  const current = { versionId, etag, size, modifiedAt };
  return { versionId, current, subject: { tags, acl }, referenceId: object.blobId ?? object.manifestId };
}

/** Looks up the heads of keys of a bucket by its id. */
export function currentHeads(bucketId: string, keys: readonly string[]): Lookup<Map<string, KeyHead>> {
  return {
    statements: jsonPages(keys).map((page) =>
      statement(
        `SELECT ${headColumns("?2")} FROM json_each(?1) k LEFT JOIN objects o ON o.bucket_id = ?2 AND o.key = k.value`,
        page,
        bucketId,
      ),
    ),
    read: headsByKey,
  };
}
