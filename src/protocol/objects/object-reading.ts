// Plans the response of a GET or HEAD of an object, without the bytes: conditions, range, part and headers.
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
import { versionIdOnSnapshot } from "../core/snapshot.ts";
import { shownVersionId, type DeleteMarker, type StoredObject } from "./stored-object.ts";
import { readAsksUpstream } from "./upstream-use.ts";
import { readVersionId } from "../core/version-id.ts";

/** The parsed input of a GET or HEAD. */
export interface ObjectReadInput {
  readonly method: string;
  readonly bucketName: string;
  readonly key: string;
  readonly versionId: string | undefined;
  /** The snapshot to read from; undefined for the bucket itself. */
  readonly snapshot: string | undefined;
  readonly conditions: ReadConditions;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly partNumber: number | undefined;
  readonly wantsChecksum: boolean;
  readonly overrides: Readonly<Record<string, string>>;
  /** Whether the client's Accept-Encoding lets the edge compress the response. */
  readonly acceptsCompression: boolean;
  /** Whether the bucket's upstream may be asked for a missing object. */
  readonly asksUpstream: boolean;
}

/** The context of a read, apart from the version's row. */
export interface ReadEnvironment {
  /** Whether the bucket is or was versioned, so that responses contain version ids. */
  readonly isVersioned: boolean;
  /** The requested part of an object with a manifest, if it exists. */
  readonly parts: readonly ObjectPart[];
  /** The headers that describe the version's encryption. */
  readonly encryption: Readonly<Record<string, string>>;
  /** The headers that show the version's lock, as far as the principal may see it. */
  readonly lock: Readonly<Record<string, string>>;
  /** The stored form of the bucket's lifecycle configuration. */
  readonly lifecycle: string | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A part of a multipart object. */
export interface ObjectPart {
  readonly partNumber: number;
  /** Offset in the object, in bytes. */
  readonly start: number;
  readonly size: number;
  /** Base64. */
  readonly checksum: string | undefined;
}

/** A response without its bytes. `range` is undefined if the whole object is served. */
export interface ObjectReadPlan {
  readonly status: 200 | 206 | 304;
  readonly headers: Readonly<Record<string, string>>;
  readonly range: ByteRange | undefined;
}

/**
 * Reads a GET or HEAD of an object.
 * @throws S3Error InvalidArgument, InvalidRequest for a Range with a partNumber
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
    asksUpstream: readAsksUpstream(request.headers),
    acceptsCompression: /gzip|br|zstd|deflate|\*/.test(acceptEncoding),
  };
}

/** Reads bucket, key and version. @throws S3Error InvalidArgument, InvalidRequest for a version id on a snapshot */
export function readNamedVersion(
  request: S3Request,
): Pick<ObjectReadInput, "method" | "bucketName" | "key" | "versionId" | "snapshot"> {
  const { bucket, key } = addressedObject(request.address);
  const versionId = readVersionId(request.query);
  const snapshot = addressedSnapshot(request.address);
  if (versionId !== undefined && snapshot !== undefined) throw versionIdOnSnapshot();
  return { method: request.method, bucketName: bucket, key, versionId, snapshot };
}

/** The version id header, in a bucket that is or was versioned. */
export function versionIdHeader(object: StoredObject, isVersioned: boolean): Record<string, string> {
  return isVersioned ? { "x-amz-version-id": shownVersionId(object) } : {};
}

/** @throws S3Error InvalidRequest: `response-*` parameters require a signed request */
export function refuseAnonymousOverrides(
  { overrides }: Pick<ObjectReadInput, "overrides">,
  isAnonymous: boolean,
): void {
  if (!isAnonymous || Object.keys(overrides).length === 0) return;
  const message = "Request specific response headers cannot be used for anonymous GET requests.";
  throw new S3Error("InvalidRequest", {}, message);
}

/**
 * The version to read.
 * @throws S3Error NoSuchKey {Key}, NoSuchVersion {Key, VersionId}, MethodNotAllowed for a delete marker's version id
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
 * Plans the response of a GET or HEAD.
 * @throws S3Error PreconditionFailed, InvalidRange, InvalidPartNumber
 */
