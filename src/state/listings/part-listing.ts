// Lists the parts of an open upload.
import type { ChecksumAlgorithm } from "../../protocol/core/checksums.ts";
import { statement, type Lookup } from "../d1/database.ts";
import { optionalText, pageText } from "./page-text.ts";

/** A part as ListParts returns it. */
export interface ListedPart {
  readonly partNumber: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  /** 32 hexadecimal digits. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  /** Base64. */
  readonly checksum: string | undefined;
}

const COLUMNS = ["part_number", "modified_at", "etag", "size", "checksum_algorithm", "checksum"];

/** Looks up a page of an upload's parts after a part number. */
export function lookUpPartPage(
  uploadId: string,
  after: number,
  limit: number,
): Lookup<{ readonly parts: readonly ListedPart[] }> {
  const text = pageText({
    ...statement(
      `SELECT ${COLUMNS.join(", ")}, '' AS key, 0 AS is_common_prefix FROM parts
       WHERE upload_id = ?1 AND part_number > ?2 ORDER BY part_number LIMIT ?3`,
      uploadId,
      after,
      limit,
    ),
    columns: COLUMNS,
  });
  return { statements: [text.statement], read: (results) => ({ parts: text.read(results[0]).map(partFromFields) }) };
}

function partFromFields([partNumber, modifiedAt, etag = "", size, algorithm = "", checksum = ""]: readonly string[]) {
  return {
    partNumber: Number(partNumber),
    modifiedAt: Number(modifiedAt),
    etag,
    size: Number(size),
    checksumAlgorithm: optionalText<ChecksumAlgorithm>(algorithm),
    checksum: optionalText(checksum),
  };
}
