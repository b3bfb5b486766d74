// A small generator of reproducible random numbers for property tests, and of the texts and chunk sizes drawn from it.

export class Seeded {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 up to, but not including, `limit` (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index += 1) bytes[index] = this.below(256);
    return bytes;
  }

  /** A text of up to `longest` characters, mostly from ranges where orders and encodings change. */
  text(longest: number): string {
    let text = "";
    for (let left = this.below(longest + 1); left > 0; left -= 1) text += String.fromCodePoint(this.#codePoint());
    return text;
  }

  #codePoint(): number {
    if (this.below(4) > 0) return this.pick(EDGES);
    const point = this.below(0x110000);
    return point >= 0xd800 && point <= 0xdfff ? point - 0x800 : point;
  }
}

const EDGES = [
  0, 1, 0x20, 0x25, 0x2b, 0x2f, 0x41, 0x61, 0x7a, 0x7e, 0x7f, 0x80, 0xff, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfeff, 0xffff,
  0x10000, 0x1f600, 0x10fffe, 0x10ffff,
];

/** The bytes split into pieces of these sizes, repeatedly. */
export function chunks(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    pieces.push(bytes.slice(at, at + size));
    at += size;
  }
  return pieces;
}
