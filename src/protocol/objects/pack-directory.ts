// The form of a pack: the bytes of small blobs one after the other, then a directory as JSON. The directory contains the
// recovery metadata of each, so that a rebuild finds small blobs without a database.
import { utf8 } from "../../bytes/text.ts";

/** A small blob in a pack. */
export interface PackEntry {
  readonly blobId: string;
  /** The first byte in the pack. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  /** Hexadecimal. */
  readonly md5: string;
  readonly recoveryMetadata: Readonly<Record<string, string>>;
}

type StoredEntry = readonly [blobId: string, offset: number, length: number, md5: string, Record<string, string>];

/** Where a pack's directory begins, and whose blobs it contains. */
export interface PackHeader {
  readonly bucketId: string;
  readonly directoryStart: number;
}

export function packDirectory(entries: readonly PackEntry[]): Uint8Array {
  return utf8(
    JSON.stringify(
      entries.map(({ blobId, offset, length, md5, recoveryMetadata }) => [
        blobId,
        offset,
        length,
        md5,
        recoveryMetadata,
      ]),
    ),
  );
}

export function parsePackDirectory(text: string): PackEntry[] {
  // packDirectory writes this form.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const stored = JSON.parse(text) as readonly StoredEntry[];
  return stored.map(([blobId, offset, length, md5, recoveryMetadata]) => ({
    blobId,
    offset,
    length,
    md5,
    recoveryMetadata,
  }));
}

/**
 * The custom metadata of a pack. It has no field of other blobs' recovery metadata, so that releases without packs
 * neither purge nor rebuild one.
 */
export function packMetadata({ bucketId, directoryStart }: PackHeader): Record<string, string> {
  return { pack: bucketId, directory: String(directoryStart) };
}

/** Parses a blob's custom metadata; undefined if it is no pack. */
export function parsePackMetadata(texts: Readonly<Record<string, string>>): PackHeader | undefined {
  const { pack: bucketId, directory } = texts;
  if (bucketId === undefined || directory === undefined || !/^\d{1,12}$/.test(directory)) return undefined;
  return { bucketId, directoryStart: Number(directory) };
}
