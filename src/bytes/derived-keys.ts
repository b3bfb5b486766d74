// Derives a key for one purpose from a secret. The key reveals neither the secret nor other derived keys.
import { utf8 } from "./text.ts";

/**
 * 32 bytes derived from a secret by HKDF with SHA-256 (RFC 5869).
 * @param salt distinguishes keys for the same purpose
 * @param purpose a text that no other use of the secret has
 */
export async function deriveBytes(secret: Uint8Array, salt: Uint8Array, purpose: string): Promise<Uint8Array> {
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const parameters = { name: "HKDF", hash: "SHA-256", salt, info: utf8(purpose) };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, base, 256));
}
