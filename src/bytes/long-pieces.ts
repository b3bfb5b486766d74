// Limits how many streams of an isolate are read in long pieces at a time, and so the memory of their buffers. Each
// piece of a body costs some turns of the event loop, and a long body takes a quarter of them in long pieces.

export const LONG_PIECE_BYTES = 256 * 1024;

/** All of them take 8 MiB, of the 128 MB of an isolate. */
const MAX_READERS = 32;

/** The readers of long pieces. */
export class LongPieces {
  readonly #max: number;
  #readers = 0;
  // A request whose client goes away may end without a word to its reader.
  readonly #registered = new FinalizationRegistry<undefined>(() => {
    this.#readers -= 1;
  });

  constructor(max = MAX_READERS) {
    this.#max = max;
  }

  /** Admits a reader, unless too many have long pieces. */
  admit(reader: object): boolean {
    if (this.#readers >= this.#max) return false;
    this.#readers += 1;
    this.#registered.register(reader, undefined, reader);
    return true;
  }

  /** Ends the admission of a reader, if it has one. */
  release(reader: object): void {
    if (this.#registered.unregister(reader)) this.#readers -= 1;
  }
}
