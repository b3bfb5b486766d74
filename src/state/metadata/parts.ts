// The parts table: parts of open uploads.
import type { ChecksumAlgorithm } from "../../protocol/core/checksums.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import { releaseReferences } from "./blob-references.ts";

/** A range of a blob. */
export interface PartSlice {
  readonly blobId: string;
  readonly offset: number;
  readonly length: number;
}

/** A part of an open upload. */
export interface Part {
  readonly partNumber: number;
  /** The blob or manifest that the part references. */
  readonly referenceId: string;
  readonly slices: readonly PartSlice[];
  /** Whether the part is one whole blob. */
  readonly isWholeBlob: boolean;
  /** Bytes. */
  readonly size: number;
  /** 32 hexadecimal digits. */
  readonly etag: string;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  /** Base64. */
  readonly checksum: string | undefined;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

interface PartRow {
  readonly part_number: number;
  readonly holding_id: string;
  readonly slices: string | null;
  readonly size: number;
  readonly etag: string;
  readonly checksum_algorithm: ChecksumAlgorithm | null;
  readonly checksum: string | null;
  readonly modified_at: number;
}

const PART_COLUMNS = "part_number, holding_id, slices, size, etag, checksum_algorithm, checksum, modified_at";

function partFromRow(row: PartRow): Part {
  return {
    partNumber: row.part_number,
    referenceId: row.holding_id,
    slices: slicesFromJson(row),
    isWholeBlob: row.slices === null,
    size: row.size,
    etag: row.etag,
    checksumAlgorithm: row.checksum_algorithm ?? undefined,
    checksum: row.checksum ?? undefined,
    modifiedAt: row.modified_at,
  };
}

function slicesFromJson({ slices, holding_id: blobId, size }: PartRow): PartSlice[] {
  if (slices === null) return [{ blobId, offset: 0, length: size }];
  // putPart writes this form.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const values = JSON.parse(slices) as [string, number, number][];
  return values.map(([blob, offset, length]) => ({ blobId: blob, offset, length }));
}

/** Looks up a page of an upload's parts after a part number. */
export function lookUpParts(
  uploadId: string,
  after: number,
  limit: number,
): Lookup<{ readonly parts: readonly Part[] }> {
  return {
    statements: [
      statement(
        `SELECT ${PART_COLUMNS} FROM parts WHERE upload_id = ? AND part_number > ? ORDER BY part_number LIMIT ?`,
        uploadId,
        after,
        limit,
      ),
    ],
    read: (results) => ({ parts: rowsOf<PartRow>(results).map(partFromRow) }),
  };
}

/** Writes a part and releases the reference of the part that it replaces. */
export function putPart(uploadId: string, part: Part): Statement[] {
  const slices = part.slices.map(({ blobId, offset, length }) => [blobId, offset, length]);
  return [
    releaseReferences(
      part.modifiedAt,
      `SELECT holding_id AS id FROM parts WHERE upload_id = ?2 AND part_number IN (SELECT value FROM json_each(?1))`,
      [part.partNumber],
      uploadId,
    ),
    statement(
      `INSERT INTO parts (upload_id, ${PART_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (upload_id, part_number) DO UPDATE SET holding_id = excluded.holding_id, slices = excluded.slices,
         size = excluded.size, etag = excluded.etag, checksum_algorithm = excluded.checksum_algorithm,
         checksum = excluded.checksum, modified_at = excluded.modified_at`,
      uploadId,
      part.partNumber,
      part.referenceId,
      part.isWholeBlob ? null : JSON.stringify(slices),
      part.size,
      part.etag,
      part.checksumAlgorithm ?? null,
      part.checksum ?? null,
      part.modifiedAt,
    ),
  ];
}

/**
 * Looks up whether a part was written, even if it has been replaced since.
 * @param isOwnBlob whether only this part can reference its blob, so that garbage proves that the part was written
 */
export function lookUpPartReference(
  uploadId: string,
  { partNumber, referenceId }: Part,
  isOwnBlob: boolean,
): Lookup<boolean> {
  return {
    statements: [
      statement(
        `SELECT EXISTS (SELECT 1 FROM parts WHERE upload_id = ?1 AND part_number = ?2 AND holding_id = ?3)
           OR ?4 = 1 AND EXISTS (SELECT 1 FROM garbage WHERE blob_id = ?3) AS was_written`,
        uploadId,
        partNumber,
        referenceId,
        isOwnBlob ? 1 : 0,
      ),
    ],
    read: (results) => rowsOf<{ readonly was_written: number }>(results)[0]?.was_written === 1,
  };
}
