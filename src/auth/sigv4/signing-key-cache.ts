// Caches signing keys between requests, up to a limit, and evicts the least recently used.

/** A bounded map of keys by name. */
export class SigningKeyCache {
  readonly #limit: number;
  // A Map keeps the order of insertion, so the first entry is the least recently used.
  readonly #keys = new Map<string, CryptoKey>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** The key of a name, which becomes the most recently used. */
  get(name: string): CryptoKey | undefined {
    const key = this.#keys.get(name);
    if (key !== undefined) this.put(name, key);
    return key;
  }

  /** Stores a key, and evicts the least recently used one beyond the limit. */
  put(name: string, key: CryptoKey): void {
    this.#keys.delete(name);
    this.#keys.set(name, key);
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= this.#limit) return;
      this.#keys.delete(oldest);
    }
  }
}
