// What a GET or HEAD of an object answers, short of the bytes: conditions, range, part and headers.
import { formatHttpDate, parseHttpDate } from "../../bytes/dates.ts";
import { addressedObject, addressedSnapshot } from "../core/addressing.ts";
import { checksumHeaders, type ObjectChecksum } from "../core/checksums.ts";
import { isNotModified, readConditions, type ReadConditions } from "./conditions.ts";
import { bareEtag, quoteEtag } from "../core/etag.ts";
import { expirationHeader } from "../lifecycle/lifecycle-times.ts";
import { metadataHeaders, readResponseOverrides } from "./object-metadata.ts";
import { contentRange, resolveRange, type ByteRange } from "../core/range.ts";
import { invalidArgument, S3Error } from "../core/s3-error.ts";
import { requestHeader, type S3Request } from "../core/s3-request.ts";
import { versionOfSnapshot } from "../core/snapshot.ts";
import { shownVersionId, type DeleteMarker, type StoredObject } from "./stored-object.ts";
import { readVersionId } from "../core/version-id.ts";

/** What a GET or HEAD asks. */
export interface ObjectReadInput {
  readonly method: string;
  readonly bucketName: string;
  readonly key: string;
  readonly versionId: string | undefined;
  /** The snapshot that is read instead of what the bucket holds now. */
  readonly snapshot: string | undefined;
  readonly conditions: ReadConditions;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly partNumber: number | undefined;
  readonly wantsChecksum: boolean;
  readonly overrides: Readonly<Record<string, string>>;
  /** Whether the client's Accept-Encoding lets the edge compress the answer. */
  readonly acceptsCompression: boolean;
}

