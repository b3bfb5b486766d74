// Encrypts bytes in frames of AES-256-GCM, so that any range decrypts without the rest (the STREAM construction:
// https://eprint.iacr.org/2015/189). The secret and a salt at the start yield each body's own key, so no nonce repeats
// under one key: a frame's nonce is its number and whether it is the last. Frames that were changed, moved, cut off or
// taken from another body do not decrypt. Neither do bytes that are bound to another identity.
import { deriveBytes } from "./derived-keys.ts";
import { SALT_BYTES, type FrameLayout } from "./frame-layout.ts";

const NONCE_BYTES = 12;
const PURPOSE = "cairn sealed frames 1";
/** For frames that are bound to an identity. */
const BOUND_PURPOSE = "cairn sealed frames 2 ";

/** Encrypts and decrypts frames under one secret and one salt. */
export class FrameCipher {
  readonly salt: Uint8Array;
  readonly layout: FrameLayout;
  readonly #key: CryptoKey;

  private constructor(salt: Uint8Array, layout: FrameLayout, key: CryptoKey) {
    this.salt = salt;
    this.layout = layout;
    this.#key = key;
  }

  /** For encrypting, under a new salt. */
  static async fresh(secret: Uint8Array, layout: FrameLayout, identity?: string): Promise<FrameCipher> {
    return FrameCipher.of(secret, crypto.getRandomValues(new Uint8Array(SALT_BYTES)), layout, identity);
  }

  /**
   * For decrypting what was encrypted under this salt.
   * @param identity what the bytes are bound to; undefined if they are bound to nothing
   */
  static async of(secret: Uint8Array, salt: Uint8Array, layout: FrameLayout, identity?: string): Promise<FrameCipher> {
    const bytes = await deriveBytes(secret, salt, identity === undefined ? PURPOSE : BOUND_PURPOSE + identity);
    const key = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
    return new FrameCipher(salt, layout, key);
  }

  async encrypt(number: number, frame: Uint8Array): Promise<Uint8Array> {
    return new Uint8Array(await crypto.subtle.encrypt(this.#parameters(number), this.#key, frame));
  }

  /** Decrypts a frame. Rejects if it is not the frame that was encrypted under this number. */
  async decrypt(number: number, encrypted: Uint8Array): Promise<Uint8Array> {
    return new Uint8Array(await crypto.subtle.decrypt(this.#parameters(number), this.#key, encrypted));
  }

  #parameters(number: number): SubtleCryptoEncryptAlgorithm {
    const nonce = new Uint8Array(NONCE_BYTES);
    new DataView(nonce.buffer).setUint32(NONCE_BYTES - 5, number);
    nonce[NONCE_BYTES - 1] = number === this.layout.last ? 1 : 0;
    return { name: "AES-GCM", iv: nonce };
  }
}
