// Streams an archive: sends its segments in order and opens the next contents while one is sent. The last bytes are
// withheld until everything before them is complete, so that a failure always breaks the response off.
import { segmentsIn, type Segment, type SegmentRange } from "../../bytes/archives/archive-segments.ts";
import { RunningDigest } from "../../bytes/digest.ts";
import { DelayedWriter, PieceReader } from "../../bytes/streams.ts";
import type { ByteRange } from "../../protocol/core/range.ts";

/** The contents that are open at a time. The platform allows six connections, and a multipart object uses two. */
const OPEN_CONTENTS = 4;
/** The segments that are read in advance to find those contents. */
const QUEUED_SEGMENTS = 16;
/** A content is opened early only if at most this many bytes are sent before it: idle connections may be closed. */
const AHEAD_MAX_BYTES = 16 * 1024 * 1024;

/** Opens a range of a member's content (undefined: all of it); undefined if its bytes are missing. */
export type ContentOpener = (
  member: number,
  range: ByteRange | undefined,
) => Promise<ReadableStream<Uint8Array> | undefined>;

interface QueuedSegment {
  readonly part: SegmentRange;
  readonly content: Promise<ReadableStream<Uint8Array> | undefined> | undefined;
}

/** A member whose content cannot be sent. */
class ContentError extends Error {}

/**
 * Opens a range of an archive.
 * @param onFailure receives why a member's content broke the response off; not called if the client disconnects
 */
export function openArchive(
  segments: Iterable<Segment>,
  range: ByteRange,
  open: ContentOpener,
  onFailure: (error: Error) => void,
): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(range.length);
  const writer = new DelayedWriter(writable.getWriter(), [], range.length);
  const queue = new SegmentQueue(segmentsIn(segments, range.offset, range.length), open);
  send(queue, writer).catch((error: unknown) => {
    writer.abort(error instanceof Error ? error : new Error(String(error)));
    queue.cancel();
    if (error instanceof ContentError) onFailure(error);
  });
  return readable;
}

/** The segments to send. Contents are opened a few segments ahead. */
class SegmentQueue {
  readonly #parts: Iterator<SegmentRange>;
  readonly #open: ContentOpener;
  readonly #queued: QueuedSegment[] = [];

  constructor(parts: Iterator<SegmentRange>, open: ContentOpener) {
    this.#parts = parts;
    this.#open = open;
  }

  /** The next segment; undefined at the end. */
  next(): QueuedSegment | undefined {
    const next = this.#queued.shift() ?? this.#take();
    let bytes = next?.part.length ?? 0;
    for (const { part } of this.#queued) bytes += part.length;
    while (this.#queued.length < QUEUED_SEGMENTS && this.#opened < OPEN_CONTENTS - 1 && bytes <= AHEAD_MAX_BYTES) {
      const queued = this.#take();
      if (queued === undefined) break;
      this.#queued.push(queued);
      bytes += queued.part.length;
    }
    return next;
  }

  /** Discards the contents that are opened in advance. */
  cancel(): void {
    for (const { content } of this.#queued.splice(0)) {
      content?.then((stream) => stream?.cancel()).catch(() => undefined);
    }
  }

  get #opened(): number {
    return this.#queued.filter(({ content }) => content !== undefined).length;
  }

  #take(): QueuedSegment | undefined {
    const { done, value: part } = this.#parts.next();
    if (done === true) return undefined;
    const { segment, offset, length } = part;
    if ("make" in segment) return { part, content: undefined };
    const content = this.#open(segment.member, length === segment.length ? undefined : { offset, length });
    // A failure is reported when the content's turn comes.
    content.catch(() => undefined);
    return { part, content };
  }
}

async function send(queue: SegmentQueue, writer: DelayedWriter): Promise<void> {
  for (let next = queue.next(); next !== undefined; next = queue.next()) {
    const { segment, offset, length } = next.part;
    if ("make" in segment) {
      await writer.write(segment.make().subarray(offset, offset + length));
      continue;
    }
    const stream = await read(async () => next.content);
    if (stream === undefined) throw new ContentError("the bytes of an archive's member are missing");
    const digest = segment.setCrc32 === undefined ? undefined : new RunningDigest("crc32");
    await sendContent(stream, length, writer, digest);
    const crc32 = await digest?.finish();
    if (crc32 !== undefined) segment.setCrc32?.(new DataView(crc32.buffer, crc32.byteOffset).getUint32(0));
  }
  await writer.finish();
}

/** @throws ContentError what the blob store throws */
async function read<Result>(action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw new ContentError(String(error));
  }
}

/** @throws ContentError if the content has another length: the segments after it would shift */
async function sendContent(
  stream: ReadableStream<Uint8Array>,
  length: number,
  writer: DelayedWriter,
  digest: RunningDigest | undefined,
): Promise<void> {
  const reader = new PieceReader(stream, length);
  let left = length;
  try {
    const nextPiece = (): Promise<Uint8Array | undefined> => read(() => reader.read());
    for (let piece = await nextPiece(); piece !== undefined; piece = await nextPiece()) {
      left -= piece.length;
      if (left < 0) break;
      await digest?.update(piece);
      await writer.write(piece);
    }
    if (left !== 0) throw new ContentError("the content of an archive's member has another length than its row says");
  } catch (error) {
    reader.cancel();
    digest?.abandon();
    throw error;
  }
}
