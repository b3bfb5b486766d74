import { describe, expect, it } from "vitest";

import {
  lengthOf,
  segmentsIn,
  type ArchiveMember,
  type Segment,
} from "../../../src/bytes/archives/archive-segments.ts";
import { tarSegments } from "../../../src/bytes/archives/tar-segments.ts";
import { dosDateTime } from "../../../src/bytes/archives/zip-records.ts";
import { zipSegments } from "../../../src/bytes/archives/zip-segments.ts";
import { crc32Of, readCentralDirectory, unzip, untar } from "../../support/archives.ts";

const GIBIBYTE = 1024 ** 3;
const TIME = Date.UTC(2026, 4, 6, 7, 8, 9);

function member(name: string, size: number, isKnown = true): ArchiveMember {
  const crc32 = size === 0 ? 0 : isKnown ? 1 : undefined;
  return { name, size, modifiedAt: TIME, crc32 };
}

/** The bytes of an archive, with contents made by a function. */
function write(segments: Iterable<Segment>, contentOf: (member: number) => Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const segment of segments) {
    const piece = "make" in segment ? segment.make() : contentOf(segment.member);
    expect(piece.length).toBe(segment.length);
    if ("member" in segment) segment.setCrc32?.(crc32Of(piece));
    pieces.push(piece);
  }
  return new Uint8Array(pieces.flatMap((piece) => Array.from(piece)));
}

/** The bytes after the last content, and where they begin. */
function tailOf(segments: Iterable<Segment>): { readonly tail: Uint8Array; readonly start: number } {
  let [start, at] = [0, 0];
  let pieces: Uint8Array[] = [];
  for (const segment of segments) {
    at += segment.length;
    if ("make" in segment) {
      const piece = segment.make();
      expect(piece.length).toBe(segment.length);
      pieces.push(piece);
    } else {
      pieces = [];
      start = at;
    }
  }
  const tail = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const piece of pieces) {
    tail.set(piece, offset);
    offset += piece.length;
  }
  return { tail, start };
}

describe("the layout of a ZIP", () => {
  it("has the announced length, with known and unknown CRCs", () => {
    const contents = ["first", "", "third \u{1f600}"].map((text) => new TextEncoder().encode(text));
    for (const isKnown of [true, false]) {
      const members = contents.map((bytes, index) => ({
        name: `${index}/ü`,
        size: bytes.length,
        modifiedAt: TIME,
        crc32: isKnown || bytes.length === 0 ? crc32Of(bytes) : undefined,
      }));
      const bytes = write(zipSegments(members), (index) => contents[index] ?? new Uint8Array());
      expect(bytes.length).toBe(lengthOf(zipSegments(members)));
      expect(unzip(bytes)).toEqual(
        members.map(({ name }, index) => ({ name, bytes: contents[index], modifiedAt: TIME })),
      );
      expect(readCentralDirectory(bytes).every(({ flags }) => (flags & 0x800) !== 0)).toBe(true);
    }
  });

  it.each([
    ["known", true],
    ["unknown", false],
  ])("uses Zip64 for members and offsets of 4 GiB and more, with %s CRCs", (_case, isKnown) => {
    const members = [member("small", 5, isKnown), member("large", 5 * GIBIBYTE, isKnown), member("after", 9, isKnown)];
    const { tail, start } = tailOf(zipSegments(members));
    const entries = readCentralDirectory(tail, start);
    expect(entries.map(({ name, size, isZip64 }) => ({ name, size, isZip64 }))).toEqual([
      { name: "small", size: 5, isZip64: false },
      { name: "large", size: 5 * GIBIBYTE, isZip64: true },
      { name: "after", size: 9, isZip64: true },
    ]);
    expect(entries[0]?.offset).toBe(0);
    expect(entries[2]?.offset).toBeGreaterThan(5 * GIBIBYTE);
    expect(start + tail.length).toBe(lengthOf(zipSegments(members)));
    const large = Array.from(zipSegments(members)).filter((segment) => "make" in segment)[isKnown ? 1 : 2];
    const local = large?.make() ?? new Uint8Array();
    const view = new DataView(local.buffer);
    expect([view.getUint32(0, true), view.getUint32(18, true), view.getUint16(35, true)]).toEqual([
      0x04034b50, 0xffffffff, 1,
    ]);
  });

  it("uses Zip64 for offsets alone when no member is large", () => {
    const members = Array.from({ length: 5 }, (_, index) => member(String(index), GIBIBYTE));
    const { tail, start } = tailOf(zipSegments(members));
    expect(readCentralDirectory(tail, start).map(({ isZip64 }) => isZip64)).toEqual([false, false, false, false, true]);
  });

  it("has 70,000 entries by Zip64", () => {
    const members = Array.from({ length: 70_000 }, (_, index) => member(`key/${index}`, 0));
    const { tail } = tailOf(zipSegments(members));
    const entries = readCentralDirectory(tail);
    expect(entries).toHaveLength(70_000);
    expect(entries.at(-1)?.name).toBe("key/69999");
    expect(tail.length).toBe(lengthOf(zipSegments(members)));
  });

  it("is complete without members", () => {
    expect(readCentralDirectory(write(zipSegments([]), () => new Uint8Array()))).toEqual([]);
  });

  it.each([
    [Date.UTC(2026, 4, 6, 7, 8, 9), "2026-05-06T07:08:08"],
    [Date.UTC(1970, 0, 1), "1980-01-01T00:00:00"],
    [Date.UTC(2200, 0, 1), "2107-12-31T23:59:58"],
  ])("writes the time %i in the fields of MS-DOS", (time, expected) => {
    const fields = dosDateTime(time);
    const [year, month, day] = [(fields.date >> 9) + 1980, (fields.date >> 5) & 15, fields.date & 31];
    const [hour, minute, second] = [fields.time >> 11, (fields.time >> 5) & 63, (fields.time & 31) * 2];
    const shown = (value: number): string => String(value).padStart(2, "0");
    expect(`${year}-${shown(month)}-${shown(day)}T${shown(hour)}:${shown(minute)}:${shown(second)}`).toBe(expected);
  });
});

