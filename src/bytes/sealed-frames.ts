// Bytes sealed under a secret in frames of AES-256-GCM, so that any range of them can be opened without the rest. Each
// run of bytes has a key of its own, derived from the secret and a salt that is never used twice, and within it each
// frame a nonce of its own: its number, and whether it is the last. A frame that was altered, moved, cut off or taken
// from elsewhere therefore does not open (the STREAM construction: https://eprint.iacr.org/2015/189).
import { deriveBytes } from "./derived-keys.ts";

// Smaller frames cost more calls, larger ones more bytes that a small range fetches in vain.
export const FRAME_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const PURPOSE = "cairn sealed frames 1";

/** A run of bytes, counted from 0. */
interface Span {
  readonly offset: number;
  readonly length: number;
}

/** How many bytes a number of bytes are when sealed. None are one empty frame, so that their absence is sealed too. */
export function sealedLength(length: number): number {
  return length + (lastFrame(length) + 1) * TAG_BYTES;
}

function lastFrame(length: number): number {
  return Math.max(0, Math.ceil(length / FRAME_BYTES) - 1);
}

/** Seals and opens the frames of one run of bytes. */
export class FrameCipher {
  readonly #key: CryptoKey;
  /** The length of the whole run, unsealed. */
  readonly length: number;
  /** The number of its last frame; the first is 0. */
  readonly last: number;

  private constructor(key: CryptoKey, length: number) {
    this.#key = key;
    this.length = length;
    this.last = lastFrame(length);
  }

  /**
   * The cipher of a run of bytes.
   * @param salt never used for other bytes under the same secret: the nonces are the same for every run
   * @param length of the whole run, unsealed
   */
  static async of(secret: Uint8Array, salt: Uint8Array, length: number): Promise<FrameCipher> {
    const bytes = await deriveBytes(secret, salt, PURPOSE);
    const key = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
    return new FrameCipher(key, length);
  }

  /** How many bytes a frame holds, unsealed. */
  frameLength(number: number): number {
    return number < this.last ? FRAME_BYTES : this.length - this.last * FRAME_BYTES;
  }

  /** How many bytes a frame is when sealed. */
  sealedFrameLength(number: number): number {
    return this.frameLength(number) + TAG_BYTES;
  }

  /** Where the sealed frames are that hold a range of the unsealed bytes, and which they are. */
  framesOf({ offset, length }: Span): { readonly first: number; readonly last: number; readonly sealed: Span } {
    const first = Math.floor(offset / FRAME_BYTES);
    const last = Math.max(first, Math.floor((offset + length - 1) / FRAME_BYTES));
    const start = first * (FRAME_BYTES + TAG_BYTES);
    const end = last * (FRAME_BYTES + TAG_BYTES) + this.sealedFrameLength(last);
    return { first, last, sealed: { offset: start, length: end - start } };
  }

  async seal(number: number, frame: Uint8Array): Promise<Uint8Array> {
    return new Uint8Array(await crypto.subtle.encrypt(this.#parameters(number), this.#key, frame));
  }

  /** Rejects for anything but the frame that was sealed under this number. */
  async open(number: number, sealed: Uint8Array): Promise<Uint8Array> {
    return new Uint8Array(await crypto.subtle.decrypt(this.#parameters(number), this.#key, sealed));
  }

  #parameters(number: number): SubtleCryptoEncryptAlgorithm {
    const nonce = new Uint8Array(NONCE_BYTES);
    new DataView(nonce.buffer).setUint32(NONCE_BYTES - 5, number);
    nonce[NONCE_BYTES - 1] = number === this.last ? 1 : 0;
    return { name: "AES-GCM", iv: nonce };
  }
}
