// The file of a form: its bytes, and its length, which is known only at its end.
import { malformedForm, type DelimitedReader } from "./form-delimiter.ts";
import { readPartHead } from "./form-data.ts";
import { S3Error } from "../core/s3-error.ts";

/** The allowed sizes of a file in bytes, both bounds included. */
export interface SizeRange {
  readonly least: number;
  readonly most: number;
}

const HEAD_MAX_BYTES = 20_480;

/** The content of a form's file, from its first byte. */
export class FormFile {
  readonly #reader: DelimitedReader;
  readonly #range: SizeRange;
  /**
   * The length in bytes if the file is the form's last part and the form ends as almost all clients end it. If more
   * parts follow, the file is shorter.
   */
  readonly estimatedLength: number;
  #delivered = 0;

  /** @param total the length of the whole form in bytes */
  constructor(reader: DelimitedReader, boundary: string, total: number, range: SizeRange) {
    this.#reader = reader;
    this.#range = range;
    this.estimatedLength = Math.max(0, total - reader.consumed - `\r\n--${boundary}--\r\n`.length);
  }

  /**
   * The next bytes, valid until the next call; undefined at the end, after the rest of the form was parsed.
   * @throws S3Error EntityTooLarge, EntityTooSmall, MalformedPOSTRequest, IncompleteBody
   */
  async read(): Promise<Uint8Array | undefined> {
    const bytes = await this.#reader.untilDelimiter();
    this.#delivered += bytes?.length ?? 0;
    if (this.#delivered > this.#range.most) {
      // The exact size is known only at the end of the file, so report the estimate.
      throw new S3Error("EntityTooLarge", {
        ProposedSize: Math.max(this.estimatedLength, this.#delivered),
        MaxSizeAllowed: this.#range.most,
      });
    }
    if (bytes !== undefined) return bytes;
    if (this.#delivered < this.#range.least) {
      throw new S3Error("EntityTooSmall", {
        ProposedSize: this.#delivered,
        MinSizeAllowed: this.#range.least,
      });
    }
    await this.#skipRest();
    return undefined;
  }

  /** Parts after the file are ignored, but the form must be complete: otherwise the file may be truncated too. */
  async #skipRest(): Promise<void> {
    for (;;) {
      const part = await readPartHead(this.#reader, HEAD_MAX_BYTES);
      if (part === "too long") throw malformedForm();
      if (part === undefined) break;
      while ((await this.#reader.untilDelimiter()) !== undefined);
    }
    await this.#reader.toEnd();
  }
}
