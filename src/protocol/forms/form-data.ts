// Parses multipart/form-data (RFC 7578): the boundary in the Content-Type, and the headers of each part.
import { decodeUtf8 } from "../../bytes/text.ts";
import { malformedForm, type DelimitedReader } from "./form-delimiter.ts";
import { S3Error } from "../core/s3-error.ts";

/** The Content-Disposition of a part. */
export interface PartName {
  readonly name: string;
  /** As sent; undefined if absent. */
  readonly filename: string | undefined;
}

const PARAMETER = /\s*;\s*([^\s;="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*/gsy;

/**
 * Reads the boundary of a form's parts.
 * @throws S3Error PreconditionFailed for any other content type, MalformedPOSTRequest without a boundary of 1 to 70
 *   characters
 */
export function readBoundary(contentType: string | null): string {
  const [type = ""] = (contentType ?? "").split(";");
  if (contentType === null || type.trim().toLowerCase() !== "multipart/form-data") {
    throw new S3Error("PreconditionFailed", {
      Condition: "Bucket POST must be of the enclosure-type multipart/form-data",
    });
  }
  const boundary = readParameters(contentType.slice(type.length).trimEnd())?.get("boundary");
  if (boundary === undefined || !/^[\u0020-\u007e]{0,69}[\u0021-\u007e]$/.test(boundary)) throw malformedForm();
  return boundary;
}

/**
 * Reads the head of the part after a delimiter, up to its content.
 * @param limit the most bytes for the rest of the delimiter's line and the part's headers
 * @returns undefined if the delimiter closed the form, "too long" past the limit
 * @throws S3Error MalformedPOSTRequest
 */
export async function readPartHead(reader: DelimitedReader, limit: number): Promise<PartName | "too long" | undefined> {
  const end = reader.consumed + limit;
  // The last delimiter of a form need not end with a line break.
  const padding = await reader.delimiterEnd(limit);
  if (padding === "close") return undefined;
  if (padding === "too long") return "too long";
  let part: PartName | undefined;
  for (;;) {
    const line = await reader.line(end - reader.consumed);
    if (line === undefined) return "too long";
    if (line.length === 0) break;
    part ??= readDisposition(decodeUtf8(line) ?? "");
  }
  if (part === undefined) throw malformedForm();
  return part;
}

/** Parses a Content-Disposition; undefined for any other header. @throws S3Error MalformedPOSTRequest */
function readDisposition(header: string): PartName | undefined {
  const colon = header.indexOf(":");
  if (header.slice(0, Math.max(colon, 0)).trim().toLowerCase() !== "content-disposition") return undefined;
  const value = header.slice(colon + 1).trim();
  const [type = ""] = value.split(";");
  const parameters = readParameters(value.slice(type.length));
  const name = parameters?.get("name");
  if (type.trim().toLowerCase() !== "form-data" || name === undefined) throw malformedForm();
  return { name, filename: parameters?.get("filename") };
}

/** Parses `; name="value"; …` by lower-case name; undefined for a syntax error or a repeated name. */
function readParameters(text: string): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>();
  let end = 0;
  for (const [whole, name = "", quoted, token = ""] of text.matchAll(PARAMETER)) {
    if (found.has(name.toLowerCase())) return undefined;
    found.set(name.toLowerCase(), quoted === undefined ? token : unescaped(quoted));
    end += whole.length;
  }
  return end === text.length || /^\s*;?\s*$/.test(text.slice(end)) ? found : undefined;
}

/**
 * Browsers percent-encode three characters (HTML, 4.10.22.8) and nothing else; other clients escape quotes with a
 * backslash. Any other backslash is literal, for example in a path.
 */
function unescaped(quoted: string): string {
  return quoted
    .replaceAll('\\"', '"')
    .replaceAll(/%(0A|0D|22)/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
