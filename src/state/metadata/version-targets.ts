// Looks up many versions by key and version id, for DeleteObjects.
import type { ConditionSubject } from "../../protocol/objects/conditions.ts";
import type { LegalHold, ObjectLock } from "../../protocol/objects/object-lock.ts";
import type { Tag } from "../../protocol/core/tagging.ts";
import { rowsOf, statement, type Lookup } from "../d1/database.ts";
import { RETENTION } from "./object-columns.ts";
import { jsonPages } from "../d1/json-pages.ts";
import { parseTags } from "../../protocol/core/stored-metadata.ts";

/** A version as a client names it: by id, `"null"`, or undefined for the current one. */
interface NamedVersion {
  readonly key: string;
  readonly versionId: string | undefined;
}

/** An existing version: its id, the facts that conditions test, and its tags and ACL for authorization. */
export interface FoundVersion extends ConditionSubject, ObjectLock {
  readonly isDeleteMarker: boolean;
  readonly tags: readonly Tag[];
  readonly acl: string | undefined;
}

/** The key of a version in the map of {@link lookUpTargets}. */
export function targetName({ key, versionId }: NamedVersion): string {
  return JSON.stringify([key, versionId]);
}

// Without the hint, SQLite scans all versions of the key for the null version.
const NULL_VERSIONS = "versions AS o INDEXED BY null_versions";

const arm = (table: string, isMarker: string, match: string): string =>
  `SELECT o.key, n.value ->> 'versionId' AS named, o.version_id, ${isMarker} AS is_delete_marker, o.etag, o.size,
     o.modified_at, o.tags, o.acl, o.retention_mode, o.retain_until, o.legal_hold
   FROM json_each(?2) n CROSS JOIN ${table} ON o.bucket_id = ?1 AND o.key = n.value ->> 'key' AND ${match}`;

/** Looks up the named versions that exist, by {@link targetName}. */
export function lookUpTargets(
  bucketId: string,
  named: readonly NamedVersion[],
): Lookup<{ readonly targets: ReadonlyMap<string, FoundVersion> }> {
  interface TargetRow {
    readonly key: string;
    readonly named: string;
    readonly version_id: string;
    readonly is_delete_marker: number;
    readonly etag: string;
    readonly size: number;
    readonly modified_at: number;
    readonly tags: string | null;
    readonly acl: string | null;
    readonly retention_mode: string | null;
    readonly retain_until: number | null;
    readonly legal_hold: LegalHold | null;
  }
  const pages = jsonPages(named.map(({ key, versionId }) => ({ key, versionId })));
  const byId = "o.version_id = n.value ->> 'versionId'";
  const byNull = "o.is_null_version = 1 AND n.value ->> 'versionId' = 'null'";
  return {
    statements: pages.map((names) =>
      statement(
        `${arm("objects AS o", "0", `(${byId} OR (${byNull}))`)}
         UNION ALL ${arm("versions AS o", "o.is_delete_marker", byId)}
         UNION ALL ${arm(NULL_VERSIONS, "o.is_delete_marker", byNull)}`,
        bucketId,
        names,
      ),
    ),
    read: (results) => ({
      targets: new Map(
        results.flatMap((_, index) =>
          rowsOf<TargetRow>(results, index).map((row) => [
            targetName({ key: row.key, versionId: row.named }),
            {
              versionId: row.version_id,
              isDeleteMarker: row.is_delete_marker === 1,
              etag: row.etag,
              size: row.size,
              modifiedAt: row.modified_at,
              tags: parseTags(row.tags),
              acl: row.acl ?? undefined,
              retention: RETENTION.read([row.retention_mode, row.retain_until]),
              legalHold: row.legal_hold ?? undefined,
            },
          ]),
        ),
      ),
    }),
  };
}
