// Figures and their upper bounds: prints each figure and counts those above their bound.

/** A number as people read it. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export class Checks {
  failed = 0;
  #passed = 0;
  readonly #name: string;

  /** @param name of the bench, for its last line */
  constructor(name: string) {
    this.#name = name;
  }

  /** @param unit after the figures */
  atMost(name: string, value: number, most: number, unit = ""): void {
    this.#report(value <= most, `${name}: ${figure(value)} ${unit}`.trimEnd(), `at most ${figure(most)}`);
  }

  exactly(name: string, value: number, expected: number): void {
    this.#report(value === expected, `${name}: ${figure(value)}`, `exactly ${figure(expected)}`);
  }

  /** The last line. */
  summary(): string {
    return `${this.#name}: ${this.#passed} passed, ${this.failed} failed`;
  }

  #report(isFine: boolean, what: string, bound: string): void {
    if (isFine) this.#passed += 1;
    else this.failed += 1;
    console.log(`${isFine ? "ok  " : "FAIL"} ${what} (${bound})`);
  }
}

function figure(value: number): string {
  return Number.isInteger(value) || value >= 100 ? count(value) : value.toPrecision(3);
}
