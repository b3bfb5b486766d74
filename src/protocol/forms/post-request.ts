// Translates a form into the upload request with the same effect: fields become headers, so that the readers of upload
// headers read forms too.
import { utf8 } from "../../bytes/text.ts";
import { uriEncode } from "../../bytes/uri-encode.ts";
import type { FormFields } from "./post-form.ts";
import { Query } from "../core/query.ts";
import { invalidArgument } from "../core/s3-error.ts";
import type { S3Request } from "../core/s3-request.ts";
import { parseTagging } from "../core/tagging.ts";

const HEADERS: ReadonlySet<string> = new Set([
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-md5",
  "content-type",
  "expires",
]);

/** Fields whose header has another name. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ["acl", "x-amz-acl"],
  ["x-amz-checksum-algorithm", "x-amz-sdk-checksum-algorithm"],
]);

/** Fields of the signature, which are not upload headers. */
const SIGNATURE_FIELDS: ReadonlySet<string> = new Set([
  "x-amz-algorithm",
  "x-amz-credential",
  "x-amz-date",
  "x-amz-security-token",
  "x-amz-signature",
]);

/**
 * The upload request that a form describes. The request's own object headers describe the form and not its file, so
 * they are ignored; its preconditions count.
 * @throws S3Error InvalidArgument for a field that cannot be a header, and what parseTagging throws
 */
export function requestFromForm(request: S3Request, fields: FormFields): S3Request {
  const headers = new Headers(request.headers);
  for (const name of Array.from(headers.keys())) if (HEADERS.has(name) || isAmazonHeader(name)) headers.delete(name);
  for (const { key, value } of fields.entries()) {
    const header = RENAMED.get(key) ?? key;
    if (HEADERS.has(header) || (isAmazonHeader(header) && !SIGNATURE_FIELDS.has(header)))
      setHeader(headers, header, value);
  }
  const tagging = fields.get("tagging");
  if (tagging !== undefined && tagging !== "") headers.set("x-amz-tagging", taggingHeader(tagging));
  return { ...request, headers, query: new Query([]), body: null };
}

function isAmazonHeader(name: string): boolean {
  return name.startsWith("x-amz-");
}

function setHeader(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch {
    throw invalidArgument(name, value, "The field cannot be a header: it holds a line break, or its name no token.");
  }
}

/** Forms contain tags as a document, headers as a query string. */
function taggingHeader(document: string): string {
  const tags = parseTagging(utf8(document), "object");
  return tags.map(({ key, value }) => `${uriEncode(key)}=${uriEncode(value)}`).join("&");
}
