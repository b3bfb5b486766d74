// What a form's sender is told of an upload that succeeded: a status, a document, or where to go on.
import { uriEncode } from "../../bytes/uri-encode.ts";
import { element, type XmlElement } from "../../bytes/xml.ts";
import { quoteEtag } from "../core/etag.ts";
import type { FormFields } from "./post-form.ts";
import { originOf, type S3Request } from "../core/s3-request.ts";

/** What was uploaded, and where to. */
export interface PostedObject {
  readonly bucketName: string;
  readonly key: string;
  /** Without quotes. */
  readonly etag: string;
}

export interface PostAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: XmlElement;
}

/**
 * The answer that a form's fields ask for.
 * @param isSigned whether a policy vouches for the fields; nobody is sent anywhere by a field that anybody may write
 */
export function answerPost(
  request: S3Request,
  fields: FormFields,
  isSigned: boolean,
  { bucketName, key, etag }: PostedObject,
): PostAnswer {
  const quoted = quoteEtag(etag);
  const target = fields.get("success_action_redirect") ?? fields.get("redirect");
  const redirect = isSigned && target !== undefined ? readRedirect(target) : undefined;
  if (redirect !== undefined) {
    return { status: 303, headers: { etag: quoted, location: withOutcome(redirect, bucketName, key, quoted) } };
  }
  const location = locationOf(request, key);
  const headers = { etag: quoted, location };
  const status = fields.get("success_action_status");
  if (status === "200") return { status: 200, headers: { ...headers, "content-length": "0" } };
  if (status !== "201") return { status: 204, headers };
  const body = element("PostResponse", [
    element("Location", location),
    element("Bucket", bucketName),
    element("Key", key),
    element("ETag", quoted),
  ]);
  return { status: 201, headers, body };
}

/** A URL that a browser may be sent to; undefined for what is none, as if the field were not there. */
function readRedirect(text: string): URL | undefined {
  // What a URL may not hold the parser would silently take out: a line break, a tab.
  if (!/^https?:\/\/[^\s\p{Cc}\\]+$/iu.test(text)) return undefined;
  return URL.parse(text) ?? undefined;
}

/** S3 keeps the query that is there and adds bucket, key and ETag to it, written like the fields of a form. */
function withOutcome(redirect: URL, bucketName: string, key: string, etag: string): string {
  const { hash, search } = redirect;
  const outcome = `bucket=${formEncode(bucketName)}&key=${formEncode(key)}&etag=${formEncode(etag)}`;
  const page = new URL(redirect);
  page.hash = "";
  // A question mark with nothing behind it begins a query all the same.
  const start = search === "" ? `${page.href.replace(/\?$/, "")}?` : `${page.href}&`;
  return `${start}${outcome}${hash}`;
}

function formEncode(text: string): string {
  return uriEncode(text).replaceAll("%20", "+");
}

/** The object's URL, as the form's own request reached the bucket. S3 escapes a key's slashes in it. */
function locationOf(request: S3Request, key: string): string {
  return `${originOf(request)}${request.rawPath.replace(/\/+$/, "")}/${uriEncode(key)}`;
}
