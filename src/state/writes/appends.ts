// The statements of the batch in which an append replaces an object by a longer one, which keeps the annotations and most
// blobs of the replaced version.
import { tagsJson } from "../../protocol/core/stored-metadata.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import { statement, type Statement } from "../d1/database.ts";
import { carryAnnotations } from "../metadata/annotations.ts";
import { addReference } from "../metadata/blob-references.ts";
import type { Bucket } from "../metadata/buckets.ts";
import type { AppendBase } from "../reads/append-bases.ts";
import { referenceOf } from "../reads/copy-sources.ts";
import { guardVersioning } from "./renames.ts";

/** The statements around the new version: guards and references before it, annotations after it. */
export interface AppendStatements {
  readonly before: readonly Statement[];
  readonly after: readonly Statement[];
}

/**
 * The statements of an append.
 * @param kept the references that the new version's manifest takes from the replaced one; none if it has no manifest
 */
export function appendStatements(
  bucket: Bucket,
  { object, references }: AppendBase,
  kept: readonly string[],
): AppendStatements {
  return {
    // The coordinator adapts to a change of versioning; references that were handed on must not.
    before: [guardVersioning(bucket), guardBase(bucket, object), ...keepReferences(bucket, object, references, kept)],
    after: [carryAnnotations(bucket.id, object.key, object.versionId)],
  };
}

/** Aborts the batch unless the object is still the one that the request read, with the same bytes, tags and list. */
function guardBase(bucket: Bucket, object: StoredObject): Statement {
  return statement(
    `INSERT INTO source_guard (bucket_id, key, version_id, holding_id)
     SELECT ?1, ?2, ?3, CASE WHEN EXISTS (
       SELECT 1 FROM objects WHERE bucket_id = ?1 AND key = ?2 AND tags IS ?5 AND acl IS ?6) THEN ?4 ELSE '' END`,
    bucket.id,
    object.key,
    object.versionId,
    referenceOf(object),
    tagsJson(object.tags),
    object.acl ?? null,
  );
}

/** Whether anything but the replaced row references the manifest ?1. */
const IS_SHARED = "coalesce((SELECT holders FROM shared_blobs WHERE blob_id = ?1), 1) > 1";

/**
 * References the kept blobs from the new manifest. The manifest of a version that is gone after this batch hands its
 * references on, so that an append costs the same however many blobs the object has.
 */
function keepReferences(
  bucket: Bucket,
  { blobId, manifestId }: StoredObject,
  references: readonly string[],
  kept: readonly string[],
): Statement[] {
  if (kept.length === 0) return [];
  if (blobId !== undefined || manifestId === undefined) return kept.map(addReference);
  const keptJson = JSON.stringify(kept);
  const share = (condition: string): Statement =>
    statement(
      `INSERT INTO shared_blobs (blob_id, holders) SELECT value, 2 FROM json_each(?2) WHERE ${condition}
       ON CONFLICT DO UPDATE SET holders = holders + 1`,
      manifestId,
      keptJson,
    );
  if (bucket.versioning !== null) return [share("?1 IS NOT NULL")];
  const rest = new Set(kept);
  const left = references.filter((id) => !rest.has(id));
  return [
    share(IS_SHARED),
    // The orphan scan does not find a blob in another manifest than that of its own append.
    statement(
      `INSERT INTO shared_blobs (blob_id, holders) SELECT DISTINCT value, 1 FROM json_each(?2) WHERE NOT (${IS_SHARED})
       ON CONFLICT DO NOTHING`,
      manifestId,
      keptJson,
    ),
    statement(
      `UPDATE manifests SET holdings = CASE page WHEN 0 THEN ?2 ELSE '[]' END WHERE manifest_id = ?1 AND NOT (${IS_SHARED})`,
      manifestId,
      JSON.stringify(left),
    ),
  ];
}
