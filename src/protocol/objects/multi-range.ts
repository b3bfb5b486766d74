// Several byte ranges in one request, and the multipart/byteranges body that answers them. S3's API ignores such
// requests; delivery hosts answer them. https://www.rfc-editor.org/rfc/rfc9110#section-14.6
import { utf8 } from "../../bytes/text.ts";
import { contentRange, type ByteRange } from "../core/range.ts";
import { S3Error } from "../core/s3-error.ts";
import { isSameAs, type ObjectReadInput, type ObjectReadPlan } from "./object-reading.ts";
import type { StoredObject } from "./stored-object.ts";

/** A request for more ranges is answered with the whole object. */
const MAX_RANGES = 32;

/** The length of a random boundary, which no object contains by chance. */
export const MULTIPART_BOUNDARY_DIGITS = 32;

/**
 * The ranges that a header selects, merged where they overlap or touch, in the order of the object's bytes. So their
 * length is at most the object's.
 * @returns undefined unless the header contains a list of ranges in valid syntax
 * @throws S3Error InvalidRange {RangeRequested, ActualObjectSize} if no range contains a byte
 */
export function resolveRanges(header: string | undefined, size: number): readonly ByteRange[] | undefined {
  const [, list] = /^\s*bytes\s*=([\d\s,-]+)$/i.exec(header ?? "") ?? [];
  const specs = (list ?? "")
    .split(",")
    .map((spec) => spec.trim())
    .filter((spec) => spec !== "");
  // A list may have empty elements (RFC 9110, 5.6.1), also around a single range.
  if (header === undefined || list?.includes(",") !== true || specs.length > MAX_RANGES) return undefined;
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const [, first, last] = /^(\d{0,15})-(\d{0,15})$/.exec(spec) ?? [];
    if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
    if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
    const offset = first === "" ? Math.max(0, size - Number(last)) : Number(first);
    const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
    if (offset < end) ranges.push({ offset, length: end - offset });
  }
  if (specs.length === 0) return undefined;
  if (ranges.length > 0) return merged(ranges);
  throw new S3Error("InvalidRange", { RangeRequested: header.trim(), ActualObjectSize: size }, undefined, {
    "Content-Range": `bytes */${size}`,
  });
}

function merged(ranges: readonly ByteRange[]): ByteRange[] {
  const result: ByteRange[] = [];
  for (const { offset, length } of ranges.toSorted((one, other) => one.offset - other.offset)) {
    const last = result.at(-1);
    if (last === undefined || offset > last.offset + last.length) result.push({ offset, length });
    else
      result[result.length - 1] = { offset: last.offset, length: Math.max(last.length, offset + length - last.offset) };
  }
  return result;
}

/** A multipart/byteranges body without the object's bytes. */
export interface MultipartRanges {
  readonly contentType: string;
  /** The length of the whole body. */
  readonly length: number;
  /** The ranges, each with the bytes before it. */
  readonly parts: readonly { readonly head: Uint8Array; readonly range: ByteRange }[];
  readonly end: Uint8Array;
}

/** @param boundary text that the object's bytes do not contain */
function multipartRanges(
  ranges: readonly ByteRange[],
  size: number,
  partType: string,
  boundary: string,
): MultipartRanges {
  const parts = ranges.map((range) => ({
    head: utf8(`\r\n--${boundary}\r\nContent-Type: ${partType}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`),
    range,
  }));
  const end = utf8(`\r\n--${boundary}--\r\n`);
  const length = parts.reduce((sum, { head, range }) => sum + head.length + range.length, end.length);
  return { contentType: `multipart/byteranges; boundary=${boundary}`, length, parts, end };
}

/** A response without its bytes. With `multipart`, they are those of its parts. */
export interface RangesReadPlan extends ObjectReadPlan {
  readonly multipart?: MultipartRanges;
}

/**
 * The plan of a read, in which several ranges are answered instead of ignored.
 * @param boundary makes text that the object's bytes do not contain
 * @throws S3Error InvalidRange
 */
export function withSeveralRanges(
  plan: ObjectReadPlan,
  { range, ifRange }: Pick<ObjectReadInput, "range" | "ifRange">,
  object: StoredObject,
  boundary: () => string,
): RangesReadPlan {
  if (plan.status !== 200 || (ifRange !== undefined && !isSameAs(ifRange, object))) return plan;
  const ranges = resolveRanges(range, object.size);
  const [first] = ranges ?? [];
  if (ranges === undefined || first === undefined) return plan;
  // A checksum covers the whole object.
  const headers = Object.fromEntries(
    Object.entries(plan.headers).filter(([name]) => !name.startsWith("x-amz-checksum-")),
  );
  if (ranges.length === 1) {
    headers["content-range"] = contentRange(first, object.size);
    headers["content-length"] = String(first.length);
    return { status: 206, headers, range: first };
  }
  const type = headers["content-type"] ?? "application/octet-stream";
  const multipart = multipartRanges(ranges, object.size, type, boundary());
  headers["content-type"] = multipart.contentType;
  headers["content-length"] = String(multipart.length);
  return { status: 206, headers, range: undefined, multipart };
}
