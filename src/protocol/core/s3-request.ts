// A request as the operations see it: addressed, with its query and headers read exactly once.
import type { Address } from "./addressing.ts";
import type { Query } from "./query.ts";

/** An incoming request, before and after authentication alike. */
export interface S3Request {
  readonly method: string;
  readonly address: Address;
  /** The path as it was sent, percent-encoding and all. */
  readonly rawPath: string;
  readonly query: Query;
  readonly headers: Headers;
  /** Whether the client's connection is encrypted. */
  readonly isSecure: boolean;
  /** The Accept-Encoding the client itself sent, where the edge tells it (`request.cf.clientAcceptEncoding`). */
  readonly clientAcceptEncoding: string | undefined;
  /** The version of TLS between the client and the edge, as `1.3`, where the edge tells it. */
  readonly tlsVersion: string | undefined;
  readonly body: ReadableStream<Uint8Array> | null;
}

/** The origin of the URL by which a request reached the endpoint, for the URLs in its answer. */
export function originOf({ headers, isSecure }: S3Request): string {
  return `${isSecure ? "https" : "http"}://${headers.get("host") ?? ""}`;
}

/**
 * A header of the request. A presigned URL may carry `x-amz-*` headers in its query, where they are signed and act as
 * if they had been sent; checksums are the exception, because SDKs presign the checksum of an empty body there.
 */
export function requestHeader(request: S3Request, name: string): string | undefined {
  const sent = request.headers.get(name);
  if (sent !== null) return sent;
  if (!isHoistable(name) || !request.query.has("X-Amz-Signature")) return undefined;
  return request.query.parameters.find((parameter) => parameter.name.toLowerCase() === name)?.value;
}

/** Every header of the request whose name begins with a prefix, presigned ones included, by lower-case name. */
export function requestHeadersWithPrefix(request: S3Request, prefix: string): Map<string, string> {
  const found = new Map<string, string>();
  if (request.query.has("X-Amz-Signature")) {
    for (const parameter of request.query.parameters) {
      const name = parameter.name.toLowerCase();
      if (name.startsWith(prefix) && isHoistable(name) && !found.has(name)) found.set(name, parameter.value);
    }
  }
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

/** What an upload's checksum is to be, or that it is asked for, is no checksum yet. */
const CHECKSUM_WISHES = new Set(["x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"]);

/** Whether a presigned query may carry a header, by its lower-case name. */
export function isHoistable(name: string): boolean {
  return (
    name.startsWith("x-amz-") &&
    (!name.startsWith("x-amz-checksum-") || CHECKSUM_WISHES.has(name)) &&
    name !== "x-amz-sdk-checksum-algorithm" &&
    !AUTHENTICATION_PARAMETERS.has(name)
  );
}
