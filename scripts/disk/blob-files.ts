// The blobs of a state folder as files: created once, read, listed, copied and deleted.
import { constants, statfs } from "node:fs";
import { type FileHandle, open, rm, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { type BlobToWrite, type ExpectedHash, HashMismatchError, writeBlob } from "./blob-writer.ts";
import type { DurableFiles } from "./durable-files.ts";
import { decodeFooter, USUAL_FOOTER_BYTES, type BlobProperties, type Footer } from "./footer.ts";
import { blobIdsAfter, blobPath, blobPlace, hasCode, type Layout } from "./layout.ts";

/** The disk has too little space. */
export class FullError extends Error {}

/** The file is no complete blob. */
export class DamagedError extends Error {}

/** A range of a blob. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** A blob whose file is open. */
export interface OpenedBlob extends Footer {
  readonly file: FileHandle;
}

/** A blob in a list. */
export interface ListedBlob extends Partial<BlobProperties> {
  readonly blobId: string;
  readonly size: number;
}

/** Space that uploads leave free, so that a full disk still takes deletions: the database needs it. */
const RESERVE_MAX_BYTES = 64 * 1024 ** 2;
const RESERVE_SHARE = 32;

const PIECE_BYTES = 512 * 1024;
const PARALLEL_READS = 16;
/** `O_NOFOLLOW` is missing on Windows. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0);
const FULL_CODES = ["ENOSPC", "EDQUOT", "EFBIG"];

const statFileSystem = promisify(statfs);

export class BlobFiles {
  readonly #layout: Layout;
  readonly #files: DurableFiles;

  constructor(layout: Layout, files: DurableFiles) {
    this.#layout = layout;
    this.#files = files;
  }

  /**
   * Creates a blob.
   * @returns its MD5 in hexadecimal
   * @throws ExistsError, FullError, HashMismatchError, LengthError, InvalidIdError
   */
  async create(blobId: string, blob: BlobToWrite): Promise<string> {
    const { folder, name } = blobPlace(this.#layout, blobId);
    await this.reserve(blob.length);
    return reportFull(this.#files.create(folder, name, (file) => writeBlob(file, blob)));
  }

  /** @throws FullError if the disk lacks space for a file of a length */
  async reserve(length: number): Promise<void> {
    const { bavail, bsize, blocks } = await statFileSystem(dirname(this.#layout.blobs));
    const reserve = Math.min(RESERVE_MAX_BYTES, (blocks * bsize) / RESERVE_SHARE);
    if (bavail * bsize - length < reserve) throw new FullError("the disk is full");
  }

  /** Opens a blob; undefined if it does not exist. The caller closes the file. @throws DamagedError */
  async open(blobId: string): Promise<OpenedBlob | undefined> {
    const file = await openFile(blobPath(this.#layout, blobId));
    if (file === undefined) return undefined;
    try {
      const { footer, size } = await readFooter(file);
      if (footer === undefined) throw new DamagedError(`the file of blob ${blobId}, ${size} bytes, is damaged`);
      return { ...footer, file };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** A blob's entry; undefined if it does not exist. A damaged file has its own size and no properties. */
  async head(blobId: string): Promise<ListedBlob | undefined> {
    const file = await openFile(blobPath(this.#layout, blobId));
    try {
      if (file === undefined) return undefined;
      const { footer, size } = await readFooter(file);
      return { blobId, size: footer?.size ?? size, ...footer?.properties };
    } finally {
      await file?.close();
    }
  }

  /**
   * Copies a blob, or a range of it (undefined: all), into a new blob. An existing copy counts as success.
   * @returns whether the source exists
   */
  async copy(sourceId: string, range: Range | undefined, blobId: string, properties: CopyProperties): Promise<boolean> {
    if ((await this.head(blobId)) !== undefined) return true;
    const found = await this.open(sourceId);
    if (found === undefined) return false;
    try {
      const { offset, length } = range ?? { offset: 0, length: found.size };
      if (offset + length > found.size) throw new DamagedError(`blob ${sourceId} is shorter than the range`);
      const hash: ExpectedHash | undefined =
        length === found.size ? { algorithm: "md5", digest: found.properties.md5 } : undefined;
      const source = piecesOf(found.file, offset, length);
      await this.create(blobId, { ...properties, source, length, hash });
      return true;
    } catch (error) {
      if (error instanceof HashMismatchError) throw new DamagedError(`the bytes of blob ${sourceId} are damaged`);
      throw error;
    } finally {
      await found.file.close();
    }
  }

  /** Lists at most `limit` blobs after an id (undefined: from the first), in the order of their ids. */
  async list(after: string | undefined, limit: number): Promise<{ blobs: ListedBlob[]; next: string | undefined }> {
    const ids: string[] = [];
    for await (const id of blobIdsAfter(this.#layout, after)) {
      ids.push(id);
      if (ids.length > limit) break;
    }
    const listed = ids.slice(0, limit);
    const entries: (ListedBlob | undefined)[] = Array.from(listed, () => undefined);
    const waiting = listed.entries();
    await Promise.all(
      Array.from({ length: PARALLEL_READS }, async () => {
        // All share one iterator.
        for (const [index, id] of waiting) entries[index] = await this.head(id);
      }),
    );
    const next = ids.length > limit ? listed.at(-1) : undefined;
    // A blob without an entry was deleted since.
    return { blobs: entries.filter((it) => it !== undefined), next };
  }

  /** Deletes a blob if it exists, and folders that become empty. */
  async delete(blobId: string): Promise<void> {
    const path = blobPath(this.#layout, blobId);
    // A folder in place of the file is damage, which a deletion removes.
    await rm(path, { recursive: true, force: true });
    const folder = dirname(path);
    await rmdir(folder)
      .then(() => rmdir(dirname(folder)))
      // It has other files or does not exist.
      .catch(() => undefined);
  }
}

/** The properties of a copy. */
export type CopyProperties = Pick<BlobProperties, "isInfrequentAccess" | "recoveryMetadata">;

/**
 * Reads a range of a file piece by piece. The next piece is read while one is in use; closing the file waits for that.
 * @throws DamagedError if the file is shorter
 */
export async function* piecesOf(file: FileHandle, offset: number, length: number): AsyncGenerator<Buffer> {
  const end = offset + length;
  let position = offset;
  let reading = readPiece(file, position, end);
  while (position < end) {
    const piece = await reading;
    if (piece.length === 0) throw new DamagedError("the file is shorter than before");
    position += piece.length;
    reading = readPiece(file, position, end);
    // The reader may leave before it asks for this piece.
    reading.catch(() => undefined);
    yield piece;
  }
}

/** Reads at most one piece, up to the end of a range. */
async function readPiece(file: FileHandle, position: number, end: number): Promise<Buffer> {
  const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - position));
  if (piece.length === 0) return piece;
  const { bytesRead } = await file.read(piece, 0, piece.length, position);
  return piece.subarray(0, bytesRead);
}

/** @throws FullError in place of the file system's errors for a full disk */
export async function reportFull<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    if (FULL_CODES.some((code) => hasCode(error, code))) throw new FullError("the disk is full", { cause: error });
    throw error;
  }
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, READ_FLAGS);
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return undefined;
    throw error;
  }
}

/** The footer of an open file, if it is valid, and the file's size. */
async function readFooter(file: FileHandle): Promise<{ readonly footer: Footer | undefined; readonly size: number }> {
  const stats = await file.stat();
  const { size } = stats;
  if (!stats.isFile()) return { footer: undefined, size: 0 };
  for (let length = USUAL_FOOTER_BYTES; ;) {
    const end = Buffer.alloc(Math.min(length, size));
    const { bytesRead } = await file.read(end, 0, end.length, size - end.length);
    const footer = bytesRead === end.length ? decodeFooter(end, size) : undefined;
    if (typeof footer !== "number") return { footer, size };
    length = footer;
  }
}
