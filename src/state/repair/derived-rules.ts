// The invariants of rows that are derived from versions or belong to them: counters of quotas, annotations, and the indexes
// of queries. Each is one select of its violations, as in consistency.ts.
import { VERSION_MAX_ANNOTATION_BYTES, VERSION_MAX_ANNOTATIONS } from "../../protocol/objects/annotations.ts";

/** Whether an id is in the scope of the check. */
export const inScope = (id: string): string => `${id} >= ?1 AND ${id} < ?2`;
/** Whether the bucket of a row is in the scope of the check. */
export const bucketInScope = (table: string): string => inScope(`${table}.bucket_id || '/'`);
/** The name of a version in findings. */
export const nameOf = (row: string): string => `${row}.bucket_id || '/' || ${row}.key || ' ' || ${row}.version_id`;

/** Defines the table of all versions. */
export const ALL_VERSIONS = `all_versions (bucket_id, key, version_id, size, blob_id, manifest_id, is_null_version, is_marker) AS (
    SELECT bucket_id, key, version_id, size, blob_id, manifest_id, is_null_version, 0 FROM objects
    UNION ALL SELECT bucket_id, key, version_id, size, blob_id, manifest_id, is_null_version, is_delete_marker FROM versions)`;

const ofVersion = (table: string, row: string): string =>
  `EXISTS (SELECT 1 FROM ${table} t
     WHERE t.bucket_id = ${row}.bucket_id AND t.key = ${row}.key AND t.version_id = ${row}.version_id)`;
const hasVersion = (row: string): string => `(${ofVersion("objects", row)} OR ${ofVersion("versions", row)})`;
const ENTRY = "index_id, name, value, key";

/** Each rule selects one column: a finding in words. */
export const DERIVED_RULES: readonly string[] = [
  `WITH ${ALL_VERSIONS}, stored (bucket_id, bytes, objects) AS MATERIALIZED (
     SELECT q.bucket_id, coalesce(sum(v.size), 0), count(v.key) FROM bucket_quotas q
     LEFT JOIN all_versions v ON v.bucket_id = q.bucket_id AND v.is_marker = 0
     WHERE q.counted_to IS NULL AND ${bucketInScope("q")} GROUP BY q.bucket_id)
   SELECT 'the quota of ' || q.bucket_id || ' counts ' || q.bytes || ' bytes in ' || q.objects || ' versions, stored are '
     || s.bytes || ' in ' || s.objects || ': count it again with POST ?quota'
   FROM stored s JOIN bucket_quotas q USING (bucket_id) WHERE q.bytes <> s.bytes OR q.objects <> s.objects`,

  `SELECT 'annotation ' || a.name || ' belongs to no version: ' || ${nameOf("a")} FROM annotations a
   WHERE NOT ${hasVersion("a")} AND NOT ${ofVersion("purged_annotations", "a")} AND ${bucketInScope("a")}`,

  `SELECT 'annotation ' || a.name || ' of version ' || ${nameOf("a")} || ' has ' || length(CAST(a.payload AS BLOB))
     || ' bytes, recorded are ' || a.size FROM annotations a
   WHERE a.size <> length(CAST(a.payload AS BLOB)) AND ${bucketInScope("a")}`,

  `SELECT 'version ' || ${nameOf("a")} || ' has ' || count(*) || ' annotations of ' || sum(a.size) || ' bytes'
   FROM annotations a WHERE ${bucketInScope("a")} GROUP BY a.bucket_id, a.key, a.version_id
   HAVING count(*) > ${VERSION_MAX_ANNOTATIONS} OR sum(a.size) > ${VERSION_MAX_ANNOTATION_BYTES}`,

  `SELECT 'the index ' || i.kind || ' ' || i.name || ' of ' || i.bucket_id || ' lacks an entry of ' || m.key
     || ': delete its configuration and put it again'
   FROM (SELECT ${ENTRY} FROM query_terms t WHERE ${bucketInScope("t")}
         EXCEPT SELECT ${ENTRY} FROM query_entries) m
   JOIN query_indexes i ON i.id = m.index_id AND i.indexed_to IS NULL`,

  `SELECT 'the index ' || i.kind || ' ' || i.name || ' of ' || i.bucket_id || ' has an outdated entry of ' || m.key
     || ': delete its configuration and put it again'
   FROM (SELECT ${ENTRY} FROM query_entries EXCEPT SELECT ${ENTRY} FROM query_terms) m
   JOIN query_indexes i ON i.id = m.index_id WHERE ${bucketInScope("i")}`,
];
