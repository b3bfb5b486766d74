// The buckets table: lookup, listing, creation, deletion and configurations of buckets.
import type { CorsRule } from "../../protocol/buckets/cors.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import { countNextRange } from "./bucket-quotas.ts";

/** A bucket. A bucket that is deleted and created again has another `id`. */
export interface Bucket {
  readonly name: string;
  readonly id: string;
  readonly ownerId: string;
  readonly region: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** null: never enabled. */
  readonly versioning: Versioning | null;
  readonly cors: readonly CorsRule[];
  /** The user who created the bucket, and whose ListBuckets returns it; null: root. */
  readonly creatorId: string | null;
  readonly configurations: BucketConfigurations;
  /** New version ids are later than this time (milliseconds since the epoch; null: no bound). See snapshots.ts. */
  readonly snapshotFloor: number | null;
  /** Raised by each purge of the answers that delivery hosts have cached. */
  readonly deliveryEpoch: number;
}

/** A bucket's configurations as texts; null: not set. The operations of each configuration parse its text. */
export type BucketConfigurations = Readonly<Record<ConfigurationName, string | null>>;

/** No configuration is set. */
export const NO_CONFIGURATIONS: BucketConfigurations = {
  tags: null,
  policy: null,
  acl: null,
  ownership: null,
  public_access_block: null,
  encryption: null,
  lifecycle: null,
  website: null,
  delivery: null,
  object_lock: null,
  notification: null,
  quota: null,
  query_index: null,
  upstream: null,
};

/** A configuration's name, which is also its column. */
export type ConfigurationName =
  | "tags"
  | "policy"
  | "acl"
  | "ownership"
  | "public_access_block"
  | "encryption"
  | "lifecycle"
  | "website"
  | "delivery"
  | "object_lock"
  | "notification"
  | "quota"
  | "query_index"
  | "upstream";

export type Versioning = "Enabled" | "Suspended";

/** The columns of a bucket, prefixed so that queries can join other tables. */
export interface BucketRow {
  readonly bucket_name: string;
  readonly bucket_id: string;
  readonly bucket_owner_id: string;
  readonly bucket_region: string;
  readonly bucket_created_at: number;
  readonly bucket_versioning: Versioning | null;
  readonly bucket_cors: string | null;
  readonly bucket_creator_id: string | null;
  readonly bucket_tags: string | null;
  readonly bucket_policy: string | null;
  readonly bucket_acl: string | null;
  readonly bucket_ownership: string | null;
  readonly bucket_public_access_block: string | null;
  readonly bucket_encryption: string | null;
  readonly bucket_lifecycle: string | null;
  readonly bucket_website: string | null;
  readonly bucket_delivery: string | null;
  readonly bucket_notification: string | null;
  readonly bucket_delivery_epoch: number;
  readonly bucket_object_lock: string | null;
  readonly bucket_quota: string | null;
  readonly bucket_query_index: string | null;
  readonly bucket_upstream: string | null;
  readonly bucket_snapshot_floor: number | null;
}

/** The columns of a {@link BucketRow}, for the table alias `b`. */
export const BUCKET_COLUMNS = `b.name AS bucket_name, b.id AS bucket_id, b.owner_id AS bucket_owner_id,
  b.region AS bucket_region, b.created_at AS bucket_created_at, b.versioning AS bucket_versioning, b.cors AS bucket_cors,
  b.creator_id AS bucket_creator_id, b.tags AS bucket_tags, b.policy AS bucket_policy, b.acl AS bucket_acl,
  b.ownership AS bucket_ownership, b.public_access_block AS bucket_public_access_block,
  b.encryption AS bucket_encryption, b.lifecycle AS bucket_lifecycle, b.website AS bucket_website,
  b.delivery AS bucket_delivery, b.delivery_epoch AS bucket_delivery_epoch, b.notification AS bucket_notification,
  b.object_lock AS bucket_object_lock, b.quota AS bucket_quota, b.query_index AS bucket_query_index,
  b.upstream AS bucket_upstream,
  b.snapshot_floor AS bucket_snapshot_floor`;

