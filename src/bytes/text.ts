// UTF-8, Cairn's only text encoding.

const ENCODER = new TextEncoder();
const STRICT_DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text);
}

const SCRATCH = new Uint8Array(4096);

/**
 * The UTF-8 bytes of a text, in a buffer that the next call overwrites: for a function that reads them before it returns.
 * Most requests are signed by short texts, and a buffer for each would cost more than to encode it.
 */
export function utf8InScratch(text: string): Uint8Array {
  // A UTF-16 unit takes at most three bytes.
  if (text.length * 3 > SCRATCH.length) return utf8(text);
  return SCRATCH.subarray(0, ENCODER.encodeInto(text, SCRATCH).written);
}

/** Decodes UTF-8; undefined if it is invalid. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return STRICT_DECODER.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The number of UTF-8 bytes of a text. */
export function utf8Length(text: string): number {
  return ENCODER.encode(text).length;
}

/**
 * The smallest text that is greater, in UTF-8 byte order, than every text that begins with `prefix`; undefined if there
 * is none. Code points and UTF-8 bytes sort alike, so the last code point is incremented, past the surrogates.
 */
export function successorOfPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  while (points.length > 0) {
    const last = points.pop() ?? 0;
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
}

/** The smallest text that is greater, in UTF-8 byte order, than `text`. */
export function successorOf(text: string): string {
  return `${text}\0`;
}

/** Compares two texts by their UTF-8 bytes; JavaScript compares UTF-16 units. */
export function compareUtf8(left: string, right: string): number {
  const a = utf8(left);
  const b = utf8(right);
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
