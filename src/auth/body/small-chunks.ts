// Reads small chunks of an unsigned aws-chunked body many at a time. A client may send each byte in its own chunk, and
// awaiting every line of every chunk would cost a microsecond or more per byte.
import type { PieceCursor } from "./piece-cursor.ts";

/** Larger chunks are read one by one, without copying their bytes. */
const SMALL_MAX_BYTES = 4096;

const NO_BYTES = new Uint8Array(0);

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** Fewer chunks are not gathered, because passing them on without a copy is faster. */
const GATHER_MIN_CHUNKS = 8;

/**
 * Consumes the complete small chunks in the buffer, up to the first large, last, malformed or incomplete one. Consumes
 * nothing if they are few.
 * @param limit maximum bytes of payload
 * @returns their payload
 */
export function takeSmallChunks(cursor: PieceCursor, limit: number): Uint8Array {
  const bytes = cursor.buffered;
  let end = 0;
  for (let count = 0; count < GATHER_MIN_CHUNKS; count += 1) {
    const chunk = smallChunk(bytes, end);
    if (chunk === undefined) return NO_BYTES;
    ({ end } = chunk);
  }
  const gathered = new Uint8Array(Math.min(limit, bytes.length));
  let length = 0;
  let passed = 0;
  for (let chunk = smallChunk(bytes, 0); chunk !== undefined; chunk = smallChunk(bytes, passed)) {
    const { at, size } = chunk;
    if (length + size > limit) break;
    for (let index = at; index < at + size; index += 1, length += 1) gathered[length] = bytes[index] ?? 0;
    passed = chunk.end;
  }
  cursor.skip(passed);
  return gathered.subarray(0, length);
}

/** A complete small chunk. */
interface SmallChunk {
  /** Where its data begins. */
  readonly at: number;
  readonly size: number;
  /** Where the next chunk begins. */
  readonly end: number;
}

function smallChunk(bytes: Uint8Array, position: number): SmallChunk | undefined {
  const start = startOfData(bytes, position);
  if (start === undefined) return undefined;
  const end = start.at + start.size;
  return bytes[end] === CARRIAGE_RETURN && bytes[end + 1] === LINE_FEED ? { ...start, end: end + 2 } : undefined;
}

/** Where the data of the small chunk begins whose size line starts at a position. */
function startOfData(bytes: Uint8Array, position: number): { readonly at: number; readonly size: number } | undefined {
  let size = 0;
  for (let at = position; size <= SMALL_MAX_BYTES; at += 1) {
    const byte = bytes[at];
    if (byte === CARRIAGE_RETURN) {
      return size > 0 && bytes[at + 1] === LINE_FEED ? { at: at + 2, size } : undefined;
    }
    const digit = hexDigit(byte);
    // The reader of single chunks bounds leading zeros, so it reads such sizes.
    if (digit === undefined || (digit === 0 && size === 0)) return undefined;
    size = size * 16 + digit;
  }
  return undefined;
}

function hexDigit(byte: number | undefined): number | undefined {
  if (byte === undefined) return undefined;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}
