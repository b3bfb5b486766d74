// Percent-encoding of bytes. Cairn never uses URL and URLSearchParams: they resolve dot segments, decode `+` in the
// wrong places and replace invalid UTF-8.
import { utf8 } from "./text.ts";

const UNRESERVED = /[A-Za-z0-9\-._~]/;
const ENCODED_BYTE = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return byte < 128 && UNRESERVED.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
});
/** Texts that are their own encoding, as most are. */
const PLAIN = /^[A-Za-z0-9\-._~]*$/;
const PLAIN_PATH = /^[A-Za-z0-9\-._~/]*$/;
const SLASH = 0x2f;
const PLUS = 0x2b;
const PERCENT = 0x25;
const SPACE = 0x20;

/** Decodes percent-encoding to bytes; undefined if an escape is malformed. */
export function percentDecode(text: string, plusIsSpace = false): Uint8Array | undefined {
  const source = utf8(text);
  const bytes = new Uint8Array(source.length);
  let length = 0;
  for (let index = 0; index < source.length; index += 1) {
    const byte = source[index] ?? 0;
    if (byte === PERCENT) {
      const high = hexValue(source[index + 1]);
      const low = hexValue(source[index + 2]);
      if (high === undefined || low === undefined) return undefined;
      bytes[length] = high * 16 + low;
      index += 2;
    } else {
      bytes[length] = plusIsSpace && byte === PLUS ? SPACE : byte;
    }
    length += 1;
  }
  return bytes.subarray(0, length);
}

/** Decodes percent-encoded UTF-8; undefined if it is malformed or not UTF-8. */
export function percentDecodeText(text: string, plusIsSpace = false): string | undefined {
  if (!text.includes("%") && !(plusIsSpace && text.includes("+"))) return text;
  try {
    // As strict as percentDecode and decodeUtf8, and the runtime's own.
    return decodeURIComponent(plusIsSpace ? text.replaceAll("+", " ") : text);
  } catch {
    return undefined;
  }
}

/** Strict percent-encoding: escapes everything but `A-Za-z0-9-._~` (and `/` on request), in upper case. */
export function uriEncode(value: string | Uint8Array, keepSlash = false): string {
  if (typeof value === "string" && (keepSlash ? PLAIN_PATH : PLAIN).test(value)) return value;
  // The runtime's own function is faster, but leaves five characters more as they are, and throws for lone surrogates.
  if (typeof value === "string" && value.isWellFormed()) {
    const encoded = encodeURIComponent(value).replaceAll(/[!'()*]/g, (one) => ENCODED_BYTE[one.charCodeAt(0)] ?? one);
    return keepSlash ? encoded.replaceAll("%2F", "/") : encoded;
  }
  const bytes = typeof value === "string" ? utf8(value) : value;
  let text = "";
  for (const byte of bytes) text += keepSlash && byte === SLASH ? "/" : ENCODED_BYTE[byte];
  return text;
}

function hexValue(byte: number | undefined): number | undefined {
  if (byte === undefined) return undefined;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}
