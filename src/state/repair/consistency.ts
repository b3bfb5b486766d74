// The invariants between the tables, each as one select of its violations. References are counted from the referring
// rows and compared with shared_blobs and garbage.
import { FRAME_BYTES, FrameLayout, SALT_BYTES } from "../../bytes/frame-layout.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import { ALL_VERSIONS, bucketInScope, DERIVED_RULES, inScope, nameOf } from "./derived-rules.ts";

/** The ids (`<bucket id>/…`) and buckets to check: from `from` (inclusive) to `before` (exclusive). */
export interface ConsistencyScope {
  readonly from: string;
  readonly before: string;
}

export const EVERYTHING: ConsistencyScope = { from: "", before: "\u{10FFFF}" };

/** Returns the scope of one bucket. "0" is the character after "/". */
export function scopeOfBucket(bucketId: string): ConsistencyScope {
  return { from: `${bucketId}/`, before: `${bucketId}0` };
}

// Bounds the answer if a rule is violated everywhere.
const MAX_FINDINGS_PER_RULE = 100;

/** `refs`: one row per reference to a blob or manifest. `counted`: the number of references of each. */
const REFERENCES = `refs (id) AS MATERIALIZED (
    SELECT coalesce(blob_id, manifest_id) FROM objects
    UNION ALL SELECT coalesce(blob_id, manifest_id) FROM versions WHERE is_delete_marker = 0
    UNION ALL SELECT holding_id FROM parts
    UNION ALL SELECT h.value FROM manifests m, json_each(m.holdings) h),
  counted (id, holders) AS MATERIALIZED (
    SELECT id, count(*) FROM refs WHERE id IS NOT NULL GROUP BY id)`;

const MANIFEST_SLICES = `manifest_slices (manifest_id, page, number, start, blob_id, "offset", length) AS (
    SELECT m.manifest_id, m.page, s.key, s.value ->> 0, s.value ->> 1, s.value ->> 2, s.value ->> 3
    FROM manifests m, json_each(m.slices) s)`;

const PART_SLICES = `part_slices (upload_id, part_number, holding_id, blob_id, "offset", length) AS (
    SELECT p.upload_id, p.part_number, p.holding_id, s.value ->> 0, s.value ->> 1, s.value ->> 2
    FROM parts p, json_each(p.slices) s)`;

