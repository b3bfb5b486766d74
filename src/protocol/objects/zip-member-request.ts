// The requests for members of a stored ZIP file, `?zip-member` and `?zip-list`: their input, their errors and the headers of
// a member.
import { digest } from "../../bytes/digest.ts";
import { formatHttpDate } from "../../bytes/dates.ts";
import { toHex } from "../../bytes/hex-base64.ts";
import { utf8 } from "../../bytes/text.ts";
import { ZipError } from "../../bytes/archives/zip-directory.ts";
import { bareEtag, quoteEtag } from "../core/etag.ts";
import { contentRange, resolveRange, type ByteRange } from "../core/range.ts";
import { S3Error } from "../core/s3-error.ts";
import type { S3Request } from "../core/s3-request.ts";
import { mediaTypeOf } from "./media-types.ts";
import { readObjectRead, versionIdHeader, type ObjectReadInput } from "./object-reading.ts";
import type { StoredObject } from "./stored-object.ts";

/** Reads the version that the request names. @throws S3Error InvalidRequest for a part number, which names no ZIP file */
export function readZipRead(request: S3Request): ObjectReadInput {
  const input = readObjectRead(request);
  if (input.partNumber === undefined) return input;
  throw new S3Error("InvalidRequest", {}, "A member of a ZIP file cannot be read from one part of the object.");
}

/** Runs an action on a ZIP file. @throws S3Error InvalidRequest for a file that is not one, or a hostile one */
export async function readingZip<Result>(action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    throw new S3Error("InvalidRequest", {}, `The object cannot be read as a ZIP file: ${error.message}.`);
  }
}

/** The ETag of a member: another one for every member of every version. */
export async function memberEtag({ blobId, manifestId, versionId }: StoredObject, name: string): Promise<string> {
  const identity = ["cairn zip member 1", blobId ?? manifestId, versionId, name];
  const hash = await digest("SHA-256", utf8(JSON.stringify(identity)));
  // Clients take 32 hexadecimal digits alone for an MD5.
  return `${toHex(hash.subarray(0, 16))}-member`;
}

/**
 * The requested range of a stored member.
 * @throws S3Error InvalidRange
 */
export function memberRange(
  { range, ifRange }: ObjectReadInput,
  { etag, size }: { readonly etag: string; readonly size: number },
): ByteRange | undefined {
  const isSame = ifRange === undefined || (!ifRange.trim().startsWith("W/") && bareEtag(ifRange) === etag);
  return isSame ? resolveRange(range, size) : undefined;
}

/** The headers of a member. */
export function memberHeaders(
  input: ObjectReadInput,
  object: StoredObject,
  member: { readonly name: string; readonly etag: string; readonly size: number; readonly hasRanges: boolean },
  isVersioned: boolean,
  range: ByteRange | undefined,
): Record<string, string> {
  const cacheControl = object.systemMetadata["cache-control"];
  return {
    "content-type": mediaTypeOf(member.name),
    // The edge would compress the response and omit its length.
    "cache-control": cacheControl === undefined ? "no-transform" : `${cacheControl}, no-transform`,
    ...input.overrides,
    etag: quoteEtag(member.etag),
    "last-modified": formatHttpDate(object.modifiedAt),
    ...versionIdHeader(object, isVersioned),
    "accept-ranges": member.hasRanges ? "bytes" : "none",
    "content-length": String(range?.length ?? member.size),
    ...(range === undefined ? {} : { "content-range": contentRange(range, member.size) }),
  };
}
