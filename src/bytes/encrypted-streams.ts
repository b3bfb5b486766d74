// Encrypts a body while it is written, and decrypts a range of it while it is read, frame by frame.
import { FRAME_BYTES, SALT_BYTES, type FrameLayout, type Span } from "./frame-layout.ts";
import { GrowingBuffer } from "./growing-buffer.ts";
import { FrameCipher } from "./encrypted-frames.ts";
import { PieceReader, type ByteSink } from "./streams.ts";

/** Encrypts what is written to it and writes it on. The output is complete only after exactly the layout's length. */
export class EncryptingWriter implements ByteSink {
  readonly #sink: ByteSink;
  readonly #cipher: FrameCipher;
  readonly #frames: FrameGatherer;
  #hasBegun = false;

  constructor(sink: ByteSink, cipher: FrameCipher) {
    this.#sink = sink;
    this.#cipher = cipher;
    const { layout } = cipher;
    const lengthOf = (number: number): number => layout.frameLength(number);
    this.#frames = new FrameGatherer(0, layout.last, lengthOf, async (number, frame) => this.#encrypt(number, frame));
  }

  get closed(): Promise<void> {
    return this.#sink.closed;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#frames.take(bytes);
  }

  async close(): Promise<void> {
    // An empty body has one empty frame, which no byte can complete.
    if (this.#cipher.layout.length === 0) await this.#encrypt(0, new Uint8Array());
    else if (!this.#frames.isComplete) throw new Error("fewer bytes than were to be encrypted");
    await this.#sink.close();
  }

  async abort(reason?: unknown): Promise<void> {
    await this.#sink.abort(reason);
  }

  async #encrypt(number: number, frame: Uint8Array): Promise<void> {
    const encrypted = await this.#cipher.encrypt(number, frame);
    if (!this.#hasBegun) await this.#sink.write(this.#cipher.salt);
    this.#hasBegun = true;
    await this.#sink.write(encrypted);
  }
}

/** A run of encrypted bytes, as read from the blob store. */
export interface EncryptedPiece {
  /** Exactly the bytes that {@link FrameLayout.framesOf} returns for the range. */
  readonly stream: ReadableStream<Uint8Array>;
  /** The salt, if the stream does not begin with it. */
  readonly salt: Uint8Array | undefined;
  /** What the bytes are bound to, if anything. */
  readonly identity?: string | undefined;
}

/**
 * Decrypts a range and writes it to a sink, which stays open. Rejects if a frame does not decrypt; all bytes written
 * before that are correct.
 * @param range a range of the bytes before encryption; not empty
 */
export async function writeDecrypted(
  { stream, salt, identity }: EncryptedPiece,
  secret: Uint8Array,
  layout: FrameLayout,
  range: Span,
  sink: Pick<ByteSink, "write">,
): Promise<void> {
  const reader = new PieceReader(stream);
  const { first, last } = layout.framesOf(range);
  let skipped = range.offset - first * layout.frameLength(0);
  let left = range.length;
  try {
    let cipher = salt === undefined ? undefined : await FrameCipher.of(secret, salt, layout, identity);
    const lengthOf = (number: number): number => (number === SALT ? SALT_BYTES : layout.encryptedFrameLength(number));
    const decrypt = async (number: number, frame: Uint8Array): Promise<void> => {
      // The gatherer reuses its memory, so the salt is copied.
      cipher ??= await FrameCipher.of(secret, frame.slice(), layout, identity);
      if (number === SALT) return;
      const decrypted = await cipher.decrypt(number, frame);
      const wanted = decrypted.subarray(skipped, skipped + left);
      skipped = 0;
      left -= wanted.length;
      await sink.write(wanted);
    };
    const frames = new FrameGatherer(cipher === undefined ? SALT : first, last, lengthOf, decrypt);
    for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) await frames.take(piece);
    if (!frames.isComplete) throw new Error("encrypted bytes are cut off");
  } catch (error) {
    reader.cancel();
    throw error;
  }
}

/** The salt is gathered like a frame before the first. */
const SALT = -1;

/** Gathers pieces of any size into frames. */
class FrameGatherer {
  readonly #last: number;
  readonly #lengthOf: (number: number) => number;
  readonly #passOn: (number: number, frame: Uint8Array) => Promise<void>;
  #number: number;
  readonly #buffer = new GrowingBuffer(FRAME_BYTES + SALT_BYTES);

  constructor(
    first: number,
    last: number,
    lengthOf: (number: number) => number,
    passOn: (number: number, frame: Uint8Array) => Promise<void>,
  ) {
    this.#number = first;
    this.#last = last;
    this.#lengthOf = lengthOf;
    this.#passOn = passOn;
  }

  /** Whether every frame was passed on. */
  get isComplete(): boolean {
    return this.#number > this.#last;
  }

  /** Adds the next bytes, which the caller may reuse once the promise resolves. */
  async take(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.isComplete) throw new Error("more bytes than the frames hold");
      const wanted = this.#lengthOf(this.#number);
      const part = rest.subarray(0, wanted - this.#buffer.bytes.length);
      rest = rest.subarray(part.length);
      const frame = this.#gather(part, wanted);
      if (frame === undefined) return;
      this.#number += 1;
      await this.#passOn(this.#number - 1, frame);
    }
  }

  /** The frame that a part completes; a frame that arrives in one part is not copied. */
  #gather(part: Uint8Array, wanted: number): Uint8Array | undefined {
    if (part.length === wanted) return part;
    this.#buffer.append(part);
    if (this.#buffer.bytes.length < wanted) return undefined;
    const frame = this.#buffer.bytes;
    this.#buffer.clear();
    return frame;
  }
}