/** Each rule selects one column: a finding in words. */
const RULES: readonly string[] = [
  `WITH ${REFERENCES}
   SELECT c.id || ' has ' || c.holders || ' holders, recorded are ' || coalesce(s.holders, 1)
   FROM counted c LEFT JOIN shared_blobs s ON s.blob_id = c.id
   WHERE coalesce(s.holders, 1) <> c.holders AND ${inScope("c.id")}`,

  `WITH ${REFERENCES}
   SELECT s.blob_id || ' has no holder, recorded are ' || s.holders FROM shared_blobs s
   WHERE s.blob_id NOT IN (SELECT id FROM counted) AND ${inScope("s.blob_id")}`,

  `WITH ${REFERENCES}
   SELECT g.blob_id || ' is in the garbage and has ' || c.holders || ' holders'
   FROM garbage g JOIN counted c ON c.id = g.blob_id WHERE ${inScope("g.blob_id")}`,

  `WITH ${REFERENCES}
   SELECT m.manifest_id || ' is a manifest without holder and not in the garbage' FROM manifests m
   WHERE m.page = 0 AND m.manifest_id NOT IN (SELECT id FROM counted)
     AND m.manifest_id NOT IN (SELECT blob_id FROM garbage) AND ${inScope("m.manifest_id")}`,

  `WITH ${REFERENCES}
   SELECT t.blob_id || ' is condemned and has ' || c.holders || ' holders'
   FROM scan_tombstones t JOIN counted c ON c.id = t.blob_id WHERE ${inScope("t.blob_id")}`,

  `WITH ${ALL_VERSIONS}
   SELECT 'version ' || ${nameOf("v")} || ' is not in exactly one blob or manifest, or is a marker that holds one'
   FROM all_versions v
   WHERE (v.blob_id IS NOT NULL) + (v.manifest_id IS NOT NULL) <> 1 - v.is_marker AND ${bucketInScope("v")}`,

  `SELECT 'current version ' || ${nameOf("o")} || ' is not newer than version ' || v.version_id
   FROM objects o JOIN versions v ON v.bucket_id = o.bucket_id AND v.key = o.key AND v.version_id <= o.version_id
   WHERE ${bucketInScope("o")}`,

  `SELECT 'version ' || ${nameOf("v")} || ' is the newest of its key, no delete marker, and not current'
   FROM versions v
   WHERE v.is_delete_marker = 0
     AND NOT EXISTS (SELECT 1 FROM objects o WHERE o.bucket_id = v.bucket_id AND o.key = v.key)
     AND NOT EXISTS (SELECT 1 FROM versions n
                     WHERE n.bucket_id = v.bucket_id AND n.key = v.key AND n.version_id < v.version_id)
     AND ${bucketInScope("v")}`,

  `WITH ${ALL_VERSIONS}
   SELECT v.bucket_id || '/' || v.key || ' has ' || count(*) || ' null versions' FROM all_versions v
   WHERE v.is_null_version = 1 AND ${bucketInScope("v")} GROUP BY v.bucket_id, v.key HAVING count(*) > 1`,

  `WITH ${ALL_VERSIONS}, ${MANIFEST_SLICES}, totals (manifest_id, size) AS MATERIALIZED (
     SELECT manifest_id, sum(length) FROM manifest_slices GROUP BY manifest_id)
   SELECT 'version ' || ${nameOf("v")} || ' has ' || v.size || ' bytes, its manifest ' || coalesce(t.size, 'none')
   FROM all_versions v LEFT JOIN totals t USING (manifest_id)
   WHERE v.manifest_id IS NOT NULL AND t.size IS NOT v.size AND ${bucketInScope("v")}
     AND NOT (v.size = 0 AND v.manifest_id IN (SELECT manifest_id FROM manifests))`,

  `WITH ${MANIFEST_SLICES}, neighbours AS (
     SELECT manifest_id, start, lag(start + length, 1, 0) OVER (PARTITION BY manifest_id ORDER BY page, number) AS due
     FROM manifest_slices)
   SELECT 'manifest ' || n.manifest_id || ' has a slice at ' || n.start || ' where ' || n.due || ' is due'
   FROM neighbours n WHERE n.start <> n.due AND ${inScope("n.manifest_id")}`,

  `SELECT 'manifest ' || m.manifest_id || ' lacks a page' FROM manifests m
   WHERE ${inScope("m.manifest_id")} GROUP BY m.manifest_id HAVING max(m.page) <> count(*) - 1`,

  // Compares sets, because a lookup of all references per slice would be quadratic. A manifest in the garbage may have
  // handed its references on to the object that an append made of it.
  `WITH ${MANIFEST_SLICES}, direct (manifest_id, id) AS MATERIALIZED (
     SELECT DISTINCT m.manifest_id, h.value FROM manifests m, json_each(m.holdings) h
     WHERE ${inScope("m.manifest_id")}),
   reachable (manifest_id, id) AS MATERIALIZED (
     SELECT manifest_id, id FROM direct
     UNION SELECT d.manifest_id, t.value ->> 1
     FROM direct d CROSS JOIN manifests i ON i.manifest_id = d.id CROSS JOIN json_each(i.slices) t)
   SELECT DISTINCT 'manifest ' || s.manifest_id || ' has a slice of ' || s.blob_id || ' and does not hold it'
   FROM manifest_slices s
   WHERE ${inScope("s.manifest_id")} AND (s.manifest_id, s.blob_id) NOT IN (SELECT manifest_id, id FROM reachable)
     AND s.manifest_id NOT IN (SELECT blob_id FROM garbage)`,

  `WITH ${PART_SLICES}, shared (holding_id) AS MATERIALIZED (
     SELECT DISTINCT p.holding_id FROM parts p WHERE p.slices IS NOT NULL AND ${inScope("p.holding_id")}),
   reachable (holding_id, id) AS MATERIALIZED (
     SELECT holding_id, holding_id FROM shared
     UNION SELECT h.holding_id, t.value ->> 1
     FROM shared h CROSS JOIN manifests i ON i.manifest_id = h.holding_id CROSS JOIN json_each(i.slices) t)
   SELECT 'part ' || s.part_number || ' of ' || s.upload_id || ' has a slice of ' || s.blob_id || ' and holds ' || s.holding_id
   FROM part_slices s
   WHERE ${inScope("s.holding_id")} AND (s.holding_id, s.blob_id) NOT IN (SELECT holding_id, id FROM reachable)`,

  `SELECT 'page ' || m.page || ' of manifest ' || m.manifest_id || ' is not found by where it begins or by its first part'
   FROM manifests m
   WHERE ${inScope("m.manifest_id")}
     AND (m.start IS NOT NULL
       AND (m.start <> coalesce(m.slices ->> '$[0][0]', 0) OR m.first_part IS NOT m.parts ->> '$[0][0]')
       OR (m.start IS NULL) <> (SELECT z.start IS NULL FROM manifests z
                                WHERE z.manifest_id = m.manifest_id AND z.page = 0))`,

  `SELECT 'part ' || p.part_number || ' of ' || p.upload_id || ' has ' || p.size || ' bytes, its slices of ' || p.holding_id || ' others'
   FROM parts p
   WHERE p.slices IS NOT NULL AND ${inScope("p.holding_id")}
     AND p.size <> (SELECT coalesce(sum(s.value ->> 2), 0) FROM json_each(p.slices) s)`,

  `SELECT 'part ' || p.part_number || ' of ' || p.upload_id || ' belongs to no open upload and holds ' || p.holding_id FROM parts p
   WHERE p.upload_id NOT IN (SELECT upload_id FROM uploads) AND ${inScope("p.holding_id")}`,

  `SELECT 'blob ' || f.blob_id || ' was found wrong by the scrub: ' || f.finding FROM scrub_findings f
   WHERE ${inScope("f.blob_id")}`,

  `WITH ${REFERENCES}
   SELECT s.blob_id || ' is a small blob without reference and not in the garbage' FROM small_blobs s
   WHERE s.blob_id NOT IN (SELECT id FROM counted) AND s.blob_id NOT IN (SELECT blob_id FROM garbage)
     AND ${inScope("s.blob_id")}`,

  `SELECT 'small blob ' || s.blob_id || ' has not its ' || s.length || ' bytes, in its row or in a pack'
   FROM small_blobs s LEFT JOIN packs p ON p.pack_id = s.pack_id
   WHERE ${inScope("s.blob_id")} AND NOT coalesce(iif(s.pack_id IS NULL, length(s.bytes) = (s.length + 2) / 3 * 4,
     s.bytes IS NULL AND s.pack_offset + s.length <= p.size), 0)`,

  `SELECT 'pack ' || p.pack_id || ' counts ' || p.live_bytes || ' bytes of ' || p.live_blobs || ' small blobs, rows have '
     || coalesce(sum(s.length), 0) || ' of ' || count(s.blob_id)
   FROM packs p LEFT JOIN small_blobs s ON s.pack_id = p.pack_id
   WHERE ${inScope("p.pack_id")}
   GROUP BY p.pack_id HAVING p.live_bytes <> coalesce(sum(s.length), 0) OR p.live_blobs <> count(s.blob_id)`,

  `SELECT 'rows of no bucket: ' || r.bucket_id || '/' || r.key FROM (
     SELECT bucket_id, key FROM objects UNION ALL SELECT bucket_id, key FROM versions
     UNION ALL SELECT bucket_id, key FROM uploads) r
   WHERE r.bucket_id NOT IN (SELECT id FROM buckets) AND ${bucketInScope("r")}`,

  ...DERIVED_RULES,
];

