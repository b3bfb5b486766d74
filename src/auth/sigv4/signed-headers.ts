// Which headers a signature covers: the reading of the list, and what has to be in it.
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { S3Request } from "../../protocol/core/s3-request.ts";
import { parsePayloadHash } from "./payload.ts";

// Anything else would make Headers.get throw.
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** The names of a `host;x-amz-date` list in lower case, or undefined where it is empty, repeats one or is no such list. */
export function parseSignedHeaders(text: string): readonly string[] | undefined {
  const names = text.toLowerCase().split(";");
  const isList = names.every((name) => HEADER_NAME.test(name)) && new Set(names).size === names.length;
  return isList ? names : undefined;
}

/**
 * Demands that a signature covers the host, Content-MD5, every `x-amz-*` header that was sent, and the date header
 * where the time came from it. Nothing else is demanded: proxies rewrite the rest.
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
    if (form === "query" && name === "x-amz-content-sha256" && isHarmlessPayloadHash(value)) continue;
    missing.push(name);
  }
  if (missing.length === 0) return;
  throw new S3Error(
    "AccessDenied",
    { HeadersNotSigned: missing.join(", ") },
    "There were headers present in the request which were not signed",
  );
}

// AWS lets this one header pass beside a presigned URL. It is not obeyed, so it must not announce an envelope either:
// the envelope would be stored as if it were the object.
function isHarmlessPayloadHash(value: string): boolean {
  return parsePayloadHash(value).kind !== "chunked";
}
