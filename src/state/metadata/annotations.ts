// The annotations table. Annotations belong to a version by its unique id, so each statement tests that the version
// still exists instead of locking its key.
import { successorOfPrefix } from "../../bytes/text.ts";
import type { EventKind, EventOrigin } from "../../protocol/buckets/event-record.ts";
import type { ChecksumAlgorithm } from "../../protocol/core/checksums.ts";
import {
  VERSION_MAX_ANNOTATION_BYTES,
  VERSION_MAX_ANNOTATIONS,
  type Annotation,
} from "../../protocol/objects/annotations.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import { rowsOf, statement, type Database, type Lookup, type Statement } from "../d1/database.ts";
import { listStatement } from "../d1/joined-statements.ts";
import { insertEvents, versionEvent, type EventCondition } from "./bucket-events.ts";
import type { Bucket } from "./buckets.ts";

/** A version of a key. */
export interface AnnotatedVersion {
  readonly bucketId: string;
  readonly key: string;
  readonly versionId: string;
}

/** A version whose annotations a request changes. */
export interface AnnotationTarget {
  readonly bucket: Bucket;
  readonly object: StoredObject;
  readonly origin: EventOrigin;
}

interface AnnotationRow {
  readonly name: string;
  readonly size: number;
  readonly etag: string;
  readonly modified_at: number;
  readonly checksum_algorithm: ChecksumAlgorithm;
  readonly checksum: string;
}

const COLUMNS = "name, size, etag, modified_at, checksum_algorithm, checksum";
const OF_VERSION = "bucket_id = ?1 AND key = ?2 AND version_id = ?3";
const VERSIONS = `(SELECT legal_hold, retain_until, retention_mode FROM objects WHERE ${OF_VERSION}
  UNION ALL SELECT legal_hold, retain_until, retention_mode FROM versions WHERE ${OF_VERSION} AND is_delete_marker = 0)`;
/** The bypass is ?4. */
const IS_LOCKED = `EXISTS (SELECT 1 FROM ${VERSIONS} WHERE legal_hold = 'ON'
  OR (retain_until > unixepoch('subsec') * 1000 AND (?4 = 0 OR retention_mode <> 'GOVERNANCE')))`;

function ofVersion({ bucketId, key, versionId }: AnnotatedVersion): [string, string, string] {
  return [bucketId, key, versionId];
}

function versionOf({ bucket, object: { key, versionId } }: AnnotationTarget): AnnotatedVersion {
  return { bucketId: bucket.id, key, versionId };
}

function annotationEvents(
  { bucket, object, origin }: AnnotationTarget,
  kind: EventKind,
  annotation: { readonly name: string; readonly size?: number; readonly etag?: string },
  condition: EventCondition,
): Statement[] {
  return insertEvents(bucket, origin, [versionEvent(kind, object, { annotation })], Date.now(), condition);
}

/** SQL with the parameters of a condition: all are one further, as ?1 of the event's statement is its list. */
function asCondition(sql: string): string {
  return sql.replaceAll(/\?([1-9])/g, (_, index: string) => `?${Number(index) + 1}`);
}

/**
 * Stores an annotation, or replaces the one of its name.
 * @returns "version missing" if the version was purged meanwhile, "limit exceeded" if it would have too many annotations
 */
export async function storeAnnotation(
  database: Database,
  target: AnnotationTarget,
  annotation: Annotation,
  payload: string,
): Promise<"stored" | "version missing" | "limit exceeded"> {
  const { name, size, etag, modifiedAt, checksum } = annotation;
  const version = versionOf(target);
  const isStored = `EXISTS (SELECT 1 FROM annotations WHERE ${OF_VERSION} AND name = ?4 AND etag = ?5 AND modified_at = ?6)`;
  const [exists, stored] = await database.batch([
    statement(`SELECT 1 FROM ${VERSIONS}`, ...ofVersion(version)),
    statement(
      `INSERT INTO annotations (bucket_id, key, version_id, ${COLUMNS}, payload)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
       WHERE EXISTS (SELECT 1 FROM ${VERSIONS})
         AND (SELECT count(*) < ${VERSION_MAX_ANNOTATIONS} AND coalesce(sum(size), 0) + ?5 <= ${VERSION_MAX_ANNOTATION_BYTES}
              FROM annotations WHERE ${OF_VERSION} AND name <> ?4)
       ON CONFLICT DO UPDATE SET size = excluded.size, etag = excluded.etag, modified_at = excluded.modified_at,
         checksum_algorithm = excluded.checksum_algorithm, checksum = excluded.checksum, payload = excluded.payload`,
      ...ofVersion(version),
      name,
      size,
      etag,
      modifiedAt,
      checksum.algorithm,
      checksum.value,
      payload,
    ),
    ...annotationEvents(
      target,
      "annotated",
      { name, size, etag },
      { sql: asCondition(isStored), parameters: [version.key, version.versionId, name, etag, modifiedAt] },
    ),
  ]);
  if (stored !== undefined && stored.changes > 0) return "stored";
  return exists === undefined || exists.rows.length === 0 ? "version missing" : "limit exceeded";
}

/** Looks up an annotation with its payload. */
export function lookUpAnnotation(
  version: AnnotatedVersion,
  name: string,
): Lookup<{ readonly annotation: Annotation; readonly payload: string } | undefined> {
  return {
    statements: [
      statement(
        `SELECT ${COLUMNS}, payload FROM annotations WHERE ${OF_VERSION} AND name = ?4`,
        ...ofVersion(version),
        name,
      ),
    ],
    read: (results) => {
      const row = rowsOf<AnnotationRow & { readonly payload: string }>(results)[0];
      return row === undefined ? undefined : { annotation: annotationFromRow(row), payload: row.payload };
    },
  };
}

