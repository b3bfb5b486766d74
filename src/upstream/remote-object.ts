// An object of an upstream: its metadata from the headers of a GET or HEAD, validated, and its tags.
import { parseHttpDate } from "../bytes/dates.ts";
import { fromBase64, fromHex } from "../bytes/hex-base64.ts";
import { decodeUtf8 } from "../bytes/text.ts";
import {
  CHECKSUM_ALGORITHMS,
  checksumHeader,
  NOTHING_ANNOUNCED,
  type ChecksumAnnouncement,
  type ObjectChecksum,
} from "../protocol/core/checksums.ts";
import { bareEtag } from "../protocol/core/etag.ts";
import { Query } from "../protocol/core/query.ts";
import { parseTagging, type Tag } from "../protocol/core/tagging.ts";
import { readMetadata, type ObjectMetadata } from "../protocol/objects/object-metadata.ts";
import { askUpstream, readAtMost, unavailable, type UpstreamPlace } from "./upstream-requests.ts";

/** An object of an upstream without its bytes. */
export interface RemoteObject {
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  readonly metadata: ObjectMetadata;
  readonly tags: readonly Tag[];
  /** Of all bytes. */
  readonly checksum: ObjectChecksum | undefined;
  /** Whether the ETag is the MD5 of the bytes, as far as the headers say. */
  readonly hasMd5: boolean;
}

const TAGGING_MAX_BYTES = 64 * 1024;
const TAGGING_TIMEOUT_MS = 10_000;

/**
 * Reads the headers of a whole object.
 * @param now milliseconds since the epoch
 * @returns undefined if they are not those of an S3 object
 * @throws S3Error ServiceUnavailable for metadata that Cairn cannot store
 */
export function readRemote(headers: Headers, now: number): Omit<RemoteObject, "tags"> | undefined {
  const etag = bareEtag(headers.get("etag") ?? "");
  const length = headers.get("content-length") ?? "";
  const modifiedAt = parseHttpDate(headers.get("last-modified") ?? "", now);
  const isMd5 = /^[0-9a-f]{32}$/.test(etag);
  const isS3 = isMd5 || /^[0-9a-f]{32}-\d{1,5}$/.test(etag) || Array.from(headers.keys()).some(isOfStore);
  if (!isS3 || !/^[\u0021\u0023-\u007e]{1,128}$/.test(etag) || !/^\d{1,15}$/.test(length) || modifiedAt === undefined) {
    return undefined;
  }
  const encryption = headers.get("x-amz-server-side-encryption") ?? "AES256";
  return {
    size: Number(length),
    etag,
    // An upstream's clock may be ahead.
    modifiedAt: Math.min(modifiedAt, now),
    metadata: withDecodedWords(metadataOf(headers)),
    checksum: readChecksum(headers),
    hasMd5: isMd5 && encryption === "AES256",
  };
}

/** @throws S3Error ServiceUnavailable for metadata that Cairn cannot store */
function metadataOf(headers: Headers): ObjectMetadata {
  try {
    return readMetadata({ headers, query: new Query([]) });
  } catch {
    throw unavailable("metadata that no object can have");
  }
}

/** Headers that a store sends and a web page does not. */
function isOfStore(name: string): boolean {
  return name.startsWith("x-amz-") || name.startsWith("x-goog-");
}

/** The digests that the bytes must have. */
export function announcementOf({ etag, hasMd5, checksum }: RemoteObject): ChecksumAnnouncement {
  return {
    ...NOTHING_ANNOUNCED,
    algorithm: checksum?.algorithm,
    expected: checksum === undefined ? undefined : fromBase64(checksum.value),
    contentMd5: hasMd5 ? fromHex(etag) : undefined,
  };
}

/**
 * Reads the tags of an object, if its headers count any.
 * @throws S3Error ServiceUnavailable, SlowDown
 */
export async function readTags(place: UpstreamPlace, key: string, headers: Headers): Promise<readonly Tag[]> {
  if (!/^[1-9]\d*$/.test(headers.get("x-amz-tagging-count") ?? "")) return [];
  const response = await askUpstream(place, { method: "GET", key, query: { tagging: "" } });
  if (response === undefined) throw unavailable("the object disappeared");
  try {
    return parseTagging(await readAtMost(response.body, TAGGING_MAX_BYTES, TAGGING_TIMEOUT_MS), "object");
  } catch {
    throw unavailable("malformed tags");
  }
}

function readChecksum(headers: Headers): ObjectChecksum | undefined {
  if (headers.get("x-amz-checksum-type") === "COMPOSITE") return undefined;
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = headers.get(checksumHeader(algorithm)) ?? "";
    const bytes = fromBase64(value);
    // A composite checksum ends in the number of parts and is no base64.
    if (bytes !== undefined && bytes.length > 0) return { algorithm, type: "FULL_OBJECT", value };
  }
  return undefined;
}

/** Decodes user metadata that S3 returned as encoded words (RFC 2047). */
function withDecodedWords(metadata: ObjectMetadata): ObjectMetadata {
  const decoded = Object.entries(metadata.userMetadata).map(([name, value]) => [name, decodedWord(value)]);
  return { ...metadata, userMetadata: Object.fromEntries(decoded) };
}

function decodedWord(value: string): string {
  const [, coding = "", text = ""] = /^=\?utf-8\?([bq])\?([^?]*)\?=$/i.exec(value) ?? [];
  if (coding === "") return value;
  const bytes =
    coding.toLowerCase() === "b"
      ? fromBase64(text)
      : Uint8Array.from(
          text
            .replaceAll("_", " ")
            .replaceAll(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
          (character) => character.charCodeAt(0),
        );
  return (bytes === undefined ? undefined : decodeUtf8(bytes)) ?? value;
}
