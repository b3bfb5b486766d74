// Walks through a body in lines and runs of bytes, wherever the borders of its pieces fall. Copies only a line that
// spans pieces.
import type { PieceReader } from "../../bytes/streams.ts";
import { decodeUtf8 } from "../../bytes/text.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";

const LINE_FEED = 0x0a;

/** 400 for a body that ends or breaks off too soon, or whose envelope makes no sense: AWS does not tell them apart. */
export function incompleteBody(): S3Error {
  return new S3Error("IncompleteBody", {}, "The request body terminated unexpectedly");
}

/** A position in a body. What it hands out is valid until the next call. */
export class PieceCursor {
  readonly #reader: PieceReader;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(reader: PieceReader) {
    this.#reader = reader;
  }

  /**
   * Whether the body has ended, waiting for its next bytes if need be.
   * @throws S3Error IncompleteBody where the sender went away.
   */
  async isAtEnd(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const piece = await this.#read();
      if (piece === undefined) return true;
      this.#rest = piece;
    }
    return false;
  }

  /** What has been read and not passed. */
  get buffered(): Uint8Array {
    return this.#rest;
  }

  /** Passes bytes that are buffered. */
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
   * The next line with its line feed; undefined where it is longer than `limit` bytes or not UTF-8.
   * @throws S3Error IncompleteBody where the body ends within the line
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
