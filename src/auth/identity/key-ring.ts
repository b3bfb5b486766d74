// Encrypts short texts with AES-256-GCM under a master key, and binds them to their owner. Each ciphertext is stored
// with its key's version, a fingerprint, so that an older master key still decrypts after another one replaces it.
import { digest } from "../../bytes/digest.ts";
import { fromBase64, fromBase64Url, toBase64Url, toHex } from "../../bytes/hex-base64.ts";
import { decodeUtf8, utf8 } from "../../bytes/text.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Long enough to distinguish a few keys; reveals nothing about a random key. */
const VERSION_BYTES = 4;

/** An encrypted text. */
export interface EncryptedText {
  /** The version of the key that encrypted it. */
  readonly keyVersion: string;
  /** Nonce, ciphertext and tag as base64url. */
  readonly ciphertext: string;
}

/** The master keys: the current one encrypts, all of them decrypt. */
export class KeyRing {
  /** The version of the current key. */
  readonly version: string;
  readonly #keys: ReadonlyMap<string, CryptoKey>;

  private constructor(version: string, keys: ReadonlyMap<string, CryptoKey>) {
    this.version = version;
    this.#keys = keys;
  }

  /** @param masterKeys base64 of 32 bytes each; the first one is current */
  static async of(masterKeys: readonly [string, ...string[]]): Promise<KeyRing> {
    const entries = await Promise.all(masterKeys.map(readKey));
    return new KeyRing(entries[0]?.[0] ?? "", new Map(entries));
  }

  /** The versions of the keys that only decrypt. */
  get previousVersions(): string[] {
    return Array.from(this.#keys.keys()).filter((version) => version !== this.version);
  }

  /** Encrypts a text, which decrypts only for the same `owner`. */
  async encrypt(text: string, owner: string): Promise<EncryptedText> {
    const key = this.#keys.get(this.version);
    if (key === undefined) throw new Error("a key ring without its own key");
    const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const encrypted = await crypto.subtle.encrypt({ ...AES, iv, additionalData: utf8(owner) }, key, utf8(text));
    const ciphertext = new Uint8Array(NONCE_BYTES + encrypted.byteLength);
    ciphertext.set(iv);
    ciphertext.set(new Uint8Array(encrypted), NONCE_BYTES);
    return { keyVersion: this.version, ciphertext: toBase64Url(ciphertext) };
  }

  /** Decrypts a text. Undefined if no key of the ring encrypted it, it has another owner, or it was changed. */
  async decrypt({ keyVersion, ciphertext }: EncryptedText, owner: string): Promise<string | undefined> {
    const key = this.#keys.get(keyVersion);
    const bytes = fromBase64Url(ciphertext);
    if (key === undefined || bytes === undefined || bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const iv = bytes.subarray(0, NONCE_BYTES);
    const encrypted = bytes.subarray(NONCE_BYTES);
    try {
      const text = await crypto.subtle.decrypt({ ...AES, iv, additionalData: utf8(owner) }, key, encrypted);
      return decodeUtf8(new Uint8Array(text));
    } catch {
      // The tag does not match.
      return undefined;
    }
  }
}

const AES = { name: "AES-GCM", tagLength: TAG_BYTES * 8 };

async function readKey(text: string): Promise<[version: string, key: CryptoKey]> {
  const bytes = fromBase64(text);
  if (bytes?.length !== KEY_BYTES) throw new Error("a master key is not the base64 of 32 bytes");
  const fingerprint = await digest("SHA-256", new Uint8Array([...utf8("cairn master key"), ...bytes]));
  const key = await crypto.subtle.importKey("raw", bytes, AES.name, false, ["encrypt", "decrypt"]);
  return [toHex(fingerprint.subarray(0, VERSION_BYTES)), key];
}
