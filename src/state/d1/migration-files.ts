// Every file of the migrations folder, in order. Written by `npm run migrations:carry`.
import M0001 from "../../../migrations/0001_buckets.sql";
import M0002 from "../../../migrations/0002_objects.sql";
import M0003 from "../../../migrations/0003_blobs.sql";
import M0004 from "../../../migrations/0004_commit_guard.sql";
import M0005 from "../../../migrations/0005_multipart.sql";
import M0006 from "../../../migrations/0006_versions.sql";
import M0007 from "../../../migrations/0007_rename_tokens.sql";
import M0008 from "../../../migrations/0008_bucket_tags.sql";
import M0009 from "../../../migrations/0009_bucket_cors.sql";
import M0010 from "../../../migrations/0010_bucket_access.sql";
import M0011 from "../../../migrations/0011_object_acls.sql";
import M0012 from "../../../migrations/0012_identities.sql";
import M0013 from "../../../migrations/0013_jobs.sql";
import M0014 from "../../../migrations/0014_lifecycle.sql";
import M0015 from "../../../migrations/0015_snapshots.sql";
import M0016 from "../../../migrations/0016_orphans_and_findings.sql";
import M0017 from "../../../migrations/0017_transitions_backwards.sql";
import M0018 from "../../../migrations/0018_storage_class_transitions.sql";
import M0019 from "../../../migrations/0019_manifest_pages.sql";
import M0020 from "../../../migrations/0020_recovered_blobs.sql";
import M0021 from "../../../migrations/0021_deletion_hold.sql";
import M0022 from "../../../migrations/0022_bucket_website.sql";
import M0023 from "../../../migrations/0023_bucket_placements.sql";
import M0024 from "../../../migrations/0024_delivery.sql";
import M0025 from "../../../migrations/0025_object_lock.sql";
import M0026 from "../../../migrations/0026_delivery_claims.sql";
import M0027 from "../../../migrations/0027_request_usage.sql";
import M0028 from "../../../migrations/0028_bucket_events.sql";
import M0029 from "../../../migrations/0029_annotations.sql";
import M0030 from "../../../migrations/0030_bucket_quotas.sql";
import M0031 from "../../../migrations/0031_query_indexes.sql";
import M0032 from "../../../migrations/0032_bucket_upstream.sql";
import M0033 from "../../../migrations/0033_user_quotas.sql";
import M0034 from "../../../migrations/0034_small_blobs.sql";
import M0035 from "../../../migrations/0035_request_usage_by_key.sql";
import M0036 from "../../../migrations/0036_job_outcomes.sql";
import M0037 from "../../../migrations/0037_reference_releases.sql";
import M0038 from "../../../migrations/0038_spent_sessions.sql";

export interface Migration {
  readonly name: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  { name: "0001_buckets.sql", sql: M0001 },
  { name: "0002_objects.sql", sql: M0002 },
  { name: "0003_blobs.sql", sql: M0003 },
  { name: "0004_commit_guard.sql", sql: M0004 },
  { name: "0005_multipart.sql", sql: M0005 },
  { name: "0006_versions.sql", sql: M0006 },
  { name: "0007_rename_tokens.sql", sql: M0007 },
  { name: "0008_bucket_tags.sql", sql: M0008 },
  { name: "0009_bucket_cors.sql", sql: M0009 },
  { name: "0010_bucket_access.sql", sql: M0010 },
  { name: "0011_object_acls.sql", sql: M0011 },
  { name: "0012_identities.sql", sql: M0012 },
  { name: "0013_jobs.sql", sql: M0013 },
  { name: "0014_lifecycle.sql", sql: M0014 },
  { name: "0015_snapshots.sql", sql: M0015 },
  { name: "0016_orphans_and_findings.sql", sql: M0016 },
  { name: "0017_transitions_backwards.sql", sql: M0017 },
  { name: "0018_storage_class_transitions.sql", sql: M0018 },
  { name: "0019_manifest_pages.sql", sql: M0019 },
  { name: "0020_recovered_blobs.sql", sql: M0020 },
  { name: "0021_deletion_hold.sql", sql: M0021 },
  { name: "0022_bucket_website.sql", sql: M0022 },
  { name: "0023_bucket_placements.sql", sql: M0023 },
  { name: "0024_delivery.sql", sql: M0024 },
  { name: "0025_object_lock.sql", sql: M0025 },
  { name: "0026_delivery_claims.sql", sql: M0026 },
  { name: "0027_request_usage.sql", sql: M0027 },
  { name: "0028_bucket_events.sql", sql: M0028 },
  { name: "0029_annotations.sql", sql: M0029 },
  { name: "0030_bucket_quotas.sql", sql: M0030 },
  { name: "0031_query_indexes.sql", sql: M0031 },
  { name: "0032_bucket_upstream.sql", sql: M0032 },
  { name: "0033_user_quotas.sql", sql: M0033 },
  { name: "0034_small_blobs.sql", sql: M0034 },
  { name: "0035_request_usage_by_key.sql", sql: M0035 },
  { name: "0036_job_outcomes.sql", sql: M0036 },
  { name: "0037_reference_releases.sql", sql: M0037 },
  { name: "0038_spent_sessions.sql", sql: M0038 },
];
