// A set of texts and patterns with one `*` each. A lookup tries each length that a pattern's start has, so its cost
// depends on these lengths and not on the number of patterns.

/** The ends of the patterns that share a start. */
interface Endings {
  readonly texts: Set<string>;
  readonly lengths: Set<number>;
}

/** Texts and patterns in which one `*` matches any run of characters. */
export class WildcardSet {
  readonly #exact = new Set<string>();
  readonly #endings = new Map<string, Endings>();
  readonly #lengths: readonly number[];
  #isAny = false;
  #steps = 0;

  constructor(patterns: Iterable<string>) {
    const lengths = new Set<number>();
    for (const pattern of patterns) {
      const star = pattern.indexOf("*");
      if (star < 0) this.#exact.add(pattern);
      else if (pattern === "*") this.#isAny = true;
      else {
        this.#addEnding(pattern.slice(0, star), pattern.slice(star + 1));
        lengths.add(star);
      }
    }
    this.#lengths = Array.from(lengths).toSorted((one, other) => one - other);
  }

  /** The number of lookups so far, for tests of the cost. */
  get steps(): number {
    return this.#steps;
  }

  /** Whether a text is in the set or matches one of its patterns. */
  has(text: string): boolean {
    this.#steps += 1;
    return this.#isAny || this.#exact.has(text) || this.#lengths.some((length) => this.#fits(text, length));
  }

  #fits(text: string, length: number): boolean {
    this.#steps += 1;
    if (length > text.length) return false;
    const endings = this.#endings.get(text.slice(0, length));
    if (endings === undefined) return false;
    for (const ending of endings.lengths) {
      this.#steps += 1;
      if (length + ending <= text.length && endings.texts.has(text.slice(text.length - ending))) return true;
    }
    return false;
  }

  #addEnding(beginning: string, ending: string): void {
    const known = this.#endings.get(beginning) ?? { texts: new Set(), lengths: new Set() };
    known.texts.add(ending);
    known.lengths.add(ending.length);
    this.#endings.set(beginning, known);
  }
}