/** Looks up annotations by name, after a name ("" for the first page). */
export function lookUpAnnotations(
  version: AnnotatedVersion,
  prefix: string,
  after: string,
  limit: number,
): Lookup<Annotation[]> {
  const end = successorOfPrefix(prefix);
  return {
    statements: [
      statement(
        `SELECT ${COLUMNS} FROM annotations WHERE ${OF_VERSION} AND name > ?4 AND name >= ?5
         ${end === undefined ? "" : "AND name < ?7"} ORDER BY name LIMIT ?6`,
        ...ofVersion(version),
        after,
        prefix,
        limit,
        ...(end === undefined ? [] : [end]),
      ),
    ],
    read: (results) => rowsOf<AnnotationRow>(results).map(annotationFromRow),
  };
}

/**
 * Deletes an annotation, unless a lock protects its version by the database's clock.
 * @returns whether a lock protects it
 */
export async function deleteAnnotation(
  database: Database,
  target: AnnotationTarget,
  name: string,
  bypassesGovernance: boolean,
): Promise<boolean> {
  const version = versionOf(target);
  const bypass = bypassesGovernance ? 1 : 0;
  const isDeleted = `EXISTS (SELECT 1 FROM annotations WHERE ${OF_VERSION} AND name = ?5) AND NOT ${IS_LOCKED}`;
  const [locked] = await database.batch([
    statement(`SELECT 1 WHERE ${IS_LOCKED}`, ...ofVersion(version), bypass),
    ...annotationEvents(
      target,
      "unannotated",
      { name },
      { sql: asCondition(isDeleted), parameters: [version.key, version.versionId, bypass, name] },
    ),
    statement(
      `DELETE FROM annotations WHERE ${OF_VERSION} AND name = ?5 AND NOT ${IS_LOCKED}`,
      ...ofVersion(version),
      bypass,
      name,
    ),
  ]);
  return locked !== undefined && locked.rows.length > 0;
}

/** Copies the annotations of a key's current version to the current version of another key of the bucket. */
export function copyAnnotations(bucketId: string, from: string, to: string): Statement {
  return listStatement(
    `INSERT INTO annotations (bucket_id, key, version_id, ${COLUMNS}, payload)
     SELECT ?2, m.value ->> 1, (SELECT version_id FROM objects WHERE bucket_id = ?2 AND key = m.value ->> 1),
       ${COLUMNS}, payload
     FROM json_each(?1) m
       CROSS JOIN annotations a ON a.bucket_id = ?2 AND a.key = m.value ->> 0 AND a.version_id = (
         SELECT version_id FROM objects WHERE bucket_id = ?2 AND key = m.value ->> 0)`,
    [[from, to]],
    bucketId,
  );
}

/** Copies the annotations of a replaced version of a key to the version that has become the current one. */
export function carryAnnotations(bucketId: string, key: string, fromVersionId: string): Statement {
  return statement(
    `INSERT INTO annotations (bucket_id, key, version_id, ${COLUMNS}, payload)
     SELECT ?1, ?2, (SELECT version_id FROM objects WHERE bucket_id = ?1 AND key = ?2), ${COLUMNS}, payload
     FROM annotations WHERE ${OF_VERSION}`,
    bucketId,
    key,
    fromVersionId,
  );
}

/** Whether a table has the version of a row `p`. */
const isIn = (table: string): string =>
  `EXISTS (SELECT 1 FROM ${table} v
     WHERE v.bucket_id = p.bucket_id AND v.key = p.key AND v.version_id = p.version_id)`;

/**
 * Purges up to `limit` annotations of purged versions. Its last two results count annotations, and versions that have none left. A
 * version that exists, because the database was restored, keeps its annotations.
 */
export function purgeAnnotations(limit: number): Statement[] {
  return [
    statement(
      `DELETE FROM purged_annotations WHERE (bucket_id, key, version_id) IN (
         SELECT p.bucket_id, p.key, p.version_id
         FROM (SELECT bucket_id, key, version_id FROM purged_annotations LIMIT ?1) p
         WHERE ${isIn("objects")} OR ${isIn("versions")})`,
      limit,
    ),
    statement(
      `DELETE FROM annotations WHERE (bucket_id, key, version_id, name) IN (
         SELECT a.bucket_id, a.key, a.version_id, a.name
         FROM (SELECT bucket_id, key, version_id FROM purged_annotations LIMIT ?1) p
         CROSS JOIN annotations a USING (bucket_id, key, version_id) LIMIT ?1)`,
      limit,
    ),
    statement(
      `DELETE FROM purged_annotations WHERE (bucket_id, key, version_id) IN (
         SELECT p.bucket_id, p.key, p.version_id
         FROM (SELECT bucket_id, key, version_id FROM purged_annotations LIMIT ?1) p
         WHERE NOT EXISTS (SELECT 1 FROM annotations a
           WHERE a.bucket_id = p.bucket_id AND a.key = p.key AND a.version_id = p.version_id))`,
      limit,
    ),
  ];
}

function annotationFromRow(row: AnnotationRow): Annotation {
  return {
    name: row.name,
    size: row.size,
    etag: row.etag,
    modifiedAt: row.modified_at,
    checksum: { algorithm: row.checksum_algorithm, type: "FULL_OBJECT", value: row.checksum },
  };
}
