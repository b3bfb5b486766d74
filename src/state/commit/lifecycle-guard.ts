// Guards of lifecycle actions: the rules and the versions they were evaluated on must be unchanged at the commit.
import type { Bucket } from "../metadata/buckets.ts";
import { statement, type Statement } from "../d1/database.ts";
import { jsonPages } from "../d1/json-pages.ts";

/** The facts about a version that lifecycle rules were evaluated on. */
export type EvaluatedVersion = {
  readonly key: string;
  readonly versionId: string;
  /** In stored form. */
  readonly tags: string | null;
} & (
  | { readonly place: "current" | "sole" }
  | {
      readonly place: "noncurrent";
      /** The next newer version of the key. */
      readonly successorId: string;
      /** The least number of newer rows of the key in the versions table. */
      readonly newerVersions: number;
    }
  | { readonly place: "any"; readonly referenceId: string }
);

/** An evaluated version and the revision of the configuration that it was evaluated by. */
export interface ActionPrecondition {
  readonly revision: string;
  readonly version: EvaluatedVersion;
}

/** Aborts the batch unless the bucket's lifecycle rules have this revision. */
export function guardRules({ name, id }: Bucket, revision: string): Statement {
  return statement(
    `INSERT INTO lifecycle_rules_guard (bucket_name, bucket_id, revision) VALUES (?, ?, ?)`,
    name,
    id,
    revision,
  );
}

/** Abort the batch unless the rules and versions are as they were evaluated. */
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
