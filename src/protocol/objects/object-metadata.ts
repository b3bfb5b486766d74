// The metadata of an object: the system headers that S3 stores and returns, and x-amz-meta-*.
import { toBase64 } from "../../bytes/hex-base64.ts";
import { utf8, utf8Length } from "../../bytes/text.ts";
import { invalidArgument, S3Error } from "../core/s3-error.ts";
import { requestHeader, requestHeadersWithPrefix, type HeaderSource } from "../core/s3-request.ts";

/** The most bytes of user metadata: names without prefix and values, in UTF-8. */
const USER_METADATA_MAX_BYTES = 2048;

const SYSTEM_HEADERS = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
] as const;
const SYSTEM_METADATA_MAX_BYTES = 8192;
const USER_PREFIX = "x-amz-meta-";

/** The name of an entry of the user metadata, in any case. */
export const METADATA_NAME = /^[!#$%&'*+\-.^_`|~\w]+$/;

/** Stored with the system metadata. Copies do not inherit it. */
const REDIRECT_LOCATION = "x-amz-website-redirect-location";
const REDIRECT_LOCATION_MAX = 2048;

export interface ObjectMetadata {
  readonly contentType: string | undefined;
  readonly systemMetadata: Readonly<Record<string, string>>;
  readonly userMetadata: Readonly<Record<string, string>>;
}

/**
 * Reads the metadata of an upload. `aws-chunked` is an encoding of the request and is not stored.
 * @throws S3Error MetadataTooLarge {Size, MaxSizeAllowed}, InvalidRedirectLocation
 */
export function readMetadata(request: HeaderSource): ObjectMetadata {
  const systemMetadata: Record<string, string> = {};
  for (const name of SYSTEM_HEADERS) {
    const sent = requestHeader(request, name);
    const value = name === "content-encoding" ? withoutAwsChunked(sent) : sent;
    if (value !== undefined && value !== "") systemMetadata[name] = value;
  }
  const redirect = readRedirectLocation(request);
  if (redirect !== undefined) systemMetadata[REDIRECT_LOCATION] = redirect;
  const user = requestHeadersWithPrefix(request, USER_PREFIX);
  const userMetadata = Object.fromEntries(Array.from(user, ([name, value]) => [name.slice(USER_PREFIX.length), value]));
  for (const name of Object.keys(userMetadata)) {
    // Parameters of a presigned query need not be tokens, and a response cannot return other header names.
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name))
      throw invalidArgument(USER_PREFIX + name, userMetadata[name], "Invalid metadata name");
  }
  const contentType = requestHeader(request, "content-type");
  checkSize(userMetadata, USER_METADATA_MAX_BYTES);
  checkSize(systemMetadata, SYSTEM_METADATA_MAX_BYTES - utf8Length(contentType ?? ""));
  return { contentType: contentType === "" ? undefined : contentType, systemMetadata, userMetadata };
}

/** @throws S3Error InvalidRedirectLocation unless the value is a path or an HTTP URL that a Location can contain */
function readRedirectLocation(request: HeaderSource): string | undefined {
  const value = requestHeader(request, REDIRECT_LOCATION);
  if (value === undefined || value === "") return undefined;
  if (!/^(?:\/|https?:\/\/)/.test(value)) throw new S3Error("InvalidRedirectLocation");
  if (value.length > REDIRECT_LOCATION_MAX) {
    const message = `The length of website redirect location cannot exceed ${REDIRECT_LOCATION_MAX} characters.`;
    throw new S3Error("InvalidRedirectLocation", {}, message);
  }
  if (!/^[\u0020-\u007e]*$/.test(value)) {
    throw new S3Error("InvalidRedirectLocation", {}, "The website redirect location must be ASCII text.");
  }
  return value;
}

/** Where a website redirects requests for an object; undefined to serve the object. */
export function redirectLocationOf({ systemMetadata }: Pick<ObjectMetadata, "systemMetadata">): string | undefined {
  return systemMetadata[REDIRECT_LOCATION];
}

/** The metadata of a copy that takes its source's: without the source's redirect, with the request's. */
export function copiedMetadata(source: ObjectMetadata, requested: ObjectMetadata): ObjectMetadata {
  const { contentType, userMetadata } = source;
  const { [REDIRECT_LOCATION]: _ofSource, ...systemMetadata } = source.systemMetadata;
  const redirect = redirectLocationOf(requested);
  if (redirect === undefined) return { contentType, systemMetadata, userMetadata };
  return { contentType, systemMetadata: { ...systemMetadata, [REDIRECT_LOCATION]: redirect }, userMetadata };
}

/** The response headers for stored metadata. */
export function metadataHeaders(metadata: ObjectMetadata): Record<string, string> {
  const headers: Record<string, string> = { "content-type": metadata.contentType ?? "binary/octet-stream" };
  // Stored headers are returned byte for byte: browsers read file names from them.
  for (const [name, value] of Object.entries(metadata.systemMetadata)) headers[name] = value;
  for (const [name, value] of Object.entries(metadata.userMetadata))
    headers[USER_PREFIX + name] = asciiHeaderValue(value);
  return headers;
}

const OVERRIDES = {
  "response-content-type": "content-type",
  "response-content-language": "content-language",
  "response-expires": "expires",
  "response-cache-control": "cache-control",
  "response-content-disposition": "content-disposition",
  "response-content-encoding": "content-encoding",
} as const;

/**
 * Reads the `response-*` parameters, which replace stored headers in the response.
 * @throws S3Error InvalidArgument for a value that a header cannot contain
 */
export function readResponseOverrides(request: HeaderSource): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [parameter, header] of Object.entries(OVERRIDES)) {
    const value = request.query.get(parameter);
    if (value === undefined) continue;
    // oxlint-disable-next-line no-control-regex
    if (/[^\u0020-\u007e\u00a0-\u00ff\t]/.test(value)) {
      throw invalidArgument(parameter, value, "Header value cannot be represented using ISO-8859-1.");
    }
    headers[header] = value;
  }
  return headers;
}

/** A header value in ASCII. Like S3, writes other text as an RFC 2047 encoded word. */
function asciiHeaderValue(value: string): string {
  return /^[\u0020-\u007e\t]*$/.test(value) ? value : `=?UTF-8?B?${toBase64(utf8(value))}?=`;
}

function withoutAwsChunked(value: string | undefined): string | undefined {
  if (value === undefined || !/aws-chunked/i.test(value)) return value;
  return value
    .split(",")
    .filter((coding) => !/^\s*(?:aws-chunked\s*)?$/i.test(coding))
    .join(",")
    .trim();
}

function checkSize(metadata: Readonly<Record<string, string>>, limit: number): void {
  let size = 0;
  for (const [name, value] of Object.entries(metadata)) size += utf8Length(name) + utf8Length(value);
  if (size > limit) throw new S3Error("MetadataTooLarge", { Size: size, MaxSizeAllowed: limit });
}
