// A body of estimated length. It pads missing bytes at its end with zeros and retains the few bytes beyond the
// estimate.
import { PIECE_BYTES } from "../bytes/streams.ts";
import { malformedForm } from "../protocol/forms/form-delimiter.ts";
import type { FormFile } from "../protocol/forms/form-file.ts";
import type { IncomingBody } from "../protocol/core/incoming-body.ts";

/** The most bytes beyond the estimate: the line break that a form may lack at its end. */
const EXCESS_MAX_BYTES = 2;

/** A form's file as a body of its estimated length. */
export class EstimatedLengthBody implements IncomingBody {
  readonly length: number;
  readonly sha256 = undefined;
  readonly trailerNames = [];
  readonly plain = undefined;
  readonly #read: readonly Uint8Array[];
  readonly #file: FormFile;
  #size = 0;
  #excess = new Uint8Array(0);

  /** @param read bytes already read from the file; the last chunk is valid until the next read */
  constructor(read: readonly Uint8Array[], file: FormFile) {
    this.length = file.estimatedLength;
    this.#read = read;
    this.#file = file;
  }

  /** The file's real length in bytes, once it is delivered. */
  get size(): number {
    return this.#size;
  }

  /** The bytes beyond the estimated length. */
  get excess(): Uint8Array {
    return this.#excess;
  }

  get isAsEstimated(): boolean {
    return this.#size === this.length;
  }

  async deliver(take: (piece: Uint8Array) => Promise<void>): Promise<ReadonlyMap<string, string>> {
    for (const bytes of this.#read) await this.#pass(bytes, take);
    for (;;) {
      const bytes = await this.#file.read();
      if (bytes === undefined) break;
      await this.#pass(bytes, take);
    }
    for (let missing = this.length - this.#size; missing > 0; missing -= PIECE_BYTES) {
      await take(new Uint8Array(Math.min(PIECE_BYTES, missing)));
    }
    return new Map();
  }

  async #pass(bytes: Uint8Array, take: (piece: Uint8Array) => Promise<void>): Promise<void> {
    const fitting = bytes.subarray(0, Math.max(0, this.length - this.#size));
    const over = bytes.slice(fitting.length);
    this.#size += bytes.length;
    await take(fitting);
    if (over.length === 0) return;
    const excess = new Uint8Array(this.#excess.length + over.length);
    excess.set(this.#excess);
    excess.set(over, this.#excess.length);
    if (excess.length > EXCESS_MAX_BYTES) throw malformedForm();
    this.#excess = excess;
  }
}
