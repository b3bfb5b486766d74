// Opens several ranges of an object as one multipart/byteranges body. The ranges are read one after the other, so memory
// does not grow with their number.
import { PieceReader } from "../../bytes/streams.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import type { MultipartRanges } from "../../protocol/objects/multi-range.ts";
import type { OpenedObject } from "./open-bytes.ts";

/** Opens one range; undefined if its blob is missing. */
export type OpenRange = (range: ByteRange) => Promise<OpenedObject | undefined>;

/** @returns undefined if the first range's blob is missing */
export async function openRanges(multipart: MultipartRanges, open: OpenRange): Promise<OpenedObject | undefined> {
  const [part] = multipart.parts;
  const first = part && (await open(part.range));
  if (first === undefined) return undefined;
  const { readable, writable } = new FixedLengthStream(multipart.length);
  // A failure aborts the response stream, which is how the client learns of it.
  sendRanges(multipart, first.body, open, writable).catch(() => undefined);
  return { body: readable, cache: first.cache };
}

async function sendRanges(
  { parts, end }: MultipartRanges,
  first: ReadableStream<Uint8Array>,
  open: OpenRange,
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  const writer = writable.getWriter();
  try {
    let opened: ReadableStream<Uint8Array> | undefined = first;
    for (const { head, range } of parts) {
      const body: ReadableStream<Uint8Array> | undefined = opened ?? (await open(range))?.body;
      opened = undefined;
      if (body === undefined) throw new Error("a blob of the object is missing");
      await writer.write(head);
      const reader = new PieceReader(body, range.length);
      for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) await writer.write(piece);
    }
    await writer.write(end);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    throw error;
  }
}
