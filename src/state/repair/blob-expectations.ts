// Looks up what rows expect of the bytes of blobs, for the scrub. Rows are found by the key and upload that a blob's
// recovery metadata names, so a blob whose reference moved by copy or rename may have no expectation.
import type { ChecksumAlgorithm } from "../../protocol/core/checksums.ts";
import { rowsOf, statement, type Lookup } from "../d1/database.ts";
import type { ScannedBlob } from "./orphans.ts";

/** What one row expects of a blob. */
export interface BlobExpectation {
  readonly blobId: string;
  /** Plaintext bytes. */
  readonly size: number;
  readonly isEncrypted: boolean;
  /** Hexadecimal; undefined if the row has none. */
  readonly md5: string | undefined;
  /** The checksum of the whole blob; undefined if the row has none. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
}

interface ExpectationRow {
  readonly blob_id: string;
  readonly size: number;
  readonly etag: string | null;
  readonly is_encrypted: number;
  readonly checksum_algorithm: ChecksumAlgorithm | null;
  readonly checksum: string | null;
}

const IDS = "(SELECT value FROM json_each(?1))";
/** A version's checksum is its blob's unless it is composed of part checksums. */
const VERSION_COLUMNS = `v.blob_id, v.size, v.etag, v.encryption IS NOT NULL AS is_encrypted, v.checksum_algorithm,
  CASE WHEN v.checksum_type = 'FULL_OBJECT' THEN v.checksum END AS checksum`;
const VERSION_OF = (table: string): string =>
  `SELECT ${VERSION_COLUMNS} FROM json_each(?2) k CROSS JOIN ${table} v
   ON v.bucket_id = k.value ->> 0 AND v.key = k.value ->> 1 WHERE v.blob_id IN ${IDS}`;

/** Parts of open uploads that are one whole blob. */
const PARTS = `
  SELECT p.holding_id AS blob_id, p.size, p.etag, u.encryption IS NOT NULL AS is_encrypted, p.checksum_algorithm, p.checksum
  FROM json_each(?2) a CROSS JOIN uploads u
    ON u.bucket_id = a.value ->> 0 AND u.key = a.value ->> 1 AND u.upload_id = a.value ->> 2
    CROSS JOIN parts p USING (upload_id)
  WHERE p.slices IS NULL AND p.holding_id IN ${IDS}`;

/**
 * Parts of completed objects that are one whole blob, matched by their start in the manifest. ?1 lists the blobs with
 * the manifests of their own uploads, because other manifests may reference mere ranges of them.
 */
const MANIFEST_PARTS = `
  WITH asked (manifest_id, checksum_algorithm, is_encrypted) AS MATERIALIZED (
    SELECT v.manifest_id, v.checksum_algorithm, v.encryption IS NOT NULL
    FROM json_each(?2) a CROSS JOIN objects v ON v.bucket_id = a.value ->> 0 AND v.key = a.value ->> 1
    WHERE v.manifest_id = (a.value ->> 0) || '/' || (a.value ->> 2)
    UNION
    SELECT v.manifest_id, v.checksum_algorithm, v.encryption IS NOT NULL
    FROM json_each(?2) a CROSS JOIN versions v ON v.bucket_id = a.value ->> 0 AND v.key = a.value ->> 1
    WHERE v.manifest_id = (a.value ->> 0) || '/' || (a.value ->> 2)),
  slices (manifest_id, start, blob_id, length) AS MATERIALIZED (
    SELECT m.manifest_id, s.value ->> 0, s.value ->> 1, s.value ->> 3
    FROM asked CROSS JOIN manifests m USING (manifest_id) CROSS JOIN json_each(m.slices) s
    WHERE (s.value ->> 1, m.manifest_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1)))
  SELECT s.blob_id, s.length AS size, NULL AS etag, a.is_encrypted, a.checksum_algorithm, p.value ->> 3 AS checksum
  FROM asked a CROSS JOIN manifests m USING (manifest_id) CROSS JOIN json_each(m.parts) p
    CROSS JOIN slices s ON s.manifest_id = m.manifest_id AND s.start = p.value ->> 1 AND s.length = p.value ->> 2`;

/** Looks up the expectations of blobs, one per row found through their recovery metadata. */
export function lookUpExpectations(blobs: readonly ScannedBlob[]): Lookup<BlobExpectation[]> {
  const ids = JSON.stringify(blobs.map(({ blobId }) => blobId));
  const keys = distinctJson(blobs.map(({ bucketId, key }) => [bucketId, key]));
  const uploads = distinctJson(
    blobs.flatMap(({ bucketId, key, uploadId }) => (uploadId === undefined ? [] : [[bucketId, key, uploadId]])),
  );
  const ofManifests = distinctJson(
    blobs.flatMap(({ blobId, bucketId, uploadId }) =>
      uploadId === undefined ? [] : [[blobId, `${bucketId}/${uploadId}`]],
    ),
  );
  return {
    statements: [
      statement(VERSION_OF("objects"), ids, keys),
      statement(VERSION_OF("versions"), ids, keys),
      statement(PARTS, ids, uploads),
      statement(MANIFEST_PARTS, ofManifests, uploads),
    ],
    read: (results) => results.flatMap((_, index) => rowsOf<ExpectationRow>(results, index).map(expectationFromRow)),
  };
}

function expectationFromRow(row: ExpectationRow): BlobExpectation {
  const isEncrypted = row.is_encrypted === 1;
  // A multipart ETag is no MD5, and plaintext digests cannot be compared with encrypted bytes.
  const md5 = !isEncrypted && row.etag !== null && /^[0-9a-f]{32}$/.test(row.etag) ? row.etag : undefined;
  const { checksum_algorithm: algorithm, checksum: value } = row;
  const checksum = isEncrypted || algorithm === null || value === null ? undefined : { algorithm, value };
  return { blobId: row.blob_id, size: row.size, isEncrypted, md5, checksum };
}

function distinctJson(lists: readonly (readonly string[])[]): string {
  return `[${Array.from(new Set(lists.map((list) => JSON.stringify(list)))).join(",")}]`;
}
