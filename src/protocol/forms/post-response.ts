// The response of a successful form upload: a status, a document, or a redirect.
import { uriEncode } from "../../bytes/uri-encode.ts";
import { element, type XmlElement } from "../../bytes/xml.ts";
import { quoteEtag } from "../core/etag.ts";
import type { FormFields } from "./post-form.ts";
import { originOf, type S3Request } from "../core/s3-request.ts";

/** The uploaded object. */
export interface PostedObject {
  readonly bucketName: string;
  readonly key: string;
  /** Without quotes. */
  readonly etag: string;
}

export interface PostResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: XmlElement;
}

/**
 * Makes the response that a form's fields request.
 * @param isSigned whether a policy signs the fields; an unsigned redirect is ignored, as any site could have set it
 */
export function makePostResponse(
  request: S3Request,
  fields: FormFields,
  isSigned: boolean,
  { bucketName, key, etag }: PostedObject,
): PostResponse {
  const quoted = quoteEtag(etag);
  const target = fields.get("success_action_redirect") ?? fields.get("redirect");
  const redirect = isSigned && target !== undefined ? readRedirect(target) : undefined;
  if (redirect !== undefined) {
    return {
      status: 303,
      headers: { etag: quoted, location: withUploadParameters(redirect, bucketName, key, quoted) },
    };
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

/** Parses a redirect's URL; undefined for an invalid one, which is ignored. */
function readRedirect(text: string): URL | undefined {
  // The URL parser would silently omit invalid characters such as line breaks and tabs.
  if (!/^https?:\/\/[^\s\p{Cc}\\]+$/iu.test(text)) return undefined;
  return URL.parse(text) ?? undefined;
}

/** Like S3, appends bucket, key and ETag, form-encoded, to the query of the URL. */
function withUploadParameters(redirect: URL, bucketName: string, key: string, etag: string): string {
  const { hash, search } = redirect;
  const parameters = `bucket=${formEncode(bucketName)}&key=${formEncode(key)}&etag=${formEncode(etag)}`;
  const page = new URL(redirect);
  page.hash = "";
  // A bare question mark is an empty query.
  const start = search === "" ? `${page.href.replace(/\?$/, "")}?` : `${page.href}&`;
  return `${start}${parameters}${hash}`;
}

function formEncode(text: string): string {
  return uriEncode(text).replaceAll("%20", "+");
}

/** The object's URL, based on the URL of the form's request. S3 escapes the slashes of the key in it. */
function locationOf(request: S3Request, key: string): string {
  return `${originOf(request)}${request.rawPath.replace(/\/+$/, "")}/${uriEncode(key)}`;
}
