// Parses the list of signed headers, and checks that it covers the required ones.
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { S3Request } from "../../protocol/core/s3-request.ts";
import { parsePayloadHash } from "./payload.ts";

// Headers.get throws on other names.
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** The lower-case names of a `host;x-amz-date` list; undefined if it is empty, malformed or repeats a name. */
export function parseSignedHeaders(text: string): readonly string[] | undefined {
  const names = text.toLowerCase().split(";");
  const isList = names.every((name) => HEADER_NAME.test(name)) && new Set(names).size === names.length;
  return isList ? names : undefined;
}

/**
 * Requires that a signature covers the host, Content-MD5, every `x-amz-*` header that was sent, and the date header if
 * the time comes from it. Other headers may be unsigned, because proxies rewrite them.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 * @throws S3Error AccessDenied {HeadersNotSigned}
 */
export function requireSignedHeaders(
  request: S3Request,
  signedHeaders: readonly string[],
  form: "header" | "query",
  dateHeader?: "date",
): void {
  const signed = new Set(signedHeaders);
  const missing: string[] = signed.has("host") ? [] : ["host"];
  for (const [name, value] of request.headers) {
    const isBinding = name.startsWith("x-amz-") || name === "content-md5" || name === dateHeader;
    if (!isBinding || signed.has(name)) continue;
    if (form === "query" && name === "x-amz-content-sha256" && isPlainPayloadHash(value)) continue;
    missing.push(name);
  }
  if (missing.length === 0) return;
  throw new S3Error(
    "AccessDenied",
    { HeadersNotSigned: missing.join(", ") },
    "There were headers present in the request which were not signed",
  );
}

// AWS accepts this one unsigned header beside a presigned URL. Its value is ignored, so it must not announce an
// envelope, which would be stored as object bytes.
function isPlainPayloadHash(value: string): boolean {
  return parsePayloadHash(value).kind !== "chunked";
}
