// Readers of ZIP and tar files for the tests, independent of the code under test.

export interface UnpackedMember {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Milliseconds since the epoch, to the second. */
  readonly modifiedAt: number;
}

const TEXT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The CRC-32 of bytes, one bit at a time. */
export function crc32Of(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** The headers of a central directory, as they are; sizes and offsets are those of Zip64 where a header has them. */
export interface CentralEntry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressed: number;
  readonly size: number;
  readonly offset: number;
  readonly isZip64: boolean;
}

/** Reads the central directory of a ZIP file, of which only the bytes from `start` on are given. */
export function readCentralDirectory(tail: Uint8Array, start = 0): CentralEntry[] {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const end = tail.length - 22;
  if (view.getUint32(end, true) !== 0x06054b50) throw new Error("no end of central directory");
  let [count, at] = [view.getUint16(end + 10, true), view.getUint32(end + 16, true)];
  if (count === 0xffff || at === 0xffffffff || view.getUint32(end + 12, true) === 0xffffffff) {
    if (view.getUint32(end - 20, true) !== 0x07064b50) throw new Error("no Zip64 locator");
    const record = Number(view.getBigUint64(end - 12, true)) - start;
    if (view.getUint32(record, true) !== 0x06064b50) throw new Error("no Zip64 record");
    count = Number(view.getBigUint64(record + 32, true));
    at = Number(view.getBigUint64(record + 48, true));
  }
  at -= start;
  const entries: CentralEntry[] = [];
  for (let index = 0; index < count; index += 1) {
    if (view.getUint32(at, true) !== 0x02014b50) throw new Error(`no central header at ${at}`);
    const [nameBytes, extraBytes] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
    const numbers = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
    let isZip64 = false;
    for (let extra = at + 46 + nameBytes; extra < at + 46 + nameBytes + extraBytes;) {
      const length = view.getUint16(extra + 2, true);
      if (view.getUint16(extra, true) === 1) {
        isZip64 = true;
        let value = extra + 4;
        for (const [position, number] of numbers.entries()) {
          if (number !== 0xffffffff) continue;
          numbers[position] = Number(view.getBigUint64(value, true));
          value += 8;
        }
      }
      extra += 4 + length;
    }
    const [size = 0, compressed = 0, offset = 0] = numbers;
    entries.push({
      name: TEXT.decode(tail.subarray(at + 46, at + 46 + nameBytes)),
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc32: view.getUint32(at + 16, true),
      compressed,
      size,
      offset,
      isZip64,
    });
    at += 46 + nameBytes + extraBytes + view.getUint16(at + 32, true);
  }
  return entries;
}

/** Unpacks a ZIP file of stored members, and checks each CRC, local header and data descriptor. */
export function unzip(bytes: Uint8Array): UnpackedMember[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return readCentralDirectory(bytes).map(({ name, flags, method, crc32, size, offset }) => {
    if (view.getUint32(offset, true) !== 0x04034b50 || method !== 0) throw new Error(`no local header of ${name}`);
    const nameBytes = view.getUint16(offset + 26, true);
    const extra = offset + 30 + nameBytes;
    const start = extra + view.getUint16(offset + 28, true);
    if (TEXT.decode(bytes.subarray(offset + 30, extra)) !== name) throw new Error(`another local name of ${name}`);
    const content = bytes.slice(start, start + size);
    if (crc32Of(content) !== crc32) throw new Error(`the CRC of ${name} is wrong`);
    const stated = (flags & 8) === 0 ? offset + 14 : start + size + 4;
    if ((flags & 8) !== 0 && view.getUint32(stated - 4, true) !== 0x08074b50) throw new Error("no data descriptor");
    if (view.getUint32(stated, true) !== crc32 || view.getUint32(stated + 8, true) !== size) {
      throw new Error(`the local sizes of ${name} are wrong`);
    }
    if (view.getUint16(extra, true) !== 0x5455) throw new Error(`no extended timestamp of ${name}`);
    return { name, bytes: content, modifiedAt: view.getUint32(extra + 5, true) * 1000 };
  });
}

/** Unpacks a tar file with pax headers, and checks each header's sum. */
export function untar(bytes: Uint8Array): UnpackedMember[] {
  const members: UnpackedMember[] = [];
  let path: string | undefined;
  for (let at = 0; ;) {
    const header = bytes.subarray(at, at + 512);
    if (header.every((byte) => byte === 0)) break;
    const field = (from: number, length: number): string =>
      TEXT.decode(header.subarray(from, from + length)).replace(/\0.*$/s, "");
    const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
    if (Number.parseInt(field(148, 8), 8) !== sum) throw new Error(`the sum of the header at ${at} is wrong`);
    const size = Number.parseInt(field(124, 12), 8);
    const content = bytes.slice(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
    if (field(156, 1) === "x") {
      path = /^\d+ path=(.*)\n$/s.exec(TEXT.decode(content))?.[1];
      continue;
    }
    members.push({
      name: path ?? field(0, 100),
      bytes: content,
      modifiedAt: Number.parseInt(field(136, 12), 8) * 1000,
    });
    path = undefined;
  }
  return members;
}

/** Members as texts by name. */
export function textsOf(members: readonly UnpackedMember[]): Record<string, string> {
  return Object.fromEntries(members.map(({ name, bytes }) => [name, TEXT.decode(bytes)]));
}
