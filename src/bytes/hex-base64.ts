// Encodes hexadecimal and base64, and decodes them strictly: a text that is not exactly an encoding decodes to
// undefined.

const HEX_OF_BYTE = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Lower-case hexadecimal of the bytes. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX_OF_BYTE[byte];
  return text;
}

/** Decodes hexadecimal of even length in either case; undefined if it is malformed. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = digitValue(text.charCodeAt(index * 2)) * 16 + digitValue(text.charCodeAt(index * 2 + 1));
  }
  return bytes;
}

/** The value of a hexadecimal digit's character code. */
function digitValue(code: number): number {
  return code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
}

/** Standard base64 with padding. Works byte by byte, which suits only short values such as digests and tokens. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Decodes canonical base64 with padding; undefined if it is malformed. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return toBase64(bytes) === text ? bytes : undefined;
}

/** Base64 with the URL alphabet and no padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Decodes base64url without padding; undefined if it is malformed. */
export function fromBase64Url(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
  return fromBase64(text.replaceAll("-", "+").replaceAll("_", "/") + "=".repeat((4 - (text.length % 4)) % 4));
}

/** Standard base64 with padding, by the runtime: for bytes of any length. */
export function bodyToBase64(bytes: Uint8Array): string {
  return bytes.toBase64();
}

/**
 * Decodes what {@link bodyToBase64} returned.
 * @throws SyntaxError if it is no base64
 */
export function bodyFromBase64(text: string): Uint8Array {
  return Uint8Array.fromBase64(text);
}
