// A text that patterns are matched against, with an index of the positions of each character that is built once. Memory
// is linear in the text's length.

/** Bits in one word of a position set. */
const WORD = 32;

/** The positions of one character. */
export interface Occurrences {
  /** In ascending order. */
  readonly positions: readonly number[];
  /** The same as a bit set, for a frequent character; undefined for a rare one. */
  readonly bits: Uint32Array | undefined;
}

/** A text, and the number of elementary steps spent on matching it. */
export class MatchText {
  readonly text: string;
  #steps = 0;
  #lowerCase: string | undefined;
  #points: Uint32Array | undefined;
  #positions: ReadonlyMap<number, number[]> | undefined;
  readonly #bits = new Map<number, Uint32Array>();
  #parts: readonly MatchText[] | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** Comparisons of characters, operations on words of 32 positions, and indexed positions. */
  get steps(): number {
    return (this.#parts ?? []).reduce((total, part) => total + part.steps, this.#steps);
  }

  /** Adds steps to the count. */
  spend(steps: number): void {
    this.#steps += steps;
  }

  get lowerCase(): string {
    if (this.#lowerCase === undefined) {
      this.#lowerCase = this.text.toLowerCase();
      this.spend(this.text.length);
    }
    return this.#lowerCase;
  }

  /** Its code points: a wildcard matches characters, not halves of surrogate pairs. */
  get points(): Uint32Array {
    if (this.#points === undefined) {
      this.#points = codePoints(this.text);
      this.spend(this.text.length);
    }
    return this.#points;
  }

  /** The text split at its first colons, into at most `count` parts; every call passes the same count. */
  parts(count: number): readonly MatchText[] {
    this.#parts ??= splitAtColons(this.text, count).map((part) => new MatchText(part));
    return this.#parts;
  }

  /** The positions of a character; undefined if it does not occur. */
  occurrences(point: number): Occurrences | undefined {
    const positions = this.#index().get(point);
    if (positions === undefined) return undefined;
    // At most 32 characters can be this frequent, so their sets take no more memory than the text.
    return { positions, bits: positions.length * WORD < this.points.length ? undefined : this.#set(point, positions) };
  }

  #index(): ReadonlyMap<number, number[]> {
    if (this.#positions !== undefined) return this.#positions;
    const index = new Map<number, number[]>();
    for (const [position, point] of this.points.entries()) {
      const known = index.get(point);
      if (known === undefined) index.set(point, [position]);
      else known.push(position);
    }
    this.spend(this.points.length);
    this.#positions = index;
    return index;
  }

  #set(point: number, positions: readonly number[]): Uint32Array {
    const known = this.#bits.get(point);
    if (known !== undefined) return known;
    const bits = new Uint32Array(Math.ceil(this.points.length / WORD) + 1);
    for (const position of positions) bits[position >>> 5] = (bits[position >>> 5] ?? 0) | (1 << (position & 31));
    this.spend(positions.length + bits.length);
    this.#bits.set(point, bits);
    return bits;
  }
}

/** Splits a text at its first colons, into at most `count` parts. */
export function splitAtColons(text: string, count: number): string[] {
  const pieces: string[] = [];
  let start = 0;
  while (pieces.length < count - 1) {
    const colon = text.indexOf(":", start);
    if (colon < 0) break;
    pieces.push(text.slice(start, colon));
    start = colon + 1;
  }
  return [...pieces, text.slice(start)];
}

function codePoints(text: string): Uint32Array {
  const points = new Uint32Array(text.length);
  let length = 0;
  for (const character of text) {
    points[length] = character.codePointAt(0) ?? 0;
    length += 1;
  }
  return points.subarray(0, length);
}
