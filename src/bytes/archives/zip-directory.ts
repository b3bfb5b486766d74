// Parses the directory of a ZIP file, which may be hostile: no offset, length or count in it is used without a check.
import { decodeUtf8 } from "../text.ts";

const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const CENTRAL_BYTES = 46;
const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;
const FLAG_UTF8 = 0x0800;
const EXTRA_ZIP64 = 0x0001;
const EXTRA_TIMESTAMP = 0x5455;

/** The bytes at the end of a file that contain its end records: the longest comment, and Zip64's locator. */
export const TAIL_MAX_BYTES = END_BYTES + MAX_16 + LOCATOR_BYTES;
/** The length of Zip64's end record, as far as it is read. */
export const ZIP64_END_BYTES = 56;
/** The length of a local header without name and extra fields. */
export const LOCAL_BYTES = 30;

/** A file that is not a ZIP file, or whose records contradict each other. */
export class ZipError extends Error {}

/** The place of a central directory. */
export interface DirectoryPlace {
  readonly entries: number;
  readonly offset: number;
  readonly size: number;
  /** Where the records after the directory begin. */
  readonly end: number;
}

/** A member, as the central directory describes it. */
export interface ZipEntry {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly flags: number;
  /** 0: stored, 8: deflated. */
  readonly method: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  /** The offset of the local header. */
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 64-bit number. @throws ZipError if it exceeds every file's size */
function u64(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ZipError("a number is too large");
  return Number(value);
}

/**
 * Finds the directory.
 * @param tail the last {@link TAIL_MAX_BYTES} of the file, or all of it
 * @returns its place, or the offset of Zip64's end record, which has it
 * @throws ZipError
 */
export function findDirectory(
  tail: Uint8Array,
  fileBytes: number,
): DirectoryPlace | { readonly zip64EndOffset: number; readonly end: number } {
  const view = viewOf(tail);
  for (let at = tail.length - END_BYTES; at >= Math.max(0, tail.length - END_BYTES - MAX_16); at -= 1) {
    // The comment ends where the file ends; a signature inside a comment does not fit.
    if (view.getUint32(at, true) !== 0x06054b50 || at + END_BYTES + view.getUint16(at + 20, true) !== tail.length) {
      continue;
    }
    const end = fileBytes - tail.length + at;
    const [entries, size, offset] = [
      view.getUint16(at + 10, true),
      view.getUint32(at + 12, true),
      view.getUint32(at + 16, true),
    ];
    const locator = at - LOCATOR_BYTES;
    const hasLocator = locator >= 0 && view.getUint32(locator, true) === 0x07064b50;
    if (hasLocator && (entries === MAX_16 || size === MAX_32 || offset === MAX_32)) {
      const zip64EndOffset = u64(view, locator + 8);
      if (zip64EndOffset + ZIP64_END_BYTES > end - LOCATOR_BYTES) throw new ZipError("Zip64's end record is misplaced");
      return { zip64EndOffset, end: zip64EndOffset };
    }
    if (view.getUint16(at + 4, true) !== 0 || view.getUint16(at + 6, true) !== 0) {
      throw new ZipError("the archive has several disks");
    }
    return checkedPlace({ entries, offset, size, end });
  }
  throw new ZipError("the file has no end of a central directory");
}

/** Parses Zip64's end record. @throws ZipError */
export function parseZip64End(record: Uint8Array, end: number): DirectoryPlace {
  const view = viewOf(record);
  if (record.length < ZIP64_END_BYTES || view.getUint32(0, true) !== 0x06064b50) {
    throw new ZipError("Zip64's end record is missing");
  }
  if (view.getUint32(16, true) !== 0 || view.getUint32(20, true) !== 0) {
    throw new ZipError("the archive has several disks");
  }
  return checkedPlace({ entries: u64(view, 32), size: u64(view, 40), offset: u64(view, 48), end });
}

function checkedPlace(place: DirectoryPlace): DirectoryPlace {
  const { entries, offset, size, end } = place;
  if (offset + size > end || entries * CENTRAL_BYTES > size) throw new ZipError("the central directory is misplaced");
  return place;
}

/** The entries of a central directory, in its order. @throws ZipError */
export function* parseDirectory(directory: Uint8Array, { entries, offset }: DirectoryPlace): Generator<ZipEntry> {
  const view = viewOf(directory);
  let at = 0;
  for (let count = 0; count < entries; count += 1) {
    if (at + CENTRAL_BYTES > directory.length || view.getUint32(at, true) !== 0x02014b50) {
      throw new ZipError("the central directory has fewer entries than announced");
    }
    const nameEnd = at + CENTRAL_BYTES + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const end = extraEnd + view.getUint16(at + 32, true);
    if (end > directory.length) throw new ZipError("an entry exceeds the central directory");
    const entry = parseEntry(directory.subarray(at, nameEnd), directory.subarray(nameEnd, extraEnd));
    if (entry.offset + LOCAL_BYTES + entry.nameBytes.length + entry.compressedSize > offset) {
      throw new ZipError("a member exceeds the space before the central directory");
    }
    yield entry;
    at = end;
  }
  if (at !== directory.length) throw new ZipError("the central directory has more entries than announced");
}

function parseEntry(header: Uint8Array, extra: Uint8Array): ZipEntry {
  const view = viewOf(header);
  const flags = view.getUint16(8, true);
  const nameBytes = header.slice(CENTRAL_BYTES);
  const fields = extraFields(extra);
  const zip64 = fields.get(EXTRA_ZIP64);
  let next = 0;
  // Zip64's field has the values that are saturated in the header, in this order.
  const wide = (value: number): number => {
    if (value !== MAX_32 || zip64 === undefined) return value;
    if (next + 8 > zip64.length) throw new ZipError("Zip64's extra field lacks a value");
    next += 8;
    return u64(viewOf(zip64), next - 8);
  };
  const size = wide(view.getUint32(24, true));
  const compressedSize = wide(view.getUint32(20, true));
  const offset = wide(view.getUint32(42, true));
  return {
    name: nameOf(nameBytes, flags),
    nameBytes,
    flags,
    method: view.getUint16(10, true),
    crc32: view.getUint32(16, true),
    compressedSize,
    size,
    offset,
    modifiedAt: timeOf(fields.get(EXTRA_TIMESTAMP), view.getUint16(14, true), view.getUint16(12, true)),
  };
}

function extraFields(extra: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const view = viewOf(extra);
  const fields = new Map<number, Uint8Array>();
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + view.getUint16(at + 2, true);
    fields.set(view.getUint16(at, true), extra.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

function timeOf(timestamp: Uint8Array | undefined, date: number, time: number): number {
  if (timestamp !== undefined && timestamp.length >= 5 && ((timestamp[0] ?? 0) & 1) === 1) {
    return viewOf(timestamp).getInt32(1, true) * 1000;
  }
  const [year, month, day] = [1980 + (date >> 9), ((date >> 5) & 15) - 1, date & 31];
  return Date.UTC(year, month, day, time >> 11, (time >> 5) & 63, (time & 31) * 2);
}

/** The upper half of code page 437, in which names without the UTF-8 flag are written. */
const CODE_PAGE_437 = Array.from(
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0",
);

/** A name. Many programs write UTF-8 without the flag, so it is tried first. */
function nameOf(bytes: Uint8Array, flags: number): string {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return text;
  if ((flags & FLAG_UTF8) !== 0) return new TextDecoder().decode(bytes);
  return Array.from(bytes, (byte) =>
    byte < 0x80 ? String.fromCharCode(byte) : (CODE_PAGE_437[byte - 0x80] ?? ""),
  ).join("");
}

/**
 * The offset of a member's content.
 * @param local the first {@link LOCAL_BYTES} of its local header and as many bytes as its name has
 * @throws ZipError if the local header contradicts the central one
 */
export function contentOffset(local: Uint8Array, { offset, nameBytes, method, flags }: ZipEntry): number {
  const view = viewOf(local);
  if (local.length < LOCAL_BYTES || view.getUint32(0, true) !== 0x04034b50) {
    throw new ZipError("the member has no local header");
  }
  const localName = local.subarray(LOCAL_BYTES);
  const isSame =
    view.getUint16(26, true) === nameBytes.length &&
    localName.length === nameBytes.length &&
    localName.every((byte, index) => byte === nameBytes[index]) &&
    view.getUint16(8, true) === method &&
    (view.getUint16(6, true) & 1) === (flags & 1);
  if (!isSame) throw new ZipError("the member's two headers differ");
  return offset + LOCAL_BYTES + nameBytes.length + view.getUint16(28, true);
}
