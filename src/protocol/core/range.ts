// Parses the Range header as S3 does: one byte range; any other value is ignored.
import { S3Error } from "./s3-error.ts";

/** A range of an object's bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * The requested range of an object of `size` bytes. Undefined, which serves the whole object, for a missing header,
 * other units, several ranges, a reversed range or a syntax error.
 * @throws S3Error InvalidRange {RangeRequested, ActualObjectSize} with `Content-Range` if the range contains no byte
 */
export function resolveRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = header === undefined ? null : /^\s*bytes\s*=\s*(\d*)-(\d*)\s*$/i.exec(header);
  if (header === undefined || match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  const offset = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (offset >= end) {
    throw new S3Error("InvalidRange", { RangeRequested: header.trim(), ActualObjectSize: size }, undefined, {
      "Content-Range": `bytes */${size}`,
    });
  }
  return { offset, length: end - offset };
}

/** `bytes 0-9/100`. */
export function contentRange(range: ByteRange, size: number): string {
  return `bytes ${range.offset}-${range.offset + range.length - 1}/${size}`;
}

/** The bytes that a request selects, before the object's size is known. `last` is inclusive. */
export type ByteSelection =
  | { readonly kind: "bytes"; readonly first: number; readonly last: number }
  | { readonly kind: "suffix"; readonly length: number }
  | { readonly kind: "part"; readonly partNumber: number };

/** The whole of an object. */
export const ALL_BYTES: ByteSelection = { kind: "bytes", first: 0, last: Number.MAX_SAFE_INTEGER };

/** A superset of the bytes that a Range header or a part number selects, for any object size. */
export function selectBytes(header: string | undefined, partNumber: number | undefined): ByteSelection {
  if (partNumber !== undefined) return { kind: "part", partNumber };
  const [, first = "", last = ""] = /^\s*bytes\s*=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? "") ?? [];
  if (first === "" && last === "") return ALL_BYTES;
  if (first === "") return { kind: "suffix", length: Number(last) };
  if (last === "") return { kind: "bytes", first: Number(first), last: Number.MAX_SAFE_INTEGER };
  return Number(last) < Number(first) ? ALL_BYTES : { kind: "bytes", first: Number(first), last: Number(last) };
}
