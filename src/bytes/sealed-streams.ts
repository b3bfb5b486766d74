// Sealing a body while it is written, and opening a range of a sealed one while it is read, a frame at a time.
import type { FrameCipher } from "./sealed-frames.ts";
import { PieceReader, type ByteSink } from "./streams.ts";

/** Seals what is written to it and writes that on. Less or more than the cipher's length never becomes a whole. */
export class SealingWriter implements ByteSink {
  readonly #sink: ByteSink;
  readonly #cipher: FrameCipher;
  readonly #frames: FrameGatherer;

  constructor(sink: ByteSink, cipher: FrameCipher) {
    this.#sink = sink;
    this.#cipher = cipher;
    const lengthOf = (number: number): number => cipher.frameLength(number);
    this.#frames = new FrameGatherer(0, cipher.last, lengthOf, async (number, frame) => {
      await sink.write(await cipher.seal(number, frame));
    });
  }

  get closed(): Promise<void> {
    return this.#sink.closed;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#frames.take(bytes);
  }

  async close(): Promise<void> {
    // Of nothing at all, the one frame is empty and no byte can complete it.
    if (this.#cipher.length === 0) await this.#sink.write(await this.#cipher.seal(0, new Uint8Array()));
    else if (!this.#frames.isComplete) throw new Error("fewer bytes than were to be sealed");
    await this.#sink.close();
  }

  async abort(reason?: unknown): Promise<void> {
    await this.#sink.abort(reason);
  }
}

/**
 * Opens a range of sealed bytes. The stream breaks off where a frame does not open: what it yields before that is right.
 * @param sealed exactly the frames that {@link FrameCipher.framesOf} says hold the range
 * @param range of the unsealed bytes; not empty
 */
export function openSealed(
  sealed: ReadableStream<Uint8Array>,
  cipher: FrameCipher,
  range: { readonly offset: number; readonly length: number },
): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(range.length);
  // A failure breaks the stream off, which is how its reader learns of it.
  void pump(new PieceReader(sealed), cipher, range, writable.getWriter());
  return readable;
}

async function pump(
  reader: PieceReader,
  cipher: FrameCipher,
  { offset, length }: { readonly offset: number; readonly length: number },
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  writer.closed.catch(() => undefined);
  const { first, last } = cipher.framesOf({ offset, length });
  let skipped = offset - first * cipher.frameLength(0);
  let left = length;
  const lengthOf = (number: number): number => cipher.sealedFrameLength(number);
  const frames = new FrameGatherer(first, last, lengthOf, async (number, frame) => {
    const opened = await cipher.open(number, frame);
    const wanted = opened.subarray(skipped, skipped + left);
    skipped = 0;
    left -= wanted.length;
    await writer.write(wanted);
  });
  try {
    for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) await frames.take(piece);
    if (!frames.isComplete) throw new Error("sealed bytes are cut off");
    await writer.close();
  } catch (error) {
    reader.cancel();
    await writer.abort(error).catch(() => undefined);
  }
}

/** Gathers what comes in pieces of any size into frames. */
class FrameGatherer {
  readonly #last: number;
  readonly #lengthOf: (number: number) => number;
  readonly #hand: (number: number, frame: Uint8Array) => Promise<void>;
  #number: number;
  #held: Uint8Array | undefined;
  #length = 0;

  constructor(
    first: number,
    last: number,
    lengthOf: (number: number) => number,
    hand: (number: number, frame: Uint8Array) => Promise<void>,
  ) {
    this.#number = first;
    this.#last = last;
    this.#lengthOf = lengthOf;
    this.#hand = hand;
  }

  /** Whether every frame was handed on. */
  get isComplete(): boolean {
    return this.#number > this.#last;
  }

  /** Takes the next bytes, which the caller may reuse once the promise has resolved. */
  async take(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.isComplete) throw new Error("more bytes than the frames hold");
      const wanted = this.#lengthOf(this.#number);
      const part = rest.subarray(0, wanted - this.#length);
      rest = rest.subarray(part.length);
      const frame = this.#gather(part, wanted);
      if (frame === undefined) return;
      this.#number += 1;
      await this.#hand(this.#number - 1, frame);
    }
  }

  /** The frame that a part completes; one that comes in one part is not copied. */
  #gather(part: Uint8Array, wanted: number): Uint8Array | undefined {
    if (part.length === wanted) return part;
    this.#held ??= new Uint8Array(this.#lengthOf(0));
    this.#held.set(part, this.#length);
    this.#length += part.length;
    if (this.#length < wanted) return undefined;
    this.#length = 0;
    return this.#held.subarray(0, wanted);
  }
}