/** Looks up the violations of all rules. */
export function lookUpInconsistencies({ from, before }: ConsistencyScope): Lookup<string[]> {
  return {
    statements: RULES.map((rule) => statement(`SELECT * FROM (${rule}) LIMIT ${MAX_FINDINGS_PER_RULE}`, from, before)),
    read: (results) => results.flatMap(({ rows }) => rows.flatMap((row) => Object.values(row ?? {}).map(String))),
  };
}

/** A blob that the store lists. */
export interface ListedBlob {
  readonly blobId: string;
  /** Bytes. */
  readonly size: number;
}

export interface BlobFindings {
  /** Findings about blobs that rows need and that are missing or have a wrong length. */
  readonly missing: readonly string[];
  /** Ids of blobs without references or a tombstone of the orphan scan. */
  readonly orphans: readonly string[];
  /** Ids of blobs without references that have a tombstone. The scan writes one in every database. */
  readonly withTombstone: readonly string[];
}

/** Compares the blobs of a range of ids with the rows that need them. `listed` must be every blob of the range. */
export function lookUpBlobFindings(
  { from, before }: ConsistencyScope,
  listed: readonly ListedBlob[],
): Lookup<BlobFindings> {
  const json = JSON.stringify(listed.map(({ blobId, size }) => [blobId, size]));
  return {
    statements: [selectMissing(from, before, json), selectOrphans(json), selectMissingProofs(from, before, json)],
    read: (results) => {
      const unreferenced = rowsOf<{ readonly blob_id: string; readonly has_tombstone: number }>(results, 1);
      return {
        missing: [0, 2].flatMap((index) =>
          rowsOf<{ readonly finding: string }>(results, index).map(({ finding }) => finding),
        ),
        orphans: unreferenced.filter((row) => row.has_tombstone === 0).map((row) => row.blob_id),
        withTombstone: unreferenced.filter((row) => row.has_tombstone !== 0).map((row) => row.blob_id),
      };
    },
  };
}

