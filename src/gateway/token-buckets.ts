// Token buckets of one isolate, by name. Each fills at its rate, up to the tokens of one second; a debt is a negative
// level. The table is bounded: full token buckets are removed, and beyond the bound the least recently used one.

interface Level {
  tokens: number;
  /** When `tokens` was right, in milliseconds since the epoch. */
  at: number;
}

export class TokenBuckets {
  // The order of insertion is that of the last use.
  readonly #levels = new Map<string, Level>();
  readonly #maxEntries: number;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#levels.size;
  }

  /**
   * Milliseconds until the bucket has this many tokens; 0: it has them.
   * @param rate tokens a second
   * @param now milliseconds since the epoch
   */
  waitFor(name: string, rate: number, needed: number, now: number): number {
    const level = this.#levels.get(name);
    if (level === undefined) return 0;
    this.#levels.delete(name);
    this.#levels.set(name, level);
    const missing = Math.min(needed, rate) - fill(level, rate, now);
    return missing <= 0 ? 0 : (missing / rate) * 1000;
  }

  /** Takes tokens, even more than there are. A negative number returns them. */
  take(name: string, rate: number, count: number, now: number): void {
    const level = this.#levels.get(name) ?? { tokens: rate, at: now };
    level.tokens = Math.min(rate, fill(level, rate, now) - count);
    this.#levels.delete(name);
    if (level.tokens >= rate) return;
    this.#levels.set(name, level);
    if (this.#levels.size > this.#maxEntries) this.#evict();
  }

  #evict(): void {
    for (const name of this.#levels.keys()) {
      this.#levels.delete(name);
      return;
    }
  }
}

/** Fills a bucket for the time since it was last filled. A clock that went back fills nothing, and is followed. */
function fill(level: Level, rate: number, now: number): number {
  const elapsed = Math.max(0, now - level.at);
  level.tokens = Math.min(rate, level.tokens + (elapsed / 1000) * rate);
  level.at = now;
  return level.tokens;
}
