// The requests for archives, `?zip` and `?tar`: their parameters, their lists of keys, and the headers of their answers.
import { digest } from "../../bytes/digest.ts";
import { toHex } from "../../bytes/hex-base64.ts";
import { utf8, utf8Length } from "../../bytes/text.ts";
import { uriEncode } from "../../bytes/uri-encode.ts";
import { parseXml, type XmlNode } from "../../bytes/xml.ts";
import { KEY_MAX_BYTES } from "../core/addressing.ts";
import { singleChildren } from "../core/document-body.ts";
import { bareEtag, quoteEtag } from "../core/etag.ts";
import { contentRange, type ByteRange } from "../core/range.ts";
import { invalidArgument, S3Error } from "../core/s3-error.ts";
import type { S3Request } from "../core/s3-request.ts";
import { isVersionId } from "../core/version-id.ts";
import { readConditions, type ReadConditions } from "./conditions.ts";
import { readResponseOverrides } from "./object-metadata.ts";

export type ArchiveFormat = "zip" | "tar";

/** The most keys of a list. */
const LISTED_MAX_KEYS = 10_000;
/** The largest list, in bytes: it is read whole, and 10,000 keys of 700 bytes fit. */
export const LIST_MAX_BYTES = 8 * 1024 * 1024;
/** The most bytes of the names of all members, which stay in memory while the archive is sent. */
export const NAMES_MAX_BYTES = 16 * 1024 * 1024;

const CONTENT_TYPES = { zip: "application/zip", tar: "application/x-tar" } as const;

/** Parameters of listings that an archive cannot obey, although they would change which keys it contains. */
const FOREIGN_PARAMETERS = [
  "continuation-token",
  "delimiter",
  "encoding-type",
  "key-marker",
  "marker",
  "max-keys",
  "start-after",
  "version-id-marker",
];

/** The input that all requests for archives share. */
export interface ArchiveRequest {
  readonly conditions: Pick<ReadConditions, "ifMatch" | "ifNoneMatch">;
  /** Whether ranges of the archive can be requested. */
  readonly hasRanges: boolean;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly overrides: Readonly<Record<string, string>>;
}

/** @throws S3Error InvalidArgument for a parameter of listings that an archive cannot obey */
export function refuseListingParameters({ query }: S3Request, mayHavePrefix: boolean): void {
  const foreign = [...FOREIGN_PARAMETERS, ...(mayHavePrefix ? [] : ["prefix"])].find((name) => query.has(name));
  if (foreign === undefined) return;
  throw invalidArgument(foreign, query.get(foreign), `The parameter ${foreign} does not apply to this archive.`);
}

/**
 * Reads the input that all archives share. Conditions and ranges do not apply to POST.
 * @throws S3Error InvalidArgument for a response override that a header cannot contain
 */
export function readArchiveRequest(request: S3Request, format: ArchiveFormat): ArchiveRequest {
  const { headers, method } = request;
  const { ifMatch, ifNoneMatch } = readConditions(request);
  const isRead = method !== "POST";
  // Bytes in the middle of a ZIP depend on the contents before them.
  const hasRanges = isRead && format === "tar";
  return {
    hasRanges,
    conditions: isRead ? { ifMatch, ifNoneMatch } : { ifMatch: undefined, ifNoneMatch: undefined },
    range: hasRanges ? (headers.get("range") ?? undefined) : undefined,
    ifRange: headers.get("if-range") ?? undefined,
    overrides: readResponseOverrides(request),
  };
}

/**
 * Parses a list of versions: `<Archive><Object><Key/><VersionId/></Object>…</Archive>`. The root's name has no meaning,
 * so that the list of a DeleteObjects request works too. An entry that occurs twice counts once.
 * @throws S3Error MalformedXML, KeyTooLongError, NoSuchVersion {Key, VersionId}
 */
export function parseArchiveList(
  document: Uint8Array,
): readonly { readonly key: string; readonly versionId: string | undefined }[] {
  const root = parseXml(document, 3 * LISTED_MAX_KEYS + 100);
  const objects = root?.children ?? [];
  if (objects.length === 0 || objects.length > LISTED_MAX_KEYS || objects.some(({ name }) => name !== "Object")) {
    throw new S3Error("MalformedXML");
  }
  const listed = new Map(objects.map(parseEntry).map((entry) => [JSON.stringify([entry.key, entry.versionId]), entry]));
  return Array.from(listed.values());
}

function parseEntry(node: XmlNode): { readonly key: string; readonly versionId: string | undefined } {
  const fields = singleChildren(node, ["Key", "VersionId"]);
  if (Array.from(fields.values()).some((field) => field.children.length > 0)) throw new S3Error("MalformedXML");
  const key = fields.get("Key")?.text;
  if (key === undefined || key === "") throw new S3Error("MalformedXML");
  const size = utf8Length(key);
  if (size > KEY_MAX_BYTES) throw new S3Error("KeyTooLongError", { Size: size, MaxSizeAllowed: KEY_MAX_BYTES });
  const versionId = fields.get("VersionId")?.text.trim();
  if (versionId !== undefined && versionId !== "null" && !isVersionId(versionId)) {
    throw new S3Error("NoSuchVersion", { Key: key, VersionId: versionId });
  }
  return { key, versionId };
}

/**
 * The ETag of an archive: equal ETags mean equal bytes.
 * @param members for each member, everything that its bytes in the archive depend on
 */
export async function archiveEtag(format: ArchiveFormat, members: readonly unknown[]): Promise<string> {
  const hash = await digest("SHA-256", utf8(JSON.stringify(["cairn archive 1", format, members])));
  // Clients take 32 hexadecimal digits alone for an MD5.
  return `${toHex(hash.subarray(0, 16))}-${format}`;
}

/** Whether a range continues the bytes that the client has. */
export function isSameArchive(ifRange: string | undefined, etag: string): boolean {
  return ifRange === undefined || (!ifRange.trim().startsWith("W/") && bareEtag(ifRange) === etag);
}

/** The headers of an archive. */
export function archiveHeaders(
  format: ArchiveFormat,
  { overrides, hasRanges }: ArchiveRequest,
  archive: { readonly name: string; readonly etag: string; readonly size: number },
  range: ByteRange | undefined,
): Record<string, string> {
  return {
    "content-type": CONTENT_TYPES[format],
    "content-disposition": attachmentNamed(`${archive.name}.${format}`),
    // The edge would compress a tar, and omit the length.
    "cache-control": "private, no-transform",
    ...overrides,
    etag: quoteEtag(archive.etag),
    "accept-ranges": hasRanges ? "bytes" : "none",
    "content-length": String(range?.length ?? archive.size),
    ...(range === undefined ? {} : { "content-range": contentRange(range, archive.size) }),
  };
}

/** The last segment of a prefix, or the bucket's name, as the archive's file name. */
export function archiveName(bucketName: string, prefix: string): string {
  return prefix.split("/").findLast((segment) => segment !== "") ?? bucketName;
}

/** RFC 6266: browsers read `filename*`, older programs `filename`. */
function attachmentNamed(name: string): string {
  const ascii = name.replaceAll(/[^\w .()+-]/gu, "_");
  const plain = `attachment; filename="${ascii}"`;
  return ascii === name ? plain : `${plain}; filename*=UTF-8''${uriEncode(name)}`;
}
