// The source of a copy (`x-amz-copy-source`), its conditions, and the directives of CopyObject.
import { checkKey } from "../core/addressing.ts";
import { readExpectedOwner } from "../core/expected-owner.ts";
import { conditionDate, excludedEtags, preconditionFailed, type ReadConditions } from "./conditions.ts";
import { etagListMatches } from "../core/etag.ts";
import type { ByteRange } from "../core/range.ts";
import { invalidArgument, S3Error } from "../core/s3-error.ts";
import { requestHeader, type S3Request } from "../core/s3-request.ts";
import { decodeText } from "../core/text-encodings.ts";
import type { StoredObject } from "./stored-object.ts";
import { splitSnapshot, versionIdOnSnapshot } from "../core/snapshot.ts";
import { isVersionId } from "../core/version-id.ts";

/** The source of a copy. */
export interface CopySource {
  readonly bucketName: string;
  /** The snapshot to copy from; undefined for the bucket itself. */
  readonly snapshot: string | undefined;
  readonly key: string;
  /** The key with each plus taken literally, if that differs; used if {@link key} does not exist. */
  readonly literalKey: string | undefined;
  /** A version id, `null`, or undefined for the current version. */
  readonly versionId: string | undefined;
  /** The account that must own the source's bucket. */
  readonly expectedOwner: string | undefined;
}

/**
 * Reads `x-amz-copy-source`: `[/]bucket/key[?versionId=id]`. Some SDKs do not percent-encode it, so a value with
 * malformed escapes is used unchanged.
 * @throws S3Error InvalidArgument, InvalidRequest for a version id on a snapshot
 */
