// multipart/form-data (RFC 7578): the boundary that the Content-Type names, and the parts between the boundaries.
import { decodeUtf8 } from "../../bytes/text.ts";
import { malformedForm, type DelimitedReader } from "./form-delimiter.ts";
import { S3Error } from "../core/s3-error.ts";

/** How a part says what it is. */
export interface PartName {
  readonly name: string;
  /** As the client wrote it; undefined where it names no file. */
  readonly filename: string | undefined;
}

const PARAMETER = /\s*;\s*([^\s;="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*/gsy;

/**
 * The boundary of a form's parts.
 * @throws S3Error PreconditionFailed for any other type of body, MalformedPOSTRequest without a boundary of 1 to 70
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
 * Reads on from a delimiter that was just passed to the content of the part that it begins.
 * @param limit how many bytes the delimiter's line and the part's headers may take
 * @returns undefined where the delimiter closed the form, "too long" past the limit
 * @throws S3Error MalformedPOSTRequest
 */
export async function readPartHead(reader: DelimitedReader, limit: number): Promise<PartName | "too long" | undefined> {
  const end = reader.consumed + limit;
  // A form may end without a line's end after its last delimiter.
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

/** What a Content-Disposition says; undefined for any other header. @throws S3Error MalformedPOSTRequest */
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

/** `; name="value"; …` by lower-case name; undefined where it is written otherwise or names one twice. */
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
 * Browsers escape three characters with a percent sign (HTML, 4.10.22.8) and nothing else; other clients put a backslash
 * before a quote. Any other backslash is one: of a path.
 */
function unescaped(quoted: string): string {
  return quoted
    .replaceAll('\\"', '"')
    .replaceAll(/%(0A|0D|22)/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