describe("the layout of a tar", () => {
  it("has the announced length and pax headers for names that need them", () => {
    const names = ["plain", "dir/", "x".repeat(100), "y".repeat(101), `${"z".repeat(95)}/ü`, "tab\u00e9"];
    const contents = names.map((name) => new TextEncoder().encode(name.endsWith("/") ? "" : `content of ${name}`));
    const members = names.map((name, index) => member(name, contents[index]?.length ?? 0));
    const bytes = write(tarSegments(members), (index) => contents[index] ?? new Uint8Array());
    expect(bytes.length).toBe(lengthOf(tarSegments(members)));
    expect(untar(bytes)).toEqual(names.map((name, index) => ({ name, bytes: contents[index], modifiedAt: TIME })));
  });

  it("writes sizes of 8 GiB and more in a pax header", () => {
    const [header] = Array.from(tarSegments([member("large", 8 * GIBIBYTE)]));
    const bytes = header !== undefined && "make" in header ? header.make() : new Uint8Array();
    expect(new TextDecoder().decode(bytes.subarray(512, 1024))).toContain(`size=${8 * GIBIBYTE}\n`);
  });

  it("counts a pax record's own digits, also where they carry", () => {
    for (let length = 80; length < 110; length += 1) {
      const name = "é".repeat(length);
      const bytes = write(tarSegments([member(name, 0)]), () => new Uint8Array());
      expect(untar(bytes)[0]?.name).toBe(name);
    }
  });

  it("yields the same bytes for a range as the whole has there", () => {
    const contents = ["a".repeat(700), "b", ""].map((text) => new TextEncoder().encode(text));
    const members = contents.map(({ length }, index) => member(`ü${index}`, length));
    const whole = write(tarSegments(members), (index) => contents[index] ?? new Uint8Array());
    for (let offset = 0; offset < whole.length; offset += 97) {
      const length = Math.min(611, whole.length - offset);
      const pieces = Array.from(segmentsIn(tarSegments(members), offset, length), (part) => {
        const { segment } = part;
        const bytes = "make" in segment ? segment.make() : (contents[segment.member] ?? new Uint8Array());
        return Array.from(bytes.subarray(part.offset, part.offset + part.length));
      });
      expect(pieces.flat()).toEqual(Array.from(whole.subarray(offset, offset + length)));
    }
  });
});
