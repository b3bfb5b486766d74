// A request as operations see it: addressed, with parsed query and headers.
import type { Address } from "./addressing.ts";
import type { Query } from "./query.ts";
import type { ReadableHeaders } from "./sent-headers.ts";

/** An incoming request, before and after authentication. */
export interface S3Request {
  readonly method: string;
  readonly address: Address;
  /** The path as sent, still percent-encoded. */
  readonly rawPath: string;
  readonly query: Query;
  readonly headers: ReadableHeaders;
  /** Whether the client's connection is encrypted. */
  readonly isSecure: boolean;
  /** The client's own Accept-Encoding, if the edge reports it (`request.cf.clientAcceptEncoding`). */
  readonly clientAcceptEncoding: string | undefined;
  /** The TLS version between client and edge, such as `1.3`, if the edge reports it. */
  readonly tlsVersion: string | undefined;
  readonly body: ReadableStream<Uint8Array> | null;
  /** Whether several ranges are answered, as on delivery hosts. S3's API ignores them. */
  readonly answersSeveralRanges?: boolean;
}

/** The origin that the client sent the request to, for URLs in the response. */
export function originOf({ headers, isSecure }: S3Request): string {
  return `${isSecure ? "https" : "http"}://${headers.get("host") ?? ""}`;
}

/** The inputs of a request that contain headers. */
export type HeaderSource = Pick<S3Request, "headers" | "query">;

/**
 * A header of the request. A presigned query may contain signed `x-amz-*` headers. Checksums there do not count,
 * because SDKs presign the checksum of an empty body.
 */
export function requestHeader(request: HeaderSource, name: string): string | undefined {
  const sent = request.headers.get(name);
  if (sent !== null) return sent;
  return presignedHeaders(request.query)?.get(name);
}

// A request is asked for dozens of headers, and the query of a presigned one never changes.
const PRESIGNED = new WeakMap<Query, ReadonlyMap<string, string>>();

/** The headers in a presigned query by lower-case name, the first value of each; undefined for another query. */
export function presignedHeaders(query: Query): ReadonlyMap<string, string> | undefined {
  if (!query.has("X-Amz-Signature")) return undefined;
  const known = PRESIGNED.get(query);
  if (known !== undefined) return known;
  const headers = new Map<string, string>();
  for (const parameter of query.parameters) {
    const name = parameter.name.toLowerCase();
    if (isHoistable(name) && !headers.has(name)) headers.set(name, parameter.value);
  }
  PRESIGNED.set(query, headers);
  return headers;
}

/** All headers with a prefix, including those in a presigned query, by lower-case name. */
export function requestHeadersWithPrefix(request: HeaderSource, prefix: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of presignedHeaders(request.query) ?? [])
    if (name.startsWith(prefix)) found.set(name, value);
  for (const [name, value] of request.headers) if (name.startsWith(prefix)) found.set(name, value);
  return found;
}

const AUTHENTICATION_PARAMETERS = new Set([
  "x-amz-algorithm",
  "x-amz-credential",
  "x-amz-date",
  "x-amz-expires",
  "x-amz-signedheaders",
  "x-amz-signature",
]);

/** Headers that configure an upload's checksum but do not contain one, so a presigned query may contain them. */
const CHECKSUM_SETTINGS = new Set(["x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"]);

/** Whether a presigned query may contain a header; the name is in lower case. */
function isHoistable(name: string): boolean {
  return (
    name.startsWith("x-amz-") &&
    (!name.startsWith("x-amz-checksum-") || CHECKSUM_SETTINGS.has(name)) &&
    name !== "x-amz-sdk-checksum-algorithm" &&
    !AUTHENTICATION_PARAMETERS.has(name)
  );
}