/** What a read knows of the version besides its row. */
export interface ReadEnvironment {
  /** Whether the bucket is or was versioned, so that version ids are shown. */
  readonly isVersioned: boolean;
  /** The part of an object with a manifest that the read asks for, if it has such a part. */
  readonly parts: readonly ObjectPart[];
  /** The headers that tell how the version is encrypted. */
  readonly encryption: Readonly<Record<string, string>>;
  /** The bucket's lifecycle configuration, as it is kept. */
  readonly lifecycle: string | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A part as the object remembers it. */
export interface ObjectPart {
  readonly partNumber: number;
  /** Where it begins in the object, in bytes. */
  readonly start: number;
  readonly size: number;
  /** Base64. */
  readonly checksum: string | undefined;
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
  const range = request.headers.get("range") ?? undefined;
  const partNumber = readPartNumber(request);
  if (range !== undefined && partNumber !== undefined) {
    throw new S3Error("InvalidRequest", {}, "Cannot specify both Range header and partNumber query parameter");
  }
  const acceptEncoding = request.clientAcceptEncoding ?? request.headers.get("accept-encoding") ?? "";
  return {
    ...readNamedVersion(request),
    conditions: readConditions(request),
    range,
    ifRange: request.headers.get("if-range") ?? undefined,
    partNumber,
    wantsChecksum: requestHeader(request, "x-amz-checksum-mode")?.toUpperCase() === "ENABLED",
    overrides: readResponseOverrides(request),
    acceptsCompression: /gzip|br|zstd|deflate|\*/.test(acceptEncoding),
  };
}

/** Which version of which key a request names. @throws S3Error InvalidArgument, InvalidRequest for a version of a snapshot */
export function readNamedVersion(
  request: S3Request,
): Pick<ObjectReadInput, "method" | "bucketName" | "key" | "versionId" | "snapshot"> {
  const { bucket, key } = addressedObject(request.address);
  const versionId = readVersionId(request.query);
  const snapshot = addressedSnapshot(request.address);
  if (versionId !== undefined && snapshot !== undefined) throw versionOfSnapshot();
  return { method: request.method, bucketName: bucket, key, versionId, snapshot };
}

/** The header that names a version, in a bucket that is or was versioned. */
export function versionIdHeader(object: StoredObject, isVersioned: boolean): Record<string, string> {
  return isVersioned ? { "x-amz-version-id": shownVersionId(object) } : {};
}

/** @throws S3Error InvalidRequest: `response-*` parameters must be signed for */
export function refuseAnonymousOverrides(input: ObjectReadInput, isAnonymous: boolean): void {
  if (!isAnonymous || Object.keys(input.overrides).length === 0) return;
  const message = "Request specific response headers cannot be used for anonymous GET requests.";
  throw new S3Error("InvalidRequest", {}, message);
}

/**
 * The version that a read means.
 * @throws S3Error NoSuchKey {Key}, NoSuchVersion {Key, VersionId}, MethodNotAllowed for a delete marker by its id
 */
export function requireVersion(
  { method, key, versionId }: Pick<ObjectReadInput, "method" | "key" | "versionId">,
  {
    object,
    deleteMarker,
  }: { readonly object: StoredObject | undefined; readonly deleteMarker: DeleteMarker | undefined },
): StoredObject {
  if (object !== undefined) return object;
  const headers: Record<string, string> =
    deleteMarker === undefined
      ? {}
      : { "x-amz-delete-marker": "true", "x-amz-version-id": shownVersionId(deleteMarker) };
  if (versionId === undefined) throw new S3Error("NoSuchKey", { Key: key }, undefined, headers);
  if (deleteMarker === undefined) throw new S3Error("NoSuchVersion", { Key: key, VersionId: versionId });
  throw new S3Error("MethodNotAllowed", { Method: method, ResourceType: "DeleteMarker" }, undefined, {
    ...headers,
    "Last-Modified": formatHttpDate(deleteMarker.modifiedAt),
    Allow: "DELETE",
  });
}

/**
 * Plans the answer of a GET or HEAD.
 * @throws S3Error PreconditionFailed, InvalidRange, InvalidPartNumber
 */
export function planObjectRead(
  input: ObjectReadInput,
  object: StoredObject,
  { isVersioned, parts, encryption, lifecycle, now }: ReadEnvironment,
): ObjectReadPlan {
  const identity: Record<string, string> = {
    etag: quoteEtag(object.etag),
    "last-modified": formatHttpDate(object.modifiedAt),
    ...versionIdHeader(object, isVersioned),
  };
  const metadata = metadataHeaders(object);
  if (isNotModified(input.conditions, object.etag, object.modifiedAt, now)) {
    const kept = Object.entries(metadata).filter(([name]) => name === "cache-control" || name === "expires");
    return { status: 304, headers: { ...identity, ...Object.fromEntries(kept) }, range: undefined };
  }
  const part = input.partNumber === undefined ? undefined : requirePart(input.partNumber, object, parts);
  const range = part === undefined ? rangeOf(input, object) : partRange(part, object);
  const headers: Record<string, string> = {
    ...metadata,
    ...input.overrides,
    ...identity,
    ...encryption,
    "accept-ranges": "bytes",
    "content-length": String(range?.length ?? object.size),
  };
  // Who names a version asks for no rule's opinion of it.
  if (input.versionId === undefined && input.snapshot === undefined) {
    Object.assign(headers, expirationHeader(lifecycle, object));
  }
  if (object.storageClass !== "STANDARD") headers["x-amz-storage-class"] = object.storageClass;
  if (object.tags.length > 0) headers["x-amz-tagging-count"] = String(object.tags.length);
  if (range !== undefined) headers["content-range"] = contentRange(range, object.size);
  const partsCount = partsCountOf(object.etag);
  if (part !== undefined && partsCount !== undefined) headers["x-amz-mp-parts-count"] = String(partsCount);
  // A client verifies the checksum against the bytes it gets, so it may only come with all that it was made of.
  if (input.wantsChecksum) Object.assign(headers, checksumHeaders(servedChecksum(object, range, part)));
  if (input.acceptsCompression && headers["content-encoding"] === undefined) forbidTransformation(headers);
  return { status: range === undefined ? 200 : 206, headers, range };
}

/** How many parts an object was made of, by its ETag; undefined for one that was uploaded in one piece. */
export function partsCountOf(etag: string): number | undefined {
  const count = /-(\d+)$/.exec(etag)?.[1];
  return count === undefined ? undefined : Number(count);
}

function requirePart(partNumber: number, object: StoredObject, parts: readonly ObjectPart[]): ObjectPart {
  // An object without a manifest was uploaded in one piece, which is its first part.
  const whole = { partNumber: 1, start: 0, size: object.size, checksum: undefined };
  const known = object.manifestId === undefined ? [whole] : parts;
  const part = known.find((candidate) => candidate.partNumber === partNumber);
  if (part === undefined) {
    const count = partsCountOf(object.etag) ?? 1;
    throw new S3Error("InvalidPartNumber", { ActualPartCount: count, PartNumberRequested: partNumber });
  }
  return part;
}

function partRange({ start, size }: ObjectPart, object: StoredObject): ByteRange | undefined {
  return object.size === 0 ? undefined : { offset: start, length: size };
}

function servedChecksum(
  object: StoredObject,
  range: ByteRange | undefined,
  part: ObjectPart | undefined,
): ObjectChecksum | undefined {
  const { checksum } = object;
  if (range === undefined) return checksum;
  if (part === undefined || checksum === undefined) return undefined;
  if (part.checksum !== undefined) return { ...checksum, value: part.checksum };
  return part.size === object.size && checksum.type === "FULL_OBJECT" ? checksum : undefined;
}

/** The edge would compress the answer, and drop its length and weaken its ETag with that, unless it is told not to. */
function forbidTransformation(headers: Record<string, string>): void {
  const stored = headers["cache-control"];
  if (stored !== undefined && /no-transform/i.test(stored)) return;
  headers["cache-control"] = stored === undefined ? "no-transform" : `${stored}, no-transform`;
}

function rangeOf(input: ObjectReadInput, object: StoredObject): ByteRange | undefined {
  if (input.ifRange !== undefined && !isSameAs(input.ifRange, object)) return undefined;
  return resolveRange(input.range, object.size);
}

/** If-Range: a strong ETag or a date; anything but an exact match serves the whole object. */
function isSameAs(ifRange: string, object: StoredObject): boolean {
  const validator = ifRange.trim();
  // A weak ETag is of bytes that may have been encoded on the way: a part of these is none of those (RFC 9110, 13.1.5).
  if (validator.startsWith("W/")) return false;
  const modified = Math.floor(object.modifiedAt / 1000) * 1000;
  return bareEtag(validator) === object.etag || parseHttpDate(validator) === modified;
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
