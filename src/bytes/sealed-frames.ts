// Bytes sealed under a secret in frames of AES-256-GCM, so that any range of them can be opened without the rest. They
// begin with a salt, from which and the secret their own key is derived, so no nonce is ever used twice under one key;
// each frame's nonce is its number and whether it is the last. A frame that was altered, moved, cut off or taken from
// other sealed bytes therefore does not open; nor do all of them in the place of others, where they are bound to what they are (the STREAM construction: https://eprint.iacr.org/2015/189).
import { deriveBytes } from "./derived-keys.ts";
import { SALT_BYTES, type FrameLayout } from "./frame-layout.ts";

const NONCE_BYTES = 12;
const PURPOSE = "cairn sealed frames 1";
/** Of frames that open only as those of what they were sealed as. */
const BOUND_PURPOSE = "cairn sealed frames 2 ";

/** Seals and opens frames under one secret and one salt. */
export class FrameCipher {
  readonly salt: Uint8Array;
  readonly layout: FrameLayout;
  readonly #key: CryptoKey;

  private constructor(salt: Uint8Array, layout: FrameLayout, key: CryptoKey) {
    this.salt = salt;
    this.layout = layout;
    this.#key = key;
  }

  /** For sealing: under a new salt. */
  static async fresh(secret: Uint8Array, layout: FrameLayout, identity?: string): Promise<FrameCipher> {
    return FrameCipher.of(secret, crypto.getRandomValues(new Uint8Array(SALT_BYTES)), layout, identity);
  }

  /**
   * For opening what was sealed under this salt.
   * @param identity what the bytes were sealed as; undefined where they were bound to nothing
   */
  static async of(secret: Uint8Array, salt: Uint8Array, layout: FrameLayout, identity?: string): Promise<FrameCipher> {
    const bytes = await deriveBytes(secret, salt, identity === undefined ? PURPOSE : BOUND_PURPOSE + identity);
    const key = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
    return new FrameCipher(salt, layout, key);
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
    nonce[NONCE_BYTES - 1] = number === this.layout.last ? 1 : 0;
    return { name: "AES-GCM", iv: nonce };
  }
}
