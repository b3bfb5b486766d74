// Reads a body in lines and runs of bytes, independent of piece borders. Copies only lines that span pieces.
import type { PieceReader } from "../../bytes/streams.ts";
import { decodeUtf8 } from "../../bytes/text.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";

const LINE_FEED = 0x0a;

/** 400 for a body that ends early or has a malformed envelope; AWS returns the same code for both. */
export function incompleteBody(): S3Error {
  return new S3Error("IncompleteBody", {}, "The request body terminated unexpectedly");
}

/** A position in a body. Returned views are valid until the next call. */
export class PieceCursor {
  readonly #reader: PieceReader;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(reader: PieceReader) {
    this.#reader = reader;
  }

  /**
   * Whether the body has ended. Waits for the next bytes if none are buffered.
   * @throws S3Error IncompleteBody if the client disconnects
   */
  async isAtEnd(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const piece = await this.#read();
      if (piece === undefined) return true;
      this.#rest = piece;
    }
    return false;
  }

  /** Bytes that are read and not consumed. */
  get buffered(): Uint8Array {
    return this.#rest;
  }

  /** Consumes buffered bytes. */
  skip(length: number): void {
    this.#rest = this.#rest.subarray(length);
  }

  /**
   * The next bytes: at least one, at most `limit`, within one piece.
   * @throws S3Error IncompleteBody at the end
   */
  async run(limit: number): Promise<Uint8Array> {
    if (this.#rest.length === 0 && (await this.isAtEnd())) throw incompleteBody();
    const bytes = this.#rest.subarray(0, limit);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  /**
   * The next line with its line feed; undefined if it is longer than `limit` bytes or not UTF-8.
   * @throws S3Error IncompleteBody if the body ends within the line
   */
  async line(limit: number): Promise<string | undefined> {
    let start = await this.#lineRun(limit);
    if (start.at(-1) === LINE_FEED) return decodeUtf8(start);
    const whole = new Uint8Array(limit);
    let length = 0;
    for (;;) {
      whole.set(start, length);
      length += start.length;
      if (start.at(-1) === LINE_FEED) return decodeUtf8(whole.subarray(0, length));
      if (length === limit) return undefined;
      start = await this.#lineRun(limit - length);
    }
  }

  async #lineRun(limit: number): Promise<Uint8Array> {
    if (this.#rest.length === 0 && (await this.isAtEnd())) throw incompleteBody();
    const end = this.#rest.subarray(0, limit).indexOf(LINE_FEED);
    return this.run(end < 0 ? limit : end + 1);
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      return await this.#reader.read();
    } catch {
      throw incompleteBody();
    }
  }
}
