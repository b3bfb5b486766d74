// The segments of an archive file, in order: bytes that the format prescribes, and the contents of members. Lengths are
// known without the contents, so an archive's exact length is known before its first byte.

/** A file or directory of an archive. Its contents are stored uncompressed. */
export interface ArchiveMember {
  /** A relative path; a directory ends with a slash. */
  readonly name: string;
  /** Bytes of content. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  /** The CRC-32 of the content; undefined if only reading the content yields it. */
  readonly crc32: number | undefined;
}

/** Bytes that the format prescribes. They are made when they are sent. */
interface FormatSegment {
  readonly length: number;
  readonly make: () => Uint8Array;
}

/** The content of a member, which is not empty. */
interface ContentSegment {
  readonly length: number;
  /** The member's index. */
  readonly member: number;
  /** Receives the content's CRC-32 before the next segment is made; undefined if the archive does not need it. */
  readonly setCrc32: ((crc32: number) => void) | undefined;
}

export type Segment = FormatSegment | ContentSegment;

/** The length of an archive, in bytes. */
export function lengthOf(segments: Iterable<Segment>): number {
  let length = 0;
  for (const segment of segments) length += segment.length;
  return length;
}

/** A part of a segment. */
export interface SegmentRange {
  readonly segment: Segment;
  /** Offset in the segment. */
  readonly offset: number;
  readonly length: number;
}

/** The parts of segments in a range of the archive. */
export function* segmentsIn(segments: Iterable<Segment>, offset: number, length: number): Generator<SegmentRange> {
  const end = offset + length;
  let start = 0;
  for (const segment of segments) {
    const from = Math.max(start, offset);
    const to = Math.min(start + segment.length, end);
    if (from < to) yield { segment, offset: from - start, length: to - from };
    start += segment.length;
    if (start >= end) return;
  }
}
