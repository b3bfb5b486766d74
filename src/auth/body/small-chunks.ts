// The small chunks of an unsigned aws-chunked body, many at a time: a client may send each byte in a chunk of its own, and
// to wait for every line of every chunk would take a microsecond or more for each byte.
import type { PieceCursor } from "./piece-cursor.ts";

/** Larger chunks are read by themselves, without moving their bytes. */
const SMALL_MAX_BYTES = 4096;

const NOTHING = new Uint8Array(0);

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** Fewer are not worth gathering: their bytes are handed on where they lie. */
const FEW = 8;

/**
 * Passes the small chunks that are buffered as a whole, up to the first thing that is none: a large chunk, the last one,
 * one that is malformed or not all there. Passes nothing where they are few.
 * @param limit how many bytes of payload may come
 * @returns their payload
 */
export function takeSmallChunks(cursor: PieceCursor, limit: number): Uint8Array {
  const bytes = cursor.buffered;
  let end = 0;
  for (let count = 0; count < FEW; count += 1) {
    const chunk = smallChunk(bytes, end);
    if (chunk === undefined) return NOTHING;
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

/** A small chunk that is all there. */
interface SmallChunk {
  /** Where its data begins. */
  readonly at: number;
  readonly size: number;
  /** Where the next one begins. */
  readonly end: number;
}

function smallChunk(bytes: Uint8Array, position: number): SmallChunk | undefined {
  const start = startOfData(bytes, position);
  if (start === undefined) return undefined;
  const end = start.at + start.size;
  return bytes[end] === CARRIAGE_RETURN && bytes[end + 1] === LINE_FEED ? { ...start, end: end + 2 } : undefined;
}

/** Where the data of a small chunk begins whose size line is at a position. */
function startOfData(bytes: Uint8Array, position: number): { readonly at: number; readonly size: number } | undefined {
  let size = 0;
  for (let at = position; size <= SMALL_MAX_BYTES; at += 1) {
    const byte = bytes[at];
    if (byte === CARRIAGE_RETURN) {
      return size > 0 && bytes[at + 1] === LINE_FEED ? { at: at + 2, size } : undefined;
    }
    const digit = hexDigit(byte);
    // Zeros before a size are left to the reader of single chunks, which bounds them.
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