/** Returns the SQL of the blob length of a version or part of `size` bytes. Sealing adds bytes. */
const wholeLength = (isEncrypted: string): string => {
  const frameExtra = new FrameLayout(0).encryptedLength - SALT_BYTES;
  const frames = `max(1, (size + ${FRAME_BYTES - 1}) / ${FRAME_BYTES})`;
  return `CASE WHEN ${isEncrypted} THEN ${SALT_BYTES} + size + ${frameExtra} * ${frames} ELSE size END`;
};

function selectMissing(from: string, before: string, listedJson: string): Statement {
  return statement(
    `WITH ${MANIFEST_SLICES}, ${PART_SLICES},
     encrypted_uploads (upload_id) AS MATERIALIZED (SELECT upload_id FROM uploads WHERE encryption IS NOT NULL),
     wholes (id, length) AS (
       SELECT blob_id, ${wholeLength("encryption IS NOT NULL")} FROM objects WHERE blob_id IS NOT NULL
       UNION ALL
       SELECT blob_id, ${wholeLength("encryption IS NOT NULL")} FROM versions WHERE blob_id IS NOT NULL
       UNION ALL
       SELECT holding_id, ${wholeLength("upload_id IN (SELECT upload_id FROM encrypted_uploads)")}
       FROM parts WHERE slices IS NULL),
     needs (id, length, whole) AS (
       SELECT id, length, length FROM wholes
       UNION ALL SELECT blob_id, "offset" + length, NULL FROM part_slices
       UNION ALL SELECT blob_id, "offset" + length, NULL FROM manifest_slices
       UNION ALL SELECT pack_id, size, NULL FROM packs),
     needed (id, length, least, most) AS (
       SELECT id, max(length), min(whole), max(whole) FROM needs WHERE ${inScope("id")} GROUP BY id),
     listed (id, size) AS MATERIALIZED (
       SELECT value ->> 0, value ->> 1 FROM json_each(?3)
       UNION ALL SELECT blob_id, length FROM small_blobs WHERE ${inScope("blob_id")})
     SELECT 'blob ' || n.id || ' must have ' || n.length || ' bytes and ' ||
       CASE WHEN l.id IS NULL THEN 'is missing' ELSE 'has ' || l.size END AS finding
     FROM needed n LEFT JOIN listed l ON l.id = n.id
     WHERE l.id IS NULL OR l.size < n.length OR l.size <> n.least OR l.size <> n.most LIMIT ${MAX_FINDINGS_PER_RULE}`,
    from,
    before,
    listedJson,
  );
}

/** A version whose proof is missing can be read; only a rebuild needs the proof. */
function selectMissingProofs(from: string, before: string, listedJson: string): Statement {
  return statement(
    `WITH ${ALL_VERSIONS}, proofs (id, version) AS (
       SELECT v.manifest_id || '-proof', ${nameOf("v")} FROM all_versions v WHERE v.manifest_id IS NOT NULL)
     SELECT 'blob ' || p.id || ' is missing: version ' || p.version || ' is intact, but could not be rebuilt' AS finding
     FROM proofs p
     WHERE ${inScope("p.id")} AND p.id NOT IN (SELECT value ->> 0 FROM json_each(?3)) LIMIT ${MAX_FINDINGS_PER_RULE}`,
    from,
    before,
    listedJson,
  );
}

function selectOrphans(listedJson: string): Statement {
  return statement(
    `WITH ${REFERENCES}
     SELECT l.value ->> 0 AS blob_id, l.value ->> 0 IN (SELECT blob_id FROM scan_tombstones) AS has_tombstone
     FROM json_each(?1) l
     WHERE l.value ->> 0 NOT IN (SELECT id FROM counted) AND l.value ->> 0 NOT IN (SELECT blob_id FROM garbage)
       AND l.value ->> 0 NOT IN (SELECT pack_id FROM packs)`,
    listedJson,
  );
}