export function readCopySource(request: S3Request): CopySource {
  const header = requestHeader(request, "x-amz-copy-source") ?? "";
  const question = header.lastIndexOf("?versionId=");
  const path = question < 0 ? header : header.slice(0, question);
  const versionId = question < 0 ? undefined : header.slice(question + "?versionId=".length);
  const decoded = decodePath(path);
  const literal = decodeText("path", path)?.replace(/^\//, "");
  const slash = decoded.indexOf("/");
  if (slash < 1 || slash === decoded.length - 1) {
    throw invalidArgument("x-amz-copy-source", header, "Invalid copy source object key");
  }
  if (versionId !== undefined && versionId !== "null" && !isVersionId(versionId)) {
    throw invalidArgument("x-amz-copy-source", header, "Invalid version id specified");
  }
  const key = decoded.slice(slash + 1);
  checkKey(key);
  const literalKey = literal === decoded ? undefined : literal?.slice(slash + 1);
  const expectedOwner = readExpectedOwner(request, "x-amz-source-expected-bucket-owner");
  const { bucket, snapshot } = splitSnapshot(decoded.slice(0, slash));
  if (versionId !== undefined && snapshot !== undefined) throw versionIdOnSnapshot();
  return { bucketName: bucket, snapshot, key, literalKey, versionId, expectedOwner };
}

/**
 * The values of `s3:x-amz-copy-source` that policies may test: bucket and key, with and without a leading slash. A copy
 * from a snapshot has the name of its bucket.
 */
export function namesOfSource(bucketName: string, key: string): readonly string[] {
  return [`${bucketName}/${key}`, `/${bucketName}/${key}`];
}

/** The values of {@link namesOfSource} for a request's header; undefined if the header is missing or invalid. */
export function copySourceNames(request: S3Request): readonly string[] | undefined {
  if (requestHeader(request, "x-amz-copy-source") === undefined) return undefined;
  try {
    const { bucketName, key } = readCopySource(request);
    return namesOfSource(bucketName, key);
  } catch (error) {
    if (error instanceof S3Error) return undefined;
    throw error;
  }
}

function decodePath(path: string): string {
  return (decodeText("copySource", path) ?? path).replace(/^\//, "");
}

/**
 * Evaluates the conditions of a copy on its source, in AWS's order.
 * @param prefix of the header names: `x-amz-copy-source-` or `x-amz-rename-source-`
 * @param shown the prefix in the error's Condition
 * @param now milliseconds since the epoch; as in RFC 9110, an If-Modified-Since in the future is ignored
 * @throws S3Error PreconditionFailed {Condition}, InvalidArgument for an invalid condition
 */
export function checkSourceConditions(
  request: S3Request,
  source: Pick<StoredObject, "etag" | "modifiedAt">,
  now: number,
  prefix = "x-amz-copy-source-",
  shown = prefix,
): void {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = readSourceConditions(request, prefix);
  const modified = Math.floor(source.modifiedAt / 1000) * 1000;
  if (ifMatch !== undefined) {
    if (!etagListMatches(ifMatch, source.etag)) throw preconditionFailed(`${shown}If-Match`);
  } else if (ifUnmodifiedSince !== undefined && modified > ifUnmodifiedSince) {
    throw preconditionFailed(`${shown}If-Unmodified-Since`);
  }
  if (ifNoneMatch !== undefined) {
    if (etagListMatches(ifNoneMatch, source.etag)) throw preconditionFailed(`${shown}If-None-Match`);
  } else if (ifModifiedSince !== undefined && ifModifiedSince <= now && modified <= ifModifiedSince) {
    throw preconditionFailed(`${shown}If-Modified-Since`);
  }
}

/**
 * Reads the conditions on the source of a copy or rename.
 * @throws S3Error InvalidArgument for an invalid condition
 */
export function readSourceConditions(request: S3Request, prefix: string): ReadConditions {
  return {
    ifMatch: requestHeader(request, `${prefix}if-match`),
    ifNoneMatch: excludedEtags(request, `${prefix}if-none-match`),
    ifModifiedSince: conditionDate(request, `${prefix}if-modified-since`),
    ifUnmodifiedSince: conditionDate(request, `${prefix}if-unmodified-since`),
  };
}

/** COPY or REPLACE. @throws S3Error InvalidArgument for another directive */
export function readDirective(request: S3Request, name: string): "COPY" | "REPLACE" {
  const value = requestHeader(request, name) ?? "COPY";
  if (value !== "COPY" && value !== "REPLACE") {
    throw invalidArgument(
      name,
      value,
      `Unknown ${name === "x-amz-tagging-directive" ? "tagging" : "metadata"} directive.`,
    );
  }
  return value;
}

/** The header, or the parameter of a presigned URL, that says whether a copy includes annotations. */
export const ANNOTATION_DIRECTIVE = "x-amz-object-annotation-directive";

/** COPY or EXCLUDE. @throws S3Error InvalidArgument for another directive, or for two that differ */
export function readAnnotationDirective(request: S3Request): "COPY" | "EXCLUDE" {
  const header = requestHeader(request, ANNOTATION_DIRECTIVE);
  const parameter = request.query.get(ANNOTATION_DIRECTIVE);
  const value = header ?? parameter ?? "COPY";
  if (header !== undefined && parameter !== undefined && header !== parameter) {
    throw invalidArgument(ANNOTATION_DIRECTIVE, parameter, "The header and the parameter differ.");
  }
  if (value === "COPY" || value === "EXCLUDE") return value;
  throw invalidArgument(ANNOTATION_DIRECTIVE, value, "Unknown annotation directive.");
}

/**
 * The range of `x-amz-copy-source-range` in a source of `size` bytes.
 * @throws S3Error InvalidArgument, InvalidRequest for a range that begins past the source's end
 */
export function readCopyRange(request: S3Request, size: number): ByteRange | undefined {
  const text = requestHeader(request, "x-amz-copy-source-range");
  if (text === undefined) return undefined;
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(text.trim());
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || last < first) {
    throw invalidArgument(
      "x-amz-copy-source-range",
      text,
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
    );
  }
  if (first >= size) {
    throw new S3Error("InvalidRequest", {}, "The specified copy range is invalid for the source object size");
  }
  if (last >= size) {
    throw invalidArgument(
      "x-amz-copy-source-range",
      text,
      `Range specified is not valid for source object of size: ${size}`,
    );
  }
  return { offset: first, length: last - first + 1 };
}
