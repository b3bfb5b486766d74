// Writes a blob's bytes and footer to an open file, and computes their hashes meanwhile. Hashing and writing overlap, and at
// most two groups of pieces are in memory.
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { encodeFooter, type BlobProperties } from "./footer.ts";

/** A hash that a blob must have, in hexadecimal. */
export interface ExpectedHash {
  readonly algorithm: "md5" | "sha1" | "sha256";
  readonly digest: string;
}

/** A blob to write. */
export interface BlobToWrite extends Omit<BlobProperties, "md5" | "uploadedAt"> {
  readonly length: number;
  readonly source: AsyncIterable<Uint8Array>;
  readonly hash: ExpectedHash | undefined;
}

/** The bytes have another hash than expected. */
export class HashMismatchError extends Error {
  readonly computed: string;

  constructor(computed: string) {
    super("the hash of the bytes is another one");
    this.computed = computed;
  }
}

/** The source has more or fewer bytes than announced. */
export class LengthError extends Error {}

/** Pieces are written in groups of this size, because each write costs a switch of threads. */
const GROUP_BYTES = 512 * 1024;

/**
 * Writes a blob.
 * @returns its MD5 in hexadecimal
 * @throws HashMismatchError, LengthError, and errors of the file system
 */
export async function writeBlob(file: FileHandle, blob: BlobToWrite): Promise<string> {
  const { source, length, hash, isInfrequentAccess, recoveryMetadata } = blob;
  const md5 = createHash("md5");
  const other = hash === undefined || hash.algorithm === "md5" ? undefined : createHash(hash.algorithm);
  const groups = new GroupWriter(file);
  let size = 0;
  try {
    for await (const piece of source) {
      size += piece.length;
      if (size > length) throw new LengthError("more bytes than announced");
      md5.update(piece);
      other?.update(piece);
      await groups.add(piece);
    }
    if (size !== length) throw new LengthError("fewer bytes than announced");
    const digest = md5.digest("hex");
    const computed = other?.digest("hex") ?? digest;
    if (hash !== undefined && hash.digest !== computed) throw new HashMismatchError(computed);
    const footer = encodeFooter({ md5: digest, uploadedAt: Date.now(), isInfrequentAccess, recoveryMetadata });
    await groups.end(footer);
    return digest;
  } finally {
    await groups.idle();
  }
}

/** Writes pieces in groups, the next of which is gathered while one is written. */
class GroupWriter {
  readonly #file: FileHandle;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #position = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async add(piece: Uint8Array): Promise<void> {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes >= GROUP_BYTES) await this.#startGroup();
  }

  async end(last: Uint8Array): Promise<void> {
    this.#pieces.push(last);
    this.#bytes += last.length;
    await this.#startGroup();
    await this.#writing;
  }

  /** Resolves when no write is under way, so that the file can be closed. */
  async idle(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  async #startGroup(): Promise<void> {
    await this.#writing;
    const [pieces, position, bytes] = [this.#pieces, this.#position, this.#bytes];
    [this.#pieces, this.#bytes] = [[], 0];
    this.#position += bytes;
    this.#writing = writeAll(this.#file, pieces, position, bytes);
    // The next call rejects with the error.
    this.#writing.catch(() => undefined);
  }
}

async function writeAll(file: FileHandle, pieces: Uint8Array[], position: number, bytes: number): Promise<void> {
  const { bytesWritten } = await file.writev(pieces, position);
  if (bytesWritten === bytes) return;
  // The disk became full in the middle. A further write reports why.
  const rest = Buffer.concat(pieces).subarray(bytesWritten);
  for (let written = 0; written < rest.length;) {
    const step = await file.write(rest, written, rest.length - written, position + bytesWritten + written);
    if (step.bytesWritten === 0) throw new Error("the file system writes nothing");
    written += step.bytesWritten;
  }
}
