// Builds ZIP files, sound and hostile ones, for the tests.
import { deflateRawSync } from "node:zlib";

import { crc32Of } from "./archives.ts";

export interface BuiltMember {
  readonly name: string | Uint8Array;
  readonly content: Uint8Array | string;
  readonly isDeflated?: boolean;
  readonly isZip64?: boolean;
  /** Fields to write instead of the true ones. */
  readonly lies?: {
    readonly size?: number;
    readonly compressedSize?: number;
    readonly crc32?: number;
    readonly offset?: number;
    readonly method?: number;
    readonly flags?: number;
    readonly localName?: string;
    readonly packed?: Uint8Array;
  };
}

const text = new TextEncoder();
const u16 = (...values: readonly number[]) => values.flatMap((value) => [value & 255, (value >> 8) & 255]);
const u32 = (...values: readonly number[]) =>
  values.flatMap((value) => u16(value & 0xffff, Math.floor(value / 65_536)));
const u64 = (...values: readonly number[]) =>
  values.flatMap((value) => u32(value % 2 ** 32, Math.floor(value / 2 ** 32)));

export interface BuiltZip {
  readonly members: readonly BuiltMember[];
  readonly isZip64?: boolean;
  readonly comment?: string;
  readonly lies?: {
    readonly entries?: number;
    readonly size?: number;
    readonly offset?: number;
    readonly disk?: number;
  };
}

export function buildZip({ members, isZip64 = false, comment = "", lies = {} }: BuiltZip): Uint8Array {
  const pieces: Uint8Array[] = [];
  const central: number[][] = [];
  let at = 0;
  const add = (bytes: Uint8Array | readonly number[]): void => {
    const piece = Uint8Array.from(bytes);
    pieces.push(piece);
    at += piece.length;
  };
  for (const member of members) {
    const name = typeof member.name === "string" ? text.encode(member.name) : member.name;
    const content = typeof member.content === "string" ? text.encode(member.content) : member.content;
    const { lies: false_ = {} } = member;
    const packed = false_.packed ?? (member.isDeflated === true ? new Uint8Array(deflateRawSync(content)) : content);
    const method = false_.method ?? (member.isDeflated === true ? 8 : 0);
    const [size, compressed] = [false_.size ?? content.length, false_.compressedSize ?? packed.length];
    const [crc, flags, offset] = [false_.crc32 ?? crc32Of(content), false_.flags ?? 0x800, false_.offset ?? at];
    const localName = false_.localName === undefined ? name : text.encode(false_.localName);
    const wide = member.isZip64 === true;
    const shown = wide ? [0xffffffff, 0xffffffff] : [compressed, size];
    const zip64 = wide ? [...u16(1, 24), ...u64(size, compressed, offset)] : [];
    const header = [...u16(20, flags, method, 0x6000, 0x5c21), ...u32(crc, ...shown)];
    add([...u32(0x04034b50), ...header, ...u16(localName.length, 0), ...localName]);
    add(packed);
    central.push([
      ...u32(0x02014b50),
      ...u16(20),
      ...header,
      ...u16(name.length, zip64.length, 0, 0, 0),
      ...u32(0, wide ? 0xffffffff : offset),
      ...name,
      ...zip64,
    ]);
  }
  const start = at;
  for (const header of central) add(header);
  const [entries, size, offset] = [lies.entries ?? members.length, lies.size ?? at - start, lies.offset ?? start];
  if (isZip64) {
    const record = at;
    add([...u32(0x06064b50), ...u64(44), ...u16(45, 45), ...u32(0, 0), ...u64(entries, entries, size, offset)]);
    add([...u32(0x07064b50, 0), ...u64(record), ...u32(1)]);
  }
  const shown = isZip64 ? [0xffff, 0xffff] : [entries, entries];
  const place = isZip64 ? [0xffffffff, 0xffffffff] : [size, offset];
  add([...u32(0x06054b50), ...u16(lies.disk ?? 0, 0, ...shown), ...u32(...place), ...u16(comment.length)]);
  add(text.encode(comment));
  const whole = new Uint8Array(at);
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}
