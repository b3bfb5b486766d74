// What metadata says of the bytes of blobs, looked up where they were born: by the versions of their keys, by their parts
// and by the manifests of their uploads. A blob that was copied or renamed away from there may be expected by nobody.
import type { ChecksumAlgorithm } from "../../protocol/core/checksums.ts";
import { rowsOf, statement, type Lookup } from "../d1/database.ts";
import type { ScannedBlob } from "./orphans.ts";

/** What one row says of a blob. */
export interface BlobExpectation {
  readonly blobId: string;
  /** Bytes, before they were encrypted with a customer's key if they were. */
  readonly size: number;
  readonly isEncrypted: boolean;
  /** Hexadecimal; undefined where the row knows none. */
  readonly md5: string | undefined;
  /** Of the whole blob; undefined where the row knows none. */
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
/** A version's checksum is that of its one blob unless it was composed of the parts'. */
const VERSION_COLUMNS = `v.blob_id, v.size, v.etag, v.encryption IS NOT NULL AS is_encrypted, v.checksum_algorithm,
  CASE WHEN v.checksum_type = 'FULL_OBJECT' THEN v.checksum END AS checksum`;
const VERSION_OF = (table: string): string =>
  `SELECT ${VERSION_COLUMNS} FROM json_each(?2) k CROSS JOIN ${table} v
   ON v.bucket_id = k.value ->> 0 AND v.key = k.value ->> 1 WHERE v.blob_id IN ${IDS}`;

/** Parts of open uploads that are all of a blob. */
const PARTS = `
  SELECT p.holding_id AS blob_id, p.size, p.etag, u.encryption IS NOT NULL AS is_encrypted, p.checksum_algorithm, p.checksum
  FROM json_each(?2) a CROSS JOIN uploads u
    ON u.bucket_id = a.value ->> 0 AND u.key = a.value ->> 1 AND u.upload_id = a.value ->> 2
    CROSS JOIN parts p USING (upload_id)
  WHERE p.slices IS NULL AND p.holding_id IN ${IDS}`;

/**
 * Parts of completed objects that are all of a blob, which the manifest lists by where they start; ?1 are the blobs with
 * the manifests of their own uploads, as others hold but ranges of them.
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

/** What is expected of blobs, by all rows that are found where they were born. */
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
  // An ETag with a number of parts is no MD5 of bytes; and what is said of plain bytes cannot be seen in encrypted ones.
  const md5 = !isEncrypted && row.etag !== null && /^[0-9a-f]{32}$/.test(row.etag) ? row.etag : undefined;
  const { checksum_algorithm: algorithm, checksum: value } = row;
  const checksum = isEncrypted || algorithm === null || value === null ? undefined : { algorithm, value };
  return { blobId: row.blob_id, size: row.size, isEncrypted, md5, checksum };
}

function distinctJson(lists: readonly (readonly string[])[]): string {
  return `[${Array.from(new Set(lists.map((list) => JSON.stringify(list)))).join(",")}]`;
}
