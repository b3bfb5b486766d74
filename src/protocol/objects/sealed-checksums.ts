// Checksums of objects that a customer's key encrypts. A checksum reveals its plain text to a guess, so it is stored encrypted
// with a key that only the customer's key yields.
import { deriveBytes } from "../../bytes/derived-keys.ts";
import { fromBase64Url, toBase64Url } from "../../bytes/hex-base64.ts";
import { decodeUtf8, utf8 } from "../../bytes/text.ts";
import type { ObjectChecksum } from "../core/checksums.ts";
import { saltOf, type CustomerKey, type NewEncryption } from "./customer-encryption.ts";

const PURPOSE = "cairn seals a checksum 1";
const PREFIX = "sealed.";
const NONCE_BYTES = 12;
const CIPHER = "AES-GCM";

/** Seals and opens checksums with one customer's key. */
export class ChecksumSealer {
  readonly #customerKey: CustomerKey;
  /** By salt, of which all parts of an upload have the same. */
  readonly #keys = new Map<string, Promise<CryptoKey>>();

  constructor(customerKey: CustomerKey) {
    this.#customerKey = customerKey;
  }

  /**
   * The stored form of a checksum.
   * @param keyVerifier that of the object or upload, whose salt separates its checksums from those of others
   */
  async seal(value: string, keyVerifier: string): Promise<string> {
    const salt = saltOf(keyVerifier);
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const sealed = await crypto.subtle.encrypt({ name: CIPHER, iv: nonce }, await this.#keyFor(salt), utf8(value));
    return `${PREFIX}${[salt, toBase64Url(nonce), toBase64Url(new Uint8Array(sealed))].join(".")}`;
  }

  /** The checksum of a stored form; undefined if the key does not open it. Forms of earlier releases are plain. */
  async open(stored: string): Promise<string | undefined> {
    if (!isSealed(stored)) return stored;
    const [salt = "", nonce = "", sealed = ""] = stored.slice(PREFIX.length).split(".");
    const [iv, bytes] = [fromBase64Url(nonce), fromBase64Url(sealed)];
    if (iv === undefined || bytes === undefined) return undefined;
    try {
      const opened = await crypto.subtle.decrypt({ name: CIPHER, iv }, await this.#keyFor(salt), bytes);
      return decodeUtf8(new Uint8Array(opened));
    } catch {
      return undefined;
    }
  }

  async #keyFor(salt: string): Promise<CryptoKey> {
    const known = this.#keys.get(salt);
    if (known !== undefined) return known;
    const derived = deriveBytes(this.#customerKey.bytes, fromBase64Url(salt) ?? new Uint8Array(), PURPOSE).then(
      (bytes) => crypto.subtle.importKey("raw", bytes, CIPHER, false, ["encrypt", "decrypt"]),
    );
    this.#keys.set(salt, derived);
    return derived;
  }
}

/** Whether only the customer's key yields the checksum of a stored form. */
export function isSealed(stored: string): boolean {
  return stored.startsWith(PREFIX);
}

/** The stored form of a new object's checksum. */
export async function storedChecksum<Checksum extends ObjectChecksum | undefined>(
  checksum: Checksum,
  encryption: NewEncryption | undefined,
): Promise<Checksum> {
  if (checksum === undefined || encryption === undefined) return checksum;
  const value = await new ChecksumSealer(encryption.key).seal(checksum.value, encryption.keyVerifier);
  return { ...checksum, value };
}

interface Checked {
  readonly checksum: ObjectChecksum | undefined;
  readonly encryption: string | undefined;
}

/** An object and its parts with readable checksums. A checksum that the key does not open is left out. */
export async function withReadableChecksums<
  Version extends Checked,
  Part extends { readonly checksum: string | undefined },
>(object: Version, parts: readonly Part[], key: CustomerKey | undefined): Promise<{ object: Version; parts: Part[] }> {
  const { checksum, encryption } = object;
  if (encryption === undefined || key === undefined) return { object, parts: [...parts] };
  const sealer = new ChecksumSealer(key);
  return {
    object: { ...object, checksum: await opened(sealer, checksum) },
    parts: await Promise.all(
      parts.map(async (part) => ({
        ...part,
        checksum: part.checksum === undefined ? undefined : await sealer.open(part.checksum),
      })),
    ),
  };
}

/** A stored checksum as the key opens it; undefined without the key or with another. */
export async function readableChecksum(
  checksum: ObjectChecksum | undefined,
  key: CustomerKey | undefined,
): Promise<ObjectChecksum | undefined> {
  if (checksum === undefined || !isSealed(checksum.value)) return checksum;
  return key === undefined ? undefined : opened(new ChecksumSealer(key), checksum);
}

async function opened(
  sealer: ChecksumSealer,
  checksum: ObjectChecksum | undefined,
): Promise<ObjectChecksum | undefined> {
  const value = checksum === undefined ? undefined : await sealer.open(checksum.value);
  return checksum === undefined || value === undefined ? undefined : { ...checksum, value };
}