export function bucketFromRow(row: BucketRow): Bucket {
  return {
    name: row.bucket_name,
    id: row.bucket_id,
    ownerId: row.bucket_owner_id,
    region: row.bucket_region,
    createdAt: row.bucket_created_at,
    versioning: row.bucket_versioning,
    cors: parseRules(row.bucket_cors),
    creatorId: row.bucket_creator_id,
    configurations: {
      tags: row.bucket_tags,
      policy: row.bucket_policy,
      acl: row.bucket_acl,
      ownership: row.bucket_ownership,
      public_access_block: row.bucket_public_access_block,
      encryption: row.bucket_encryption,
      lifecycle: row.bucket_lifecycle,
      website: row.bucket_website,
      delivery: row.bucket_delivery,
      object_lock: row.bucket_object_lock,
      notification: row.bucket_notification,
      quota: row.bucket_quota,
      query_index: row.bucket_query_index,
      upstream: row.bucket_upstream,
    },
    snapshotFloor: row.bucket_snapshot_floor,
    deliveryEpoch: row.bucket_delivery_epoch,
  };
}

/** Reads the stored form that {@link setCors} writes. */
function parseRules(json: string | null): readonly CorsRule[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return json === null ? [] : (JSON.parse(json) as readonly CorsRule[]);
}

/** A bucket, which every operation on buckets and objects looks up; undefined if it does not exist. */
export interface BucketFacts {
  readonly bucket: Bucket | undefined;
}

/** Looks up a bucket by name. */
export function lookUpBucket(name: string): Lookup<BucketFacts> {
  return {
    statements: [selectBucket(name)],
    read: (results) => ({ bucket: rowsOf<BucketRow>(results).map(bucketFromRow)[0] }),
  };
}

export function selectBucket(name: string): Statement {
  return statement(`SELECT ${BUCKET_COLUMNS} FROM buckets b WHERE b.name = ?`, name);
}

