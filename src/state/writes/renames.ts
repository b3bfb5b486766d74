// The lookups and statements of a rename: its idempotency token, its source, and the move.
import { tagsJson } from "../../protocol/core/stored-metadata.ts";
import type { Rename } from "../../protocol/objects/renaming.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { Bucket } from "../metadata/buckets.ts";
import { referenceOf } from "../reads/copy-sources.ts";
import { lookUpTransfer, type TransferFacts } from "../reads/transfer-lookup.ts";
import { statement, type Lookup, type Statement } from "../d1/database.ts";
import { listStatement } from "../d1/joined-statements.ts";
import { copyAnnotations } from "../metadata/annotations.ts";
import { trackReferenceIf } from "../metadata/blob-references.ts";
import { setMoving } from "../metadata/bucket-quotas.ts";
import { deleteCurrentRows } from "../commit/version-moves.ts";

export interface RenameFacts extends TransferFacts {
  /** The fingerprint that the token was used with; undefined: unused. */
  readonly usedToken: string | undefined;
}

/** Looks up a rename's bucket, its source, the head of its destination, and its token. */
export function lookUpRename(bucketName: string, key: string, { candidates, token }: Rename): Lookup<RenameFacts> {
  const used =
    token === undefined
      ? undefined
      : {
          sql: `(SELECT t.fingerprint FROM rename_tokens t WHERE t.bucket_id = b.id AND t.token = ?4)`,
          parameter: token,
        };
  const { statements, read } = lookUpTransfer(bucketName, candidates, key, used);
  return {
    statements,
    read(results) {
      const facts = read(results);
      return { ...facts, usedToken: typeof facts.further === "string" ? facts.further : undefined };
    },
  };
}

/** What a rename moves. */
export interface Move {
  readonly source: StoredObject;
  /** Whether any version of the source's key has annotations. */
  readonly isAnnotated: boolean;
  /** The destination. */
  readonly key: string;
}

/** Returns the statements around the destination's new version: guards and token before, purge of the source after. */
export function moveStatements(
  bucket: Bucket,
  move: Move,
  token: string | undefined,
  fingerprint: string,
  now: number,
): { readonly before: readonly Statement[]; readonly after: readonly Statement[] } {
  const { source, isAnnotated, key } = move;
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
      trackMove(bucket, move),
      ...(token === undefined ? [] : [insertToken]),
      ...(mayHaveQuota ? [setMoving(bucket.id, true)] : []),
    ],
    after: [
      ...(isAnnotated ? [copyAnnotations(bucket.id, source.key, key)] : []),
      deleteCurrentRows(bucket.id, JSON.stringify([source.key])),
      ...(mayHaveQuota ? [setMoving(bucket.id, false)] : []),
    ],
  };
}

/**
 * Records the blob's one reference, for which the orphan scan would look under the old key. Aborts the batch unless the source
 * still exists, with the tags, the ACL and the absence of annotations that it is moved with, in a bucket that was never
 * versioned: the coordinator adapts to a change of versioning, but a rename must fail instead.
 */
function trackMove({ name, id }: Bucket, { source, isAnnotated }: Move): Statement {
  const { key, versionId, tags, acl } = source;
  const annotations = "SELECT 1 FROM annotations WHERE bucket_id = ?2 AND key = value ->> 0";
  return trackReferenceIf(
    `EXISTS (SELECT 1 FROM objects WHERE bucket_id = ?2 AND key = value ->> 0 AND version_id = value ->> 1
         AND coalesce(blob_id, manifest_id) = value ->> 2 AND tags IS value ->> 3 AND acl IS value ->> 4)
       AND EXISTS (SELECT 1 FROM buckets WHERE name = ?3 AND id = ?2 AND versioning IS NULL)
       ${isAnnotated ? "" : `AND NOT EXISTS (${annotations})`}`,
    "value ->> 2",
    [key, versionId, referenceOf(source), tagsJson(tags), acl ?? null],
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
