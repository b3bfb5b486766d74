// Reads members of an object that is a ZIP file: its directory, one member's place, and its content, each by a range.
// Sizes and CRCs of the directory are enforced.
import { GrowingBuffer } from "../../bytes/growing-buffer.ts";
import { digest } from "../../bytes/digest.ts";
import { InflateError, Inflater } from "../../bytes/archives/inflate.ts";
import { DelayedWriter, PieceReader } from "../../bytes/streams.ts";
import {
  contentOffset,
  findDirectory,
  LOCAL_BYTES,
  parseDirectory,
  parseZip64End,
  TAIL_MAX_BYTES,
  ZipError,
  ZIP64_END_BYTES,
  type DirectoryPlace,
  type ZipEntry,
} from "../../bytes/archives/zip-directory.ts";
import type { ByteRange } from "../../protocol/core/range.ts";

/** The largest central directory, in bytes: it is read into memory. */
const DIRECTORY_MAX_BYTES = 16 * 1024 * 1024;
/** The largest member that is decompressed, in bytes. */
const INFLATED_MAX_BYTES = 4 * 1024 ** 3;
/** Members up to this size are verified before their first byte is sent. */
const VERIFIED_FIRST_BYTES = 1024 * 1024;
/** The most bytes of output per byte of DEFLATE data. */
const DEFLATE_MAX_RATIO = 1032;
const STORED = 0;
const DEFLATED = 8;

/** The bytes of the object. */
export interface ZipFile {
  readonly size: number;
  open(range: ByteRange): Promise<ReadableStream<Uint8Array>>;
}

/** The place of a member's content in the file. */
export interface MemberContent {
  readonly entry: ZipEntry;
  readonly range: ByteRange;
  /** Whether the content is stored uncompressed, so that ranges of it can be read. */
  readonly isStored: boolean;
}

/** Reads the directory of a ZIP file. @throws ZipError */
export async function readDirectory(
  file: ZipFile,
): Promise<{ readonly place: DirectoryPlace; readonly entries: Iterable<ZipEntry> }> {
  if (file.size < 22) throw new ZipError("the object is too short for a ZIP file");
  const tailBytes = Math.min(file.size, TAIL_MAX_BYTES);
  const tail = await read(file, file.size - tailBytes, tailBytes);
  const found = findDirectory(tail, file.size);
  const place =
    "zip64EndOffset" in found
      ? parseZip64End(await read(file, found.zip64EndOffset, ZIP64_END_BYTES), found.end)
      : found;
  if (place.size > DIRECTORY_MAX_BYTES) {
    throw new ZipError(`the central directory is larger than ${DIRECTORY_MAX_BYTES} bytes`);
  }
  const tailStart = file.size - tailBytes;
  const directory =
    place.offset >= tailStart
      ? tail.subarray(place.offset - tailStart, place.offset - tailStart + place.size)
      : await read(file, place.offset, place.size);
  return { place, entries: { [Symbol.iterator]: () => parseDirectory(directory, place) } };
}

/**
 * Finds the content of a member.
 * @returns undefined if there is no such member
 * @throws ZipError for several members of this name, an unsupported or impossible one, or one that shares bytes with others
 */
export async function findMember(file: ZipFile, name: string): Promise<MemberContent | undefined> {
  const { place, entries } = await readDirectory(file);
  let entry: ZipEntry | undefined;
  for (const candidate of entries) {
    if (candidate.name !== name) continue;
    if (entry !== undefined) throw new ZipError("the archive has several members of this name");
    entry = candidate;
  }
  if (entry === undefined) return undefined;
  checkMember(entry);
  const local = await read(file, entry.offset, LOCAL_BYTES + entry.nameBytes.length);
  const offset = contentOffset(local, entry);
  const end = offset + entry.compressedSize;
  if (end > place.offset) throw new ZipError("the member reaches into the central directory");
  for (const other of entries) {
    if (other.offset === entry.offset && other.name === entry.name) continue;
    const otherEnd = other.offset + LOCAL_BYTES + other.nameBytes.length + other.compressedSize;
    if (other.offset < end && otherEnd > entry.offset) throw new ZipError("the member shares bytes with another one");
  }
  return { entry, range: { offset, length: entry.compressedSize }, isStored: entry.method === STORED };
}

