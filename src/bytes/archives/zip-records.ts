// The records of a ZIP file as PKWARE's APPNOTE describes them, for members that are stored uncompressed. Zip64 fields are
// present only where a value needs them, so that old programs can read small archives.
import { utf8 } from "../text.ts";
import type { ArchiveMember } from "./archive-segments.ts";

const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;

const VERSION_DEFAULT = 20;
const VERSION_ZIP64 = 45;
/** Unix as the host system, so that the external attributes contain a file mode. */
const MADE_BY = (3 << 8) | VERSION_ZIP64;
const FLAG_UTF8 = 0x0800;
const FLAG_DESCRIPTOR = 0x0008;
const FILE_ATTRIBUTES = 0o100644 * 0x10000;
const DIRECTORY_ATTRIBUTES = 0o40755 * 0x10000 + 0x10;

const EXTRA_ZIP64 = 0x0001;
const EXTRA_TIMESTAMP = 0x5455;
const TIMESTAMP_BYTES = 9;

/** Writes little-endian fields. */
class RecordWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  u16(...values: readonly number[]): this {
    for (const value of values) {
      this.#view.setUint16(this.#at, value, true);
      this.#at += 2;
    }
    return this;
  }

  u32(...values: readonly number[]): this {
    for (const value of values) {
      this.#view.setUint32(this.#at, value, true);
      this.#at += 4;
    }
    return this;
  }

  u64(...values: readonly number[]): this {
    for (const value of values) {
      this.#view.setBigUint64(this.#at, BigInt(value), true);
      this.#at += 8;
    }
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }
}

/** Whether a data descriptor follows the content, because its CRC is unknown when the local header is sent. */
export function hasDescriptor({ crc32, size }: ArchiveMember): boolean {
  return crc32 === undefined && size > 0;
}

function isLarge({ size }: ArchiveMember): boolean {
  return size >= MAX_32;
}

/** A time in the two 16-bit fields of MS-DOS, in UTC: date, then time. */
export function dosDateTime(time: number): { readonly date: number; readonly time: number } {
  const at = new Date(Math.min(Math.max(time, Date.UTC(1980, 0, 1)), Date.UTC(2107, 11, 31, 23, 59, 58)));
  return {
    date: ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
  };
}

/** The local header of a member. */
export function localHeader(member: ArchiveMember): Uint8Array {
  const name = utf8(member.name);
  const known = hasDescriptor(member) ? 0 : member.size;
  const field = isLarge(member) ? MAX_32 : known;
  const extraBytes = TIMESTAMP_BYTES + (isLarge(member) ? 20 : 0);
  const { date, time } = dosDateTime(member.modifiedAt);
  const record = new RecordWriter(localHeaderBytes(member))
    .u32(0x04034b50)
    .u16(isLarge(member) ? VERSION_ZIP64 : VERSION_DEFAULT, flagsOf(member), 0, time, date)
    .u32(member.crc32 ?? 0, field, field)
    .u16(name.length, extraBytes)
    .raw(name);
  if (isLarge(member)) record.u16(EXTRA_ZIP64, 16).u64(known, known);
  return writeTimestamp(record, member).bytes;
}

/** The length of a member's local header. */
export function localHeaderBytes(member: ArchiveMember): number {
  return 30 + utf8(member.name).length + TIMESTAMP_BYTES + (isLarge(member) ? 20 : 0);
}

/** The data descriptor of a member. */
export function dataDescriptor(member: ArchiveMember, crc32: number): Uint8Array {
  const record = new RecordWriter(dataDescriptorBytes(member)).u32(0x08074b50, crc32);
  const { size } = member;
  return (isLarge(member) ? record.u64(size, size) : record.u32(size, size)).bytes;
}

/** The length of a member's data descriptor. */
export function dataDescriptorBytes(member: ArchiveMember): number {
  return isLarge(member) ? 24 : 16;
}

/** The central header of a member whose local header is at an offset. */
export function centralHeader(member: ArchiveMember, crc32: number, offset: number): Uint8Array {
  const name = utf8(member.name);
  const zip64 = zip64Values(member, offset);
  const size = Math.min(member.size, MAX_32);
  const { date, time } = dosDateTime(member.modifiedAt);
  const zip64Bytes = zip64.length === 0 ? 0 : 4 + 8 * zip64.length;
  const record = new RecordWriter(centralHeaderBytes(member, offset))
    .u32(0x02014b50)
    .u16(MADE_BY, zip64.length === 0 ? VERSION_DEFAULT : VERSION_ZIP64, flagsOf(member), 0, time, date)
    .u32(crc32, size, size)
    .u16(name.length, zip64Bytes + TIMESTAMP_BYTES, 0, 0, 0)
    .u32(member.name.endsWith("/") ? DIRECTORY_ATTRIBUTES : FILE_ATTRIBUTES, Math.min(offset, MAX_32))
    .raw(name);
  if (zip64.length > 0) record.u16(EXTRA_ZIP64, 8 * zip64.length).u64(...zip64);
  return writeTimestamp(record, member).bytes;
}

/** The length of the central header of a member whose local header is at an offset. */
export function centralHeaderBytes(member: ArchiveMember, offset: number): number {
  const { length } = zip64Values(member, offset);
  return 46 + utf8(member.name).length + TIMESTAMP_BYTES + (length === 0 ? 0 : 4 + 8 * length);
}

/** The values that do not fit into the central header's own fields. */
function zip64Values(member: ArchiveMember, offset: number): number[] {
  return [...(isLarge(member) ? [member.size, member.size] : []), ...(offset >= MAX_32 ? [offset] : [])];
}

/** The central directory's place and number of headers. */
export interface CentralDirectory {
  readonly entries: number;
  readonly offset: number;
  readonly size: number;
}

/** The records after the central directory. */
export function endOfCentralDirectory(directory: CentralDirectory): Uint8Array {
  const { entries, offset, size } = directory;
  const record = new RecordWriter(endBytes(directory));
  if (needsZip64(directory)) {
    record
      .u32(0x06064b50)
      .u64(44)
      .u16(MADE_BY, VERSION_ZIP64)
      .u32(0, 0)
      .u64(entries, entries, size, offset)
      .u32(0x07064b50, 0)
      .u64(offset + size)
      .u32(1);
  }
  const count = Math.min(entries, MAX_16);
  return record.u32(0x06054b50).u16(0, 0, count, count).u32(Math.min(size, MAX_32), Math.min(offset, MAX_32)).u16(0)
    .bytes;
}

/** The length of the records after the central directory. */
export function endBytes(directory: CentralDirectory): number {
  return needsZip64(directory) ? 56 + 20 + 22 : 22;
}

function needsZip64({ entries, offset, size }: CentralDirectory): boolean {
  return entries >= MAX_16 || offset >= MAX_32 || size >= MAX_32;
}

function flagsOf(member: ArchiveMember): number {
  return FLAG_UTF8 | (hasDescriptor(member) ? FLAG_DESCRIPTOR : 0);
}

/** The extended timestamp: Unix time, of which only the modification time is present. */
function writeTimestamp(record: RecordWriter, { modifiedAt }: ArchiveMember): RecordWriter {
  const seconds = Math.floor(modifiedAt / 1000);
  return record.u16(EXTRA_TIMESTAMP, 5).raw(Uint8Array.of(1)).u32(Math.min(seconds, 0x7fffffff));
}
