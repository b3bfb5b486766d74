// The lookups and statements of a rename: its idempotency token, its source, and the move.
import { tagsJson } from "../../protocol/core/stored-metadata.ts";
import type { Rename } from "../../protocol/objects/renaming.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { Bucket } from "../metadata/buckets.ts";
import { referenceOf } from "../reads/copy-sources.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import { listStatement } from "../d1/joined-statements.ts";
import { copyAnnotations } from "../metadata/annotations.ts";
import { trackReference } from "../metadata/blob-references.ts";
import { setMoving } from "../metadata/bucket-quotas.ts";
import { objectFromRow, type ObjectRow } from "../metadata/object-columns.ts";
import { selectCurrentObjects } from "../metadata/objects.ts";
import { deleteCurrentRows } from "../commit/version-moves.ts";

export interface RenameFacts {
  /** The fingerprint that the token was used with; undefined: unused. */
  readonly usedToken: string | undefined;
  /** The candidates that exist, in the order of the candidates. */
  readonly sources: readonly StoredObject[];
}

/** Looks up a rename's token and source. */
export function lookUpRename(bucketName: string, { candidates, token }: Rename): Lookup<RenameFacts> {
  const used = statement(
    `SELECT fingerprint FROM rename_tokens WHERE bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND token = ?2`,
    bucketName,
    token ?? null,
  );
  return {
    statements: [selectCurrentObjects(bucketName, candidates), ...(token === undefined ? [] : [used])],
    read: (results) => {
      const found = rowsOf<ObjectRow>(results).map(objectFromRow);
      return {
        usedToken: rowsOf<{ readonly fingerprint: string }>(results, 1)[0]?.fingerprint,
        sources: candidates.flatMap((key) => found.find((object) => object.key === key) ?? []),
      };
    },
  };
}

/** Returns the statements around the destination's new version: guards and token before, purge of the source after. */
export function moveStatements(
  bucket: Bucket,
  source: StoredObject,
  key: string,
  token: string | undefined,
  fingerprint: string,
  now: number,
): { readonly before: readonly Statement[]; readonly after: readonly Statement[] } {
  // The bucket counts for its own quota or for its creator's.
  const mayHaveQuota = bucket.configurations.quota !== null || bucket.creatorId !== null;
  const insertToken = listStatement(
    `INSERT INTO rename_tokens (bucket_id, token, fingerprint, created_at)
     SELECT ?2, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1)`,
    [[token ?? null, fingerprint, now]],
    bucket.id,
  );
  return {
    before: [
      guardRename(bucket, source),
      ...(token === undefined ? [] : [insertToken]),
      ...(mayHaveQuota ? [setMoving(bucket.id, true)] : []),
    ],
    // The blob keeps its one reference, but the orphan scan would look for it under the old key.
    after: [
      copyAnnotations(bucket.id, source.key, key),
      deleteCurrentRows(bucket.id, JSON.stringify([source.key])),
      trackReference(referenceOf(source)),
      ...(mayHaveQuota ? [setMoving(bucket.id, false)] : []),
    ],
  };
}

/**
 * Aborts the batch unless the source still exists, with the tags and the ACL that it is moved with, in a bucket that was
 * never versioned: the coordinator adapts to a change of versioning, but a rename must fail instead.
 */
function guardRename({ name, id }: Bucket, source: StoredObject): Statement {
  const { key, versionId, tags, acl } = source;
  return listStatement(
    `INSERT INTO source_guard (bucket_id, key, version_id, holding_id)
     SELECT ?2, value ->> 0, value ->> 1, iif(
       EXISTS (SELECT 1 FROM objects WHERE bucket_id = ?2 AND key = value ->> 0 AND tags IS value ->> 3 AND acl IS value ->> 4)
         AND EXISTS (SELECT 1 FROM buckets WHERE name = ?3 AND id = ?2 AND versioning IS NULL), value ->> 2, '')
     FROM json_each(?1)`,
    [[key, versionId, referenceOf(source), tagsJson(tags), acl ?? null]],
    id,
    name,
  );
}

/**
 * Aborts a batch whose statements were made for another versioning. Accepts any snapshot floor, because the commit's own guard runs first and may have raised it.
 */
export function guardVersioning({ name, id, versioning }: Bucket): Statement {
  return listStatement(
    `INSERT INTO commit_guard (bucket_name, bucket_id, versioning, snapshot_floor)
     SELECT value ->> 0, value ->> 1, value ->> 2, (SELECT snapshot_floor FROM buckets WHERE name = value ->> 0)
     FROM (SELECT DISTINCT value FROM json_each(?))`,
    [[name, id, versioning]],
  );
}

/** Purges at most `limit` tokens from before a time (milliseconds since the epoch). */
export function purgeRenameTokens(before: number, limit: number): Statement {
  return statement(
    `DELETE FROM rename_tokens WHERE (bucket_id, token) IN (
       SELECT bucket_id, token FROM rename_tokens WHERE created_at < ? LIMIT ?)`,
    before,
    limit,
  );
}