/** Creates a bucket unless its name is taken. Returns the bucket that has the name afterwards. */
export function insertBucket(bucket: Bucket): Lookup<{ readonly existing: Bucket | undefined }> {
  return {
    statements: [
      statement(
        `INSERT INTO buckets (name, id, owner_id, region, created_at, creator_id, acl, ownership, tags, versioning,
           object_lock)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        bucket.name,
        bucket.id,
        bucket.ownerId,
        bucket.region,
        bucket.createdAt,
        bucket.creatorId,
        bucket.configurations.acl,
        bucket.configurations.ownership,
        bucket.configurations.tags,
        bucket.versioning,
        bucket.configurations.object_lock,
      ),
      selectBucket(bucket.name),
      // If its creator has a quota, a new bucket counts for it at once.
      ...(bucket.creatorId === null ? [] : [countNextRange(bucket.id)]),
    ],
    read: (results) => ({ existing: rowsOf<BucketRow>(results, 1).map(bucketFromRow)[0] }),
  };
}

/** Aborts the batch if the bucket contains versions, delete markers or snapshots. */
export function guardEmptyBucket({ id }: Bucket): Statement {
  return statement(`INSERT INTO empty_bucket_guard (bucket_id) VALUES (?)`, id);
}

/** Delete an empty bucket. An open upload refuses the batch with "source changed". */
export function deleteEmptyBucket(bucket: Bucket): Statement[] {
  const { name, id } = bucket;
  return [
    guardEmptyBucket(bucket),
    statement(
      `INSERT INTO source_guard (bucket_id, key, version_id)
       SELECT NULL, NULL, NULL WHERE EXISTS (SELECT 1 FROM uploads WHERE bucket_id = ?)`,
      id,
    ),
    statement(`DELETE FROM buckets WHERE name = ? AND id = ?`, name, id),
  ];
}

/** Delete the row of a bucket that nothing was written to. */
export function deleteBucketRow(bucket: Bucket): Statement[] {
  return [guardEmptyBucket(bucket), statement(`DELETE FROM buckets WHERE name = ? AND id = ?`, bucket.name, bucket.id)];
}

/** A page of an account's buckets: names from `from` (inclusive) to `before` (exclusive), in a region. */
export interface BucketPage {
  readonly ownerId: string;
  /** The user whose buckets to list; undefined: all buckets of the account. */
  readonly creatorId: string | undefined;
  readonly from: string;
  readonly before: string | undefined;
  readonly region: string | undefined;
  readonly limit: number;
}

/** Lists a page of buckets in the order of their names. */
export function listBuckets({ ownerId, creatorId, from, before, region, limit }: BucketPage): Lookup<Bucket[]> {
  const ofCreator = creatorId === undefined ? "" : "AND b.creator_id = ?6";
  return {
    statements: [
      statement(
        `SELECT ${BUCKET_COLUMNS} FROM buckets b
         WHERE b.name >= ?1 AND (?2 IS NULL OR b.name < ?2) AND b.owner_id = ?3 ${ofCreator} AND (?4 IS NULL OR b.region = ?4)
         ORDER BY b.name LIMIT ?5`,
        from,
        before ?? null,
        ownerId,
        region ?? null,
        limit,
        ...(creatorId === undefined ? [] : [creatorId]),
      ),
    ],
    read: (results) => rowsOf<BucketRow>(results).map(bucketFromRow),
  };
}

/**
 * Enables or suspends versioning. Suspending has no effect while the bucket has snapshots, or once its Object Lock is
 * enabled: both require versioning.
 */
export function setVersioning({ name, id }: Bucket, versioning: Versioning): Statement {
  return statement(
    `UPDATE buckets SET versioning = ?1 WHERE name = ?2 AND id = ?3
       AND (?1 = 'Enabled'
         OR (object_lock IS NULL AND NOT EXISTS (SELECT 1 FROM snapshots WHERE bucket_id = ?3)))`,
    versioning,
    name,
    id,
  );
}

/** Sets a bucket's CORS rules; an empty list deletes them. */
export function setCors({ name, id }: Bucket, rules: readonly CorsRule[]): Statement {
  const json = rules.length === 0 ? null : JSON.stringify(rules);
  return statement(`UPDATE buckets SET cors = ? WHERE name = ? AND id = ?`, json, name, id);
}

/** Enables Object Lock or changes its default retention, unless versioning is not enabled. */
export function setObjectLock({ name, id }: Bucket, text: string): Statement {
  return statement(
    `UPDATE buckets SET object_lock = ? WHERE name = ? AND id = ? AND versioning = 'Enabled'`,
    text,
    name,
    id,
  );
}

/** Sets one of a bucket's configurations; null deletes it. */
export function setConfiguration({ name, id }: Bucket, column: ConfigurationName, text: string | null): Statement {
  return statement(`UPDATE buckets SET ${column} = ? WHERE name = ? AND id = ?`, text, name, id);
}

/** Sets a bucket's delivery configuration if it equals that in `bucket`; the result's `changes` is 1 if so. */
export function replaceDelivery({ name, id, configurations }: Bucket, text: string | null): Statement {
  return statement(
    `UPDATE buckets SET delivery = ? WHERE name = ? AND id = ? AND delivery IS ?`,
    text,
    name,
    id,
    configurations.delivery,
  );
}

/** Sets a bucket's tags if they equal those in `bucket`; the result's `changes` is 1 if so. */
export function replaceTags({ name, id, configurations }: Bucket, tags: string | null): Statement {
  return statement(
    `UPDATE buckets SET tags = ? WHERE name = ? AND id = ? AND tags IS ?`,
    tags,
    name,
    id,
    configurations.tags,
  );
}