function checkMember({ flags, method, size, compressedSize }: ZipEntry): void {
  if ((flags & 1) !== 0) throw new ZipError("the member is encrypted");
  if (method === STORED) {
    if (size !== compressedSize) throw new ZipError("the member's sizes contradict each other");
    return;
  }
  if (method !== DEFLATED) throw new ZipError(`the member's compression method ${method} is not supported`);
  if (size > INFLATED_MAX_BYTES) throw new ZipError(`the member has more than ${INFLATED_MAX_BYTES} bytes`);
  if (size > compressedSize * DEFLATE_MAX_RATIO) throw new ZipError("the member's sizes contradict each other");
}

async function read(file: ZipFile, offset: number, length: number): Promise<Uint8Array> {
  if (offset + length > file.size) throw new ZipError("a record exceeds the file");
  return new Response(await file.open({ offset, length })).bytes();
}

/**
 * Opens the whole content of a member, decompressed and verified. Small members are verified before the first byte; the
 * last bytes of larger ones are withheld until then.
 * @throws ZipError if the content of a small member has another size or CRC than the directory says
 */
export async function openMember(file: ZipFile, member: MemberContent): Promise<ReadableStream<Uint8Array>> {
  const { size, crc32 } = member.entry;
  const pieces = piecesOf(file, member);
  const { readable, writable } = new FixedLengthStream(size);
  const writer = new DelayedWriter(writable.getWriter(), ["crc32"], size);
  if (size <= VERIFIED_FIRST_BYTES) {
    const buffer = new GrowingBuffer(size);
    for await (const piece of pieces) {
      if (piece.length > buffer.room) throw new ZipError("the member is longer than the directory says");
      buffer.append(piece);
    }
    if (buffer.room > 0) throw new ZipError("the member is shorter than the directory says");
    const { bytes } = buffer;
    if (numberOf(await digest("crc32", bytes)) !== crc32) throw new ZipError("the member's CRC-32 does not match");
    send(bytes, writer).catch(() => undefined);
    return readable;
  }
  // A failure aborts the stream, which is how the client learns of it.
  sendVerified(pieces, member.entry, writer).catch((error: unknown) => {
    writer.abort(error instanceof Error ? error : new Error(String(error)));
  });
  return readable;
}

async function send(bytes: Uint8Array, writer: DelayedWriter): Promise<void> {
  await writer.write(bytes);
  await writer.finish();
}

async function sendVerified(
  pieces: AsyncIterable<Uint8Array>,
  { size, crc32 }: ZipEntry,
  writer: DelayedWriter,
): Promise<void> {
  for await (const piece of pieces) {
    if (writer.total + piece.length > size) throw new ZipError("the member is longer than the directory says");
    await writer.write(piece);
  }
  const [computed = new Uint8Array(4)] = await writer.digests();
  if (numberOf(computed) !== crc32) throw new ZipError("the member's CRC-32 does not match");
  await writer.finish();
}

function numberOf(crc: Uint8Array): number {
  return new DataView(crc.buffer, crc.byteOffset).getUint32(0);
}

/** The content's pieces, decompressed. Each is valid until the next. @throws ZipError for invalid data */
async function* piecesOf(file: ZipFile, { isStored, range }: MemberContent): AsyncGenerator<Uint8Array> {
  if (range.length === 0) return;
  const reader = new PieceReader(await file.open(range), range.length);
  let isAtEnd = false;
  const nextPiece = async (): Promise<Uint8Array | undefined> => {
    const piece = await reader.read();
    isAtEnd = piece === undefined;
    return piece;
  };
  try {
    if (isStored) for (let piece = await nextPiece(); piece !== undefined; piece = await nextPiece()) yield piece;
    else yield* inflated(nextPiece);
  } catch (error) {
    throw error instanceof InflateError ? new ZipError(`the member is damaged: ${error.message}`) : error;
  } finally {
    if (!isAtEnd) reader.cancel();
  }
}

async function* inflated(nextPiece: () => Promise<Uint8Array | undefined>): AsyncGenerator<Uint8Array> {
  const inflater = new Inflater();
  for (let next = inflater.next(); next !== "done"; next = inflater.next()) {
    if (next !== "input") {
      yield next;
      continue;
    }
    const piece = await nextPiece();
    if (piece === undefined) inflater.end();
    else inflater.push(piece);
  }
}
