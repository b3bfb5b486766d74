// An in-memory queue that runs the tasks of each key in order of arrival, and tasks of different keys concurrently. It
// only avoids contention: the commit guard provides safety.

/** One queue per key, and the head that the last task of a key cached for the next one. */
export class KeyedQueue<Head> {
  readonly #tails = new Map<string, Promise<void>>();
  readonly #heads = new Map<string, Head>();

  /** Runs a task after all earlier tasks of its keys have ended. */
  async run<Result>(keys: readonly string[], task: () => Promise<Result>): Promise<Result> {
    // Joining all queues before the first await prevents deadlock between tasks of several keys.
    const before = keys.flatMap((key) => this.#tails.get(key) ?? []);
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const key of keys) this.#tails.set(key, promise);
    await Promise.all(before);
    try {
      return await task();
    } finally {
      for (const key of keys) {
        if (this.#tails.get(key) === promise) {
          this.#tails.delete(key);
          this.#heads.delete(key);
        }
      }
      resolve();
    }
  }

  /** Returns the key's cached head. It expires when no task waits for the key. */
  cachedHeadOf(key: string): Head | undefined {
    return this.#heads.get(key);
  }

  /** Caches a head for the key's next task. */
  cacheHead(key: string, head: Head): void {
    this.#heads.set(key, head);
  }

  /** Discards the key's cached head, which may be stale. */
  discardCachedHead(key: string): void {
    this.#heads.delete(key);
  }
}
