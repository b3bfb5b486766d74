// The footer of a blob's file: a JSON document about the blob, its length, its CRC32 and a format mark. The bytes of the
// blob come first, so one file has both, and a file without a valid footer is not a complete blob.
import { crc32 } from "node:zlib";

/** A blob's properties beside its bytes. */
export interface BlobProperties {
  /** Hexadecimal. */
  readonly md5: string;
  /** In milliseconds since the epoch. */
  readonly uploadedAt: number;
  readonly isInfrequentAccess: boolean;
  readonly recoveryMetadata: Readonly<Record<string, string>>;
}

/** What the end of a file shows of its blob. */
export interface Footer {
  readonly properties: BlobProperties;
  /** The length of the blob's bytes. */
  readonly size: number;
}

const MARK = Buffer.from("CairnB01");
/** Two numbers of 32 bits and the mark. */
const TAIL_BYTES = 8 + MARK.length;

/** Long enough for nearly all footers. */
export const USUAL_FOOTER_BYTES = 4096;

/** Encodes a footer. */
export function encodeFooter(properties: BlobProperties): Buffer {
  const document = Buffer.from(JSON.stringify(properties));
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(document.length, 0);
  numbers.writeUInt32BE(crc32(document), 4);
  return Buffer.concat([document, numbers, MARK]);
}

/**
 * Decodes the footer at the end of a file.
 * @param end the last bytes of the file
 * @returns the length of the end that is needed, if `end` is too short; undefined if the file has no valid footer
 */
export function decodeFooter(end: Buffer, fileSize: number): Footer | number | undefined {
  if (end.length < TAIL_BYTES || !end.subarray(-MARK.length).equals(MARK)) return undefined;
  const length = end.readUInt32BE(end.length - TAIL_BYTES);
  if (length + TAIL_BYTES > fileSize) return undefined;
  if (length + TAIL_BYTES > end.length) return length + TAIL_BYTES;
  const document = end.subarray(end.length - TAIL_BYTES - length, end.length - TAIL_BYTES);
  if (crc32(document) !== end.readUInt32BE(end.length - TAIL_BYTES + 4)) return undefined;
  // The CRC32 shows that encodeFooter wrote the document.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const properties = JSON.parse(document.toString()) as BlobProperties;
  return { properties, size: fileSize - TAIL_BYTES - length };
}
