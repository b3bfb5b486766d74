// Recovery metadata in an S3 store: one user metadata header in ASCII, or a companion object if the header would exceed
// S3's limit of 2 KB. Reserves the prefix `cairn/`, which no blob id has because blob ids begin with a bucket id.
import { fromBase64, toBase64 } from "../../bytes/hex-base64.ts";
import { decodeUtf8, utf8 } from "../../bytes/text.ts";

/** The prefix of Cairn's own objects. They are never listed as blobs. */
export const RESERVED_PREFIX = "cairn/";

/** The first key after all keys with the reserved prefix. */
export const AFTER_RESERVED = "cairn0";

/** The object of the mark that pairs the store with a database. */
export const MARK_ID = `${RESERVED_PREFIX}generation`;

/** Names and values of user metadata have 2048 bytes together. */
const HEADER_MAX_LENGTH = 2000;

const HEADER = "x-amz-meta-cairn";

/** The header of a blob whose metadata is in its companion; no base64 text contains this character. */
const IN_COMPANION = "@";

/** Metadata as it is stored: the blob's headers, and the bytes of its companion if it needs one. */
export interface StoredMetadata {
  readonly headers: Readonly<Record<string, string>>;
  readonly companion: Uint8Array | undefined;
}

/** The id of a blob's companion. */
export function companionOf(blobId: string): string {
  return `${RESERVED_PREFIX}recovery/${blobId}`;
}

/** Encodes recovery metadata. */
export function encodeMetadata(texts: Readonly<Record<string, string>>): StoredMetadata {
  const bytes = utf8(JSON.stringify(texts));
  const value = toBase64(bytes);
  return value.length <= HEADER_MAX_LENGTH
    ? { headers: { [HEADER]: value }, companion: undefined }
    : { headers: { [HEADER]: IN_COMPANION }, companion: bytes };
}

/** Whether a blob's headers say that its companion contains the metadata. */
export function isInCompanion(headers: Headers): boolean {
  return headers.get(HEADER) === IN_COMPANION;
}

/** Decodes the metadata in a blob's headers; empty if Cairn did not write it. */
export function metadataOfHeaders(headers: Headers): Readonly<Record<string, string>> {
  const bytes = fromBase64(headers.get(HEADER) ?? "");
  return bytes === undefined ? {} : decodeMetadata(bytes);
}

/** Decodes the bytes of a companion; empty if Cairn did not write them. */
export function decodeMetadata(bytes: Uint8Array): Readonly<Record<string, string>> {
  try {
    const parsed: unknown = JSON.parse(decodeUtf8(bytes) ?? "");
    if (typeof parsed !== "object" || parsed === null) return {};
    return Object.fromEntries(
      Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
  } catch {
    return {};
  }
}
