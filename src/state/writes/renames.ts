// The lookups and statements of a rename: its idempotency token, its source, and the move.
import type { Rename } from "../../protocol/objects/renaming.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { Bucket } from "../metadata/buckets.ts";
import { guardSource } from "../reads/copy-sources.ts";
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
  return {
    statements: [
      statement(
        `SELECT fingerprint FROM rename_tokens
         WHERE bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND token = ?2`,
        bucketName,
        token ?? null,
      ),
      selectCurrentObjects(bucketName, candidates),
    ],
    read: (results) => {
      const found = rowsOf<ObjectRow>(results, 1).map(objectFromRow);
      return {
        usedToken: rowsOf<{ readonly fingerprint: string }>(results)[0]?.fingerprint,
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
  const referenceId = source.blobId ?? source.manifestId ?? "";
  const insertToken = listStatement(
    `INSERT INTO rename_tokens (bucket_id, token, fingerprint, created_at)
     SELECT ?2, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1)`,
    [[token ?? null, fingerprint, now]],
    bucket.id,
  );
  return {
    // The coordinator adapts to a change of versioning; a rename must fail instead.
    before: [
      guardVersioning(bucket),
      guardSource({ bucketId: bucket.id, key: source.key, versionId: source.versionId, referenceId }),
      ...(token === undefined ? [] : [insertToken]),
      ...(mayHaveQuota ? [setMoving(bucket.id, true)] : []),
    ],
    // The blob keeps its one reference, but the orphan scan would look for it under the old key.
    after: [
      copyAttributes(bucket.id, source.key, key),
      copyAnnotations(bucket.id, source.key, key),
      deleteCurrentRows(bucket.id, JSON.stringify([source.key])),
      trackReference(referenceId),
      ...(mayHaveQuota ? [setMoving(bucket.id, false)] : []),
    ],
  };
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

/** Copies the source's current tags and ACL, which may have changed without a new version since the lookup. */
function copyAttributes(bucketId: string, from: string, to: string): Statement {
  return listStatement(
    `UPDATE objects SET tags = s.tags, acl = s.acl
     FROM json_each(?1) m CROSS JOIN objects s ON s.bucket_id = ?2 AND s.key = m.value ->> 0
     WHERE objects.bucket_id = ?2 AND objects.key = m.value ->> 1 AND (objects.tags, objects.acl) IS NOT (s.tags, s.acl)`,
    [[from, to]],
    bucketId,
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
