// Reads a multipart body between its delimiters, independent of how the body is split into pieces. Buffers one piece,
// and the few bytes before it if they may begin a delimiter.
import { utf8 } from "../../bytes/text.ts";
import { S3Error } from "../core/s3-error.ts";

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const HYPHEN = 0x2d;
const SPACE = 0x20;
const TAB = 0x09;

/** The source of the body's pieces: each is valid until the next read; undefined at the end. */
export interface PieceSource {
  read(): Promise<Uint8Array | undefined>;
}

/** 400 for a body that is not a form: too short, or without the required delimiters. */
export function malformedForm(): S3Error {
  return new S3Error("MalformedPOSTRequest");
}

/** A position in a multipart body (RFC 2046, 5.1.1). Returned bytes are valid until the next call. */
export class DelimitedReader {
  readonly #source: PieceSource;
  readonly #delimiter: Uint8Array;
  #rest: Uint8Array;
  #consumed: number;

  constructor(source: PieceSource, boundary: string) {
    this.#source = source;
    this.#delimiter = utf8(`\r\n--${boundary}`);
    // A delimiter starts with a line break, which the first delimiter of a body may omit.
    this.#rest = Uint8Array.of(CARRIAGE_RETURN, LINE_FEED);
    this.#consumed = -this.#rest.length;
  }

  /** The number of bytes of the body that were read. */
  get consumed(): number {
    return this.#consumed;
  }

  /**
   * The next bytes before the next delimiter; undefined if the delimiter itself is next, which is then skipped.
   * @throws S3Error MalformedPOSTRequest if the body ends without it
   */
  async untilDelimiter(): Promise<Uint8Array | undefined> {
    for (;;) {
      const at = this.#findDelimiter();
      if (at > 0) return this.#take(at);
      if (this.#rest.length >= this.#delimiter.length) {
        this.#take(this.#delimiter.length);
        return undefined;
      }
      await this.#readMore();
    }
  }

  /**
   * The next line without its CRLF; undefined if it is longer than `limit` bytes.
   * @throws S3Error MalformedPOSTRequest if the body ends within the line, or the line ends with a bare line feed
   */
  async line(limit: number): Promise<Uint8Array | undefined> {
    for (;;) {
      const end = this.#rest.indexOf(LINE_FEED);
      if (end < 0 ? this.#rest.length > limit + 1 : end > limit + 1) return undefined;
      if (end < 0) {
        await this.#readMore();
        continue;
      }
      if (this.#rest[end - 1] !== CARRIAGE_RETURN) throw malformedForm();
      return this.#take(end + 1).subarray(0, end - 1);
    }
  }

  /**
   * Reads the rest of a delimiter's line: padding and CRLF before a part, two hyphens at the end of the form.
   * @throws S3Error MalformedPOSTRequest for anything else
   */
  async delimiterEnd(limit: number): Promise<"part" | "close" | "too long"> {
    while (this.#rest.length < 2) await this.#readMore();
    if (this.#rest[0] === HYPHEN && this.#rest[1] === HYPHEN) {
      this.#take(2);
      return "close";
    }
    const padding = await this.line(limit);
    if (padding === undefined) return "too long";
    if (padding.some((byte) => byte !== SPACE && byte !== TAB)) throw malformedForm();
    return "part";
  }

  /** Skips the rest of the body. */
  async toEnd(): Promise<void> {
    do {
      this.#take(this.#rest.length);
      this.#rest = (await this.#read()) ?? new Uint8Array(0);
    } while (this.#rest.length > 0);
  }

  /** The first index at which a delimiter starts, or may start once more bytes are known; otherwise the length. */
  #findDelimiter(): number {
    const rest = this.#rest;
    // Only the first byte of a delimiter is a carriage return, so no byte is compared twice after a false start.
    for (let at = rest.indexOf(CARRIAGE_RETURN); at >= 0; at = rest.indexOf(CARRIAGE_RETURN, at + 1)) {
      const known = Math.min(this.#delimiter.length, rest.length - at);
      let matching = 1;
      while (matching < known && rest[at + matching] === this.#delimiter[matching]) matching += 1;
      if (matching === known) return at;
    }
    return rest.length;
  }

  #take(length: number): Uint8Array {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    this.#consumed += length;
    return taken;
  }

  /** Appends the next piece to the unread bytes. */
  async #readMore(): Promise<void> {
    const unread = this.#rest.slice();
    const piece = await this.#read();
    if (piece === undefined) throw malformedForm();
    if (unread.length === 0) {
      this.#rest = piece;
      return;
    }
    this.#rest = new Uint8Array(unread.length + piece.length);
    this.#rest.set(unread);
    this.#rest.set(piece, unread.length);
  }

  async #read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const piece = await this.#source.read().catch(() => {
        throw new S3Error("IncompleteBody", {}, "The request body terminated unexpectedly");
      });
      if (piece === undefined || piece.length > 0) return piece;
    }
  }
}
