// The rate of a transfer: the mean of the last seconds.
const WINDOW_MS = 5000;

export class Rate {
  readonly #points: { readonly at: number; readonly amount: number }[] = [];

  /** Records the total so far. */
  add(at: number, amount: number): void {
    this.#points.push({ at, amount });
    while ((this.#points[0]?.at ?? at) < at - WINDOW_MS) this.#points.shift();
  }

  perSecond(): number {
    const [first, last] = [this.#points[0], this.#points.at(-1)];
    if (first === undefined || last === undefined || last.at === first.at) return 0;
    return Math.max(0, ((last.amount - first.amount) / (last.at - first.at)) * 1000);
  }
}
