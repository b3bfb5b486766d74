// Tasks in the order of their arrival for each key, side by side for different keys. In memory: it gives order and
// spares contention; safety is the commit guard's.

/** A queue per key, and what the last task in it left behind for the next. */
export class KeyedQueue<Trace> {
  readonly #tails = new Map<string, Promise<void>>();
  readonly #traces = new Map<string, Trace>();

  /** Runs a task when every earlier task on any of its keys has ended. */
  async run<Result>(keys: readonly string[], task: () => Promise<Result>): Promise<Result> {
    // Taking all places before the first await is what rules out deadlock between tasks on several keys.
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
          this.#traces.delete(key);
        }
      }
      resolve();
    }
  }

  /** What a task left for the key's next task; gone once nobody waits for the key. */
  cachedHeadOf(key: string): Trace | undefined {
    return this.#traces.get(key);
  }

  /** Leaves a trace for the key's next task. */
  cacheHead(key: string, trace: Trace): void {
    this.#traces.set(key, trace);
  }

  /** Takes the key's trace away: what it said is in doubt. */
  dropCachedHead(key: string): void {
    this.#traces.delete(key);
  }
}
