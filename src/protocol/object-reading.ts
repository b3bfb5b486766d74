// What a GET or HEAD of an object answers, short of the bytes: conditions, range, part and headers.
import { formatHttpDate } from "../bytes/dates.ts";
import { addressedObject } from "./addressing.ts";
import { checksumHeaders } from "./checksums.ts";
import { isNotModified, readConditions, type ReadConditions } from "./conditions.ts";
import { bareEtag, quoteEtag } from "./etag.ts";
import { metadataHeaders, readResponseOverrides } from "./object-metadata.ts";
import { contentRange, resolveRange, type ByteRange } from "./range.ts";
import { invalidArgument, S3Error } from "./s3-error.ts";
import { requestHeader, type S3Request } from "./s3-request.ts";
import type { StoredObject } from "./stored-object.ts";
import { readVersionId } from "./version-id.ts";

/** What a GET or HEAD asks. */
export interface ObjectReadInput {
  readonly bucketName: string;
  readonly key: string;
  readonly versionId: string | undefined;
  readonly conditions: ReadConditions;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly partNumber: number | undefined;
  readonly wantsChecksum: boolean;
  readonly overrides: Readonly<Record<string, string>>;
  /** Whether the client's Accept-Encoding lets the edge compress the answer. */
  readonly acceptsCompression: boolean;
}

/** An answer without its bytes. `range` is undefined where the whole object is served. */
export interface ObjectReadPlan {
  readonly status: 200 | 206 | 304;
  readonly headers: Readonly<Record<string, string>>;
  readonly range: ByteRange | undefined;
}

/**
 * Reads a GET or HEAD of an object.
 * @throws S3Error InvalidArgument, InvalidRequest for a Range beside a partNumber
 */
export function readObjectRead(request: S3Request): ObjectReadInput {
  const { bucket, key } = addressedObject(request.address);
  const range = request.headers.get("range") ?? undefined;
  const partNumber = readPartNumber(request);
  if (range !== undefined && partNumber !== undefined) {
    throw new S3Error("InvalidRequest", {}, "Cannot specify both Range header and partNumber query parameter");
  }
  const acceptEncoding = request.clientAcceptEncoding ?? request.headers.get("accept-encoding") ?? "";
  return {
    bucketName: bucket,
    key,
    versionId: readVersionId(request.query),
    conditions: readConditions(request),
    range,
    ifRange: request.headers.get("if-range") ?? undefined,
    partNumber,
    wantsChecksum: requestHeader(request, "x-amz-checksum-mode")?.toUpperCase() === "ENABLED",
    overrides: readResponseOverrides(request),
    acceptsCompression: /gzip|br|zstd|deflate|\*/.test(acceptEncoding),
  };
}

/** @throws S3Error InvalidRequest: `response-*` parameters must be signed for */
export function refuseAnonymousOverrides(input: ObjectReadInput, isAnonymous: boolean): void {
  if (!isAnonymous || Object.keys(input.overrides).length === 0) return;
  const message = "Request specific response headers cannot be used for anonymous GET requests.";
  throw new S3Error("InvalidRequest", {}, message);
}

/** The version that a read means. @throws S3Error NoSuchKey {Key}, NoSuchVersion {Key, VersionId} */
export function requireVersion(input: ObjectReadInput, current: StoredObject | undefined): StoredObject {
  const { key, versionId } = input;
  if (versionId === undefined) {
    if (current === undefined) throw new S3Error("NoSuchKey", { Key: key });
    return current;
  }
  if (current === undefined || versionId !== (current.isNullVersion ? "null" : current.versionId)) {
    throw new S3Error("NoSuchVersion", { Key: key, VersionId: versionId });
  }
  return current;
}

/**
 * Plans the answer of a GET or HEAD.
 * @param now milliseconds since the epoch
 * @throws S3Error PreconditionFailed, InvalidRange, InvalidPartNumber
 */
export function planObjectRead(input: ObjectReadInput, object: StoredObject, now: number): ObjectReadPlan {
  const validators = {
    etag: quoteEtag(object.etag),
    "last-modified": formatHttpDate(object.modifiedAt),
  };
  const metadata = metadataHeaders(object);
  if (isNotModified(input.conditions, object.etag, object.modifiedAt, now)) {
    const kept = Object.entries(metadata).filter(([name]) => name === "cache-control" || name === "expires");
    return { status: 304, headers: { ...validators, ...Object.fromEntries(kept) }, range: undefined };
  }
  const range = rangeOf(input, object);
  const headers: Record<string, string> = {
    ...metadata,
    ...input.overrides,
    ...validators,
    "accept-ranges": "bytes",
    "content-length": String(range?.length ?? object.size),
    "x-content-type-options": "nosniff",
  };
  if (object.storageClass !== "STANDARD") headers["x-amz-storage-class"] = object.storageClass;
  if (range !== undefined) headers["content-range"] = contentRange(range, object.size);
  // A client verifies the checksum against the bytes it gets, so it may only come with all that it was made of.
  const isWhole = range === undefined || input.partNumber !== undefined;
  if (input.wantsChecksum && isWhole) Object.assign(headers, checksumHeaders(object.checksum));
  if (input.acceptsCompression && headers["content-encoding"] === undefined) forbidTransformation(headers);
  return { status: range === undefined ? 200 : 206, headers, range };
}

/** The edge would compress the answer, and drop its length and weaken its ETag with that, unless it is told not to. */
function forbidTransformation(headers: Record<string, string>): void {
  const stored = headers["cache-control"];
  if (stored !== undefined && /no-transform/i.test(stored)) return;
  headers["cache-control"] = stored === undefined ? "no-transform" : `${stored}, no-transform`;
}

function rangeOf(input: ObjectReadInput, object: StoredObject): ByteRange | undefined {
  if (input.partNumber !== undefined) {
    if (input.partNumber > 1) {
      throw new S3Error("InvalidPartNumber", { ActualPartCount: 1, PartNumberRequested: input.partNumber });
    }
    return object.size === 0 ? undefined : { offset: 0, length: object.size };
  }
  if (input.ifRange !== undefined && !isSameAs(input.ifRange, object)) return undefined;
  return resolveRange(input.range, object.size);
}

/** If-Range: a strong ETag or a date; anything but an exact match serves the whole object. */
function isSameAs(ifRange: string, object: StoredObject): boolean {
  const validator = ifRange.trim();
  // A weak ETag is of bytes that may have been encoded on the way: a part of these is none of those (RFC 9110, 13.1.5).
  if (validator.startsWith("W/")) return false;
  return bareEtag(validator) === object.etag || validator === formatHttpDate(object.modifiedAt);
}

function readPartNumber(request: S3Request): number | undefined {
  const text = request.query.get("partNumber");
  if (text === undefined) return undefined;
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > 10_000) {
    throw invalidArgument("partNumber", text, "Part number must be an integer between 1 and 10000, inclusive");
  }
  return value;
}
