// What must still be so when a lifecycle rule is carried out: the rules themselves, and all that they looked at.
import type { Bucket } from "../metadata/buckets.ts";
import { statement, type Statement } from "../d1/database.ts";
import { jsonPages } from "../d1/json-pages.ts";

/** A version as it was judged, under its key. */
export type EvaluatedVersion = {
  readonly key: string;
  readonly versionId: string;
  /** As they are kept. */
  readonly tags: string | null;
} & (
  | { readonly place: "current" | "sole" }
  | {
      readonly place: "noncurrent";
      /** The next newer version of the key. */
      readonly successorId: string;
      /** How many newer rows of the versions table there must be at the least. */
      readonly newerVersions: number;
    }
  | { readonly place: "any"; readonly referenceId: string }
);

/** A version as it was judged, and the configuration that it was judged by. */
export interface ActionPrecondition {
  readonly revision: string;
  readonly version: EvaluatedVersion;
}

/** The statement that aborts its batch unless the rules are those of a revision. */
export function guardRules({ name, id }: Bucket, revision: string): Statement {
  return statement(
    `INSERT INTO lifecycle_rules_guard (bucket_name, bucket_id, revision) VALUES (?, ?, ?)`,
    name,
    id,
    revision,
  );
}

/** The statements that abort their batch unless the rules and the versions are as they were judged. */
export function guardPreconditions(bucket: Bucket, preconditions: readonly ActionPrecondition[]): Statement[] {
  const revisions = new Set(preconditions.map(({ revision }) => revision));
  return [
    ...Array.from(revisions, (revision) => guardRules(bucket, revision)),
    ...jsonPages(preconditions.map(({ version }) => version)).map((page) =>
      statement(
        `INSERT INTO judged_version_guard (bucket_id, key, version_id, place, tags, successor_id, newer_versions, holding_id)
         SELECT ?1, v.value ->> 'key', v.value ->> 'versionId', v.value ->> 'place', v.value ->> 'tags',
           v.value ->> 'successorId', v.value ->> 'newerVersions', v.value ->> 'referenceId'
         FROM json_each(?2) v`,
        bucket.id,
        page,
      ),
    ),
  ];
}
