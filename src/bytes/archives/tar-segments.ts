// Lays out a tar file: POSIX ustar headers, preceded by pax headers for names that are long or not ASCII and for sizes of
// 8 GiB and more. The layout depends on the members alone, so a range of it can be made by itself.
import type { ArchiveMember, Segment } from "./archive-segments.ts";
import { utf8 } from "../text.ts";

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
const MAX_OCTAL_11 = 0o77777777777;
const CHECKSUM_AT = 148;

/** The segments of a tar file. */
export function* tarSegments(members: readonly ArchiveMember[]): Generator<Segment> {
  for (const [index, member] of members.entries()) {
    const length = headerBytes(member);
    yield { length, make: () => headersOf(member, index) };
    if (member.size === 0) continue;
    yield { length: member.size, member: index, setCrc32: undefined };
    const padding = paddingOf(member.size);
    if (padding > 0) yield { length: padding, make: () => new Uint8Array(padding) };
  }
  yield { length: 2 * BLOCK_BYTES, make: () => new Uint8Array(2 * BLOCK_BYTES) };
}

function paddingOf(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

function headerBytes(member: ArchiveMember): number {
  const { length } = paxRecords(member);
  return length === 0 ? BLOCK_BYTES : BLOCK_BYTES + length + paddingOf(length) + BLOCK_BYTES;
}

/** The header of a member, after its pax header if it needs one. */
function headersOf(member: ArchiveMember, index: number): Uint8Array {
  const pax = paxRecords(member);
  const bytes = new Uint8Array(headerBytes(member));
  const type = member.name.endsWith("/") ? "5" : "0";
  const own = { name: asciiName(member.name), size: member.size, modifiedAt: member.modifiedAt, type };
  if (pax.length > 0) {
    const described = { name: `PaxHeaders/${index}`, size: pax.length, modifiedAt: member.modifiedAt, type: "x" };
    bytes.set(ustarHeader(described));
    bytes.set(pax, BLOCK_BYTES);
  }
  bytes.set(ustarHeader(own), bytes.length - BLOCK_BYTES);
  return bytes;
}

function paxRecords({ name, size }: ArchiveMember): Uint8Array {
  const records = [
    ...(asciiName(name) === name ? [] : [paxRecord("path", name)]),
    ...(size > MAX_OCTAL_11 ? [paxRecord("size", String(size))] : []),
  ];
  return utf8(records.join(""));
}

/** `LENGTH keyword=value\n`, where LENGTH counts the bytes of the whole record, its own digits included. */
function paxRecord(keyword: string, value: string): string {
  const rest = ` ${keyword}=${value}\n`;
  const { length } = utf8(rest);
  let total = length + String(length).length;
  total = length + String(total).length;
  return `${total}${rest}`;
}

/** A name that fits into the header's field. Equals the name if no pax header is needed. */
function asciiName(name: string): string {
  const ascii = name.replaceAll(/[^\u0020-\u007e]/gu, "_");
  if (ascii.length <= NAME_BYTES) return ascii;
  return name.endsWith("/") ? `${ascii.slice(0, NAME_BYTES - 1)}/` : ascii.slice(0, NAME_BYTES);
}

interface UstarEntry {
  readonly name: string;
  readonly size: number;
  readonly modifiedAt: number;
  readonly type: string;
}

function ustarHeader({ name, size, modifiedAt, type }: UstarEntry): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const put = (at: number, text: string): void => {
    block.set(utf8(text), at);
  };
  put(0, name);
  put(100, type === "5" ? "0000755\0" : "0000644\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  // The pax header contains a size that does not fit.
  put(124, octal(size > MAX_OCTAL_11 ? 0 : size));
  put(136, octal(Math.min(Math.max(0, Math.floor(modifiedAt / 1000)), MAX_OCTAL_11)));
  put(CHECKSUM_AT, "        ");
  put(156, type);
  put(257, "ustar\0");
  put(263, "00");
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(CHECKSUM_AT, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

function octal(value: number): string {
  return `${value.toString(8).padStart(11, "0")}\0`;
}
