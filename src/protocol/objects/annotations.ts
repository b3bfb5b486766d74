// Object annotations: the rules for names and payloads, and the parameters and documents of their operations.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/annotations-overview.html
import { formatIsoDate } from "../../bytes/dates.ts";
import { decodeUtf8, utf8Length } from "../../bytes/text.ts";
import { element, optionalElement, type XmlElement } from "../../bytes/xml.ts";
import type { ChecksumAlgorithm } from "../core/checksums.ts";
import { bareEtag, quoteEtag } from "../core/etag.ts";
import type { Query } from "../core/query.ts";
import { S3Error } from "../core/s3-error.ts";
import { requestHeader, type S3Request } from "../core/s3-request.ts";

/** The largest payload, in bytes. */
export const ANNOTATION_MAX_BYTES = 1024 * 1024;
/** The most annotations of a version, and the most bytes of all of them. */
export const VERSION_MAX_ANNOTATIONS = 1000;
export const VERSION_MAX_ANNOTATION_BYTES = 8 * 1024 * 1024;

const NAME_MAX_BYTES = 512;
const NAME = /^[\p{L}\p{M}\p{N}_.-]+$/u;
const OBJECT_IF_MATCH = "x-amz-object-if-match";

/** The header of a condition on the annotated object. */
export const OBJECT_CONDITION = { headers: [OBJECT_IF_MATCH] };

/** An annotation without its payload. */
export interface Annotation {
  readonly name: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly type: "FULL_OBJECT"; readonly value: string };
}

/** @throws S3Error InvalidAnnotationName, AnnotationNameTooLong */
export function readAnnotationName(query: Query): string {
  const name = query.get("annotationName") ?? "";
  if (utf8Length(name) > NAME_MAX_BYTES) throw new S3Error("AnnotationNameTooLong");
  if (!NAME.test(name) || /^(?:aws|s3)/i.test(name)) throw new S3Error("InvalidAnnotationName");
  return name;
}

/** @throws S3Error InvalidPrefix for a text with which no name can begin */
export function readAnnotationPrefix(query: Query): string {
  const prefix = query.get("annotation-prefix") ?? "";
  if (prefix !== "" && (!NAME.test(prefix) || utf8Length(prefix) > NAME_MAX_BYTES)) throw new S3Error("InvalidPrefix");
  return prefix;
}

/** The ETag that the annotated object must have; undefined: any. */
export function readObjectIfMatch(request: S3Request): string | undefined {
  return requestHeader(request, OBJECT_IF_MATCH)?.trim();
}

/** @throws S3Error PreconditionFailed if the object has another ETag than the request names */
export function checkObjectIfMatch(etag: string | undefined, object: { readonly etag: string }): void {
  if (etag === undefined || etag === "*" || bareEtag(etag) === object.etag) return;
  throw new S3Error("PreconditionFailed", { Condition: OBJECT_IF_MATCH });
}

/** The payload as text. @throws S3Error InvalidRequest for an empty one, UnsupportedMediaType unless it is UTF-8 */
export function payloadText(bytes: Uint8Array): string {
  if (bytes.length === 0) throw new S3Error("InvalidRequest", {}, "An annotation has 1 to 1048576 bytes.");
  const text = decodeUtf8(bytes);
  // SQLite ends some texts at a NUL.
  if (text === undefined || text.includes("\0")) throw new S3Error("UnsupportedMediaType");
  return text;
}

/** An entry of ListObjectAnnotations. */
export function annotationElement({ name, size, etag, modifiedAt, checksum }: Annotation): XmlElement {
  return element("AnnotationEntry", [
    element("AnnotationName", name),
    element("LastModified", formatIsoDate(modifiedAt)),
    optionalElement("ETag", quoteEtag(etag)),
    element("ChecksumAlgorithm", checksum.algorithm),
    element("Size", size),
  ]);
}
