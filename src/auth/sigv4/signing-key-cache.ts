// Remembers signing keys between requests: as many as it was allowed, forgetting the one unused for longest.

/** A bounded map of keys by name. */
export class SigningKeyCache {
  readonly #limit: number;
  // A Map keeps the order of insertion, so the first entry is the one unused for longest.
  readonly #keys = new Map<string, CryptoKey>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** The key of a name, which counts as used. */
  get(name: string): CryptoKey | undefined {
    const key = this.#keys.get(name);
    if (key !== undefined) this.put(name, key);
    return key;
  }

  /** Remembers a key, at the cost of the one unused for longest. */
  put(name: string, key: CryptoKey): void {
    this.#keys.delete(name);
    this.#keys.set(name, key);
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= this.#limit) return;
      this.#keys.delete(oldest);
    }
  }
}