export function planObjectRead(
  input: ObjectReadInput,
  object: StoredObject,
  { isVersioned, parts, encryption, lock, lifecycle, now }: ReadEnvironment,
): ObjectReadPlan {
  const identity: Record<string, string> = {
    etag: quoteEtag(object.etag),
    "last-modified": formatHttpDate(object.modifiedAt),
    ...versionIdHeader(object, isVersioned),
  };
  const metadata = metadataHeaders(object);
  if (isNotModified(input.conditions, object.etag, object.modifiedAt, now)) {
    const cacheHeaders = Object.entries(metadata).filter(([name]) => name === "cache-control" || name === "expires");
    return { status: 304, headers: { ...identity, ...Object.fromEntries(cacheHeaders) }, range: undefined };
  }
  const part = input.partNumber === undefined ? undefined : requirePart(input.partNumber, object, parts);
  const range = part === undefined ? rangeOf(input, object) : partRange(part, object);
  const headers: Record<string, string> = {
    ...metadata,
    ...input.overrides,
    ...identity,
    ...encryption,
    ...lock,
    "accept-ranges": "bytes",
    "content-length": String(range?.length ?? object.size),
  };
  // Expiration concerns the current version, so a request by version id or snapshot gets no such header.
  if (input.versionId === undefined && input.snapshot === undefined) {
    Object.assign(headers, expirationHeader(lifecycle, object));
  }
  if (object.storageClass !== "STANDARD") headers["x-amz-storage-class"] = object.storageClass;
  if (object.tags.length > 0) headers["x-amz-tagging-count"] = String(object.tags.length);
  if (range !== undefined) headers["content-range"] = contentRange(range, object.size);
  const partsCount = partsCountOf(object);
  if (part !== undefined && partsCount !== undefined) headers["x-amz-mp-parts-count"] = String(partsCount);
  // A client verifies the checksum against the received bytes, so it must cover exactly those bytes.
  if (input.wantsChecksum) Object.assign(headers, checksumHeaders(servedChecksum(object, range, part)));
  if (input.acceptsCompression && headers["content-encoding"] === undefined) forbidTransformation(headers);
  return { status: range === undefined ? 200 : 206, headers, range };
}

/**
 * The number of parts of a multipart object, from its ETag; undefined for other objects. An imported object has its
 * upstream's ETag, and one part.
 */
export function partsCountOf({ etag, manifestId }: Pick<StoredObject, "etag" | "manifestId">): number | undefined {
  if (manifestId === undefined) return undefined;
  const count = /-(\d+)$/.exec(etag)?.[1];
  return count === undefined ? undefined : Number(count);
}

/** The columns of an object that conditions and ranges are evaluated on. */
export type ConditionedObject = Pick<StoredObject, "etag" | "modifiedAt" | "size">;

/**
 * The bytes of the answer to a GET if the object is this one.
 * @returns `"none"` for an answer without bytes of the object, and for a part, which a manifest may define
 */
export function expectedBytes(
  input: ObjectReadInput,
  object: ConditionedObject,
  now: number,
): ByteRange | undefined | "none" {
  if (input.partNumber !== undefined || object.size === 0) return "none";
  try {
    return isNotModified(input.conditions, object.etag, object.modifiedAt, now) ? "none" : rangeOf(input, object);
  } catch (error) {
    if (error instanceof S3Error) return "none";
    throw error;
  }
}

function requirePart(partNumber: number, object: StoredObject, parts: readonly ObjectPart[]): ObjectPart {
  // An object without a manifest has one part: all of its bytes.
  const whole = { partNumber: 1, start: 0, size: object.size, checksum: undefined };
  const known = object.manifestId === undefined ? [whole] : parts;
  const part = known.find((candidate) => candidate.partNumber === partNumber);
  if (part === undefined) {
    const count = partsCountOf(object) ?? 1;
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

/** Prevents the edge from compressing the response, which would omit its length and weaken its ETag. */
function forbidTransformation(headers: Record<string, string>): void {
  const stored = headers["cache-control"];
  if (stored !== undefined && /no-transform/i.test(stored)) return;
  headers["cache-control"] = stored === undefined ? "no-transform" : `${stored}, no-transform`;
}

function rangeOf(input: ObjectReadInput, object: ConditionedObject): ByteRange | undefined {
  if (input.ifRange !== undefined && !isSameAs(input.ifRange, object)) return undefined;
  return resolveRange(input.range, object.size);
}

/** Evaluates If-Range: a strong ETag or a date must match exactly; otherwise the whole object is served. */
export function isSameAs(ifRange: string, object: ConditionedObject): boolean {
  const validator = ifRange.trim();
  // A weak ETag does not promise identical bytes, so a range cannot continue them (RFC 9110, 13.1.5).
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
