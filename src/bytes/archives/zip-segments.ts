// Lays out a ZIP file. A member whose CRC-32 is unknown gets a data descriptor, so the length is exact in every case.
import type { ArchiveMember, Segment } from "./archive-segments.ts";
import {
  centralHeader,
  centralHeaderBytes,
  dataDescriptor,
  dataDescriptorBytes,
  endBytes,
  endOfCentralDirectory,
  hasDescriptor,
  localHeader,
  localHeaderBytes,
} from "./zip-records.ts";

/** The segments of a ZIP file. */
export function* zipSegments(members: readonly ArchiveMember[]): Generator<Segment> {
  const offsets = new Float64Array(members.length);
  const crcs = new Uint32Array(members.length);
  let at = 0;
  for (const [index, member] of members.entries()) {
    offsets[index] = at;
    crcs[index] = member.crc32 ?? 0;
    const isDescribed = hasDescriptor(member);
    yield { length: localHeaderBytes(member), make: () => localHeader(member) };
    at += localHeaderBytes(member) + member.size;
    if (member.size > 0) {
      const setCrc32 = (crc32: number): void => {
        crcs[index] = crc32;
      };
      yield { length: member.size, member: index, setCrc32: isDescribed ? setCrc32 : undefined };
    }
    if (!isDescribed) continue;
    yield { length: dataDescriptorBytes(member), make: () => dataDescriptor(member, crcs[index] ?? 0) };
    at += dataDescriptorBytes(member);
  }
  const start = at;
  for (const [index, member] of members.entries()) {
    const offset = offsets[index] ?? 0;
    const length = centralHeaderBytes(member, offset);
    yield { length, make: () => centralHeader(member, crcs[index] ?? 0, offset) };
    at += length;
  }
  const directory = { entries: members.length, offset: start, size: at - start };
  yield { length: endBytes(directory), make: () => endOfCentralDirectory(directory) };
}
