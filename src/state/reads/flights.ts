// Shares work among concurrent requests of an isolate: one does it, and the others wait. A waiting request has a timer of
// its own, and does the work itself if the other one fails, is ended by the runtime or takes too long.
import { WAKES_OTHER_REQUESTS, type KeepAlive } from "../d1/shared-reads.ts";

/** The request that does the work may have been ended. */
const MAX_WAIT_MS = 1000;
const POLL_MS = 1;

interface Flight<Value> {
  readonly beganAt: number;
  endedAt: number | undefined;
  value: { readonly of: Value } | undefined;
  readonly wakes: (() => void)[];
}

/** Work in progress by key, and work that has just ended. */
export class Flights<Value> {
  readonly #flights = new Map<string, Flight<Value>>();
  readonly #lingerMs: number;
  readonly #maxEntries: number;

  /**
   * @param lingerMs how long a result is returned to requests that come just after the work
   * @param maxEntries the least recent ones are discarded
   */
  constructor(lingerMs: number, maxEntries: number) {
    this.#lingerMs = lingerMs;
    this.#maxEntries = maxEntries;
  }

  /** Waits for the result of another request; undefined if the caller has to do the work. */
  async follow(key: string): Promise<{ readonly of: Value } | undefined> {
    const flight = this.#flights.get(key);
    if (flight === undefined) return undefined;
    while (flight.endedAt === undefined) {
      const leftMs = flight.beganAt + MAX_WAIT_MS - Date.now();
      if (leftMs <= 0) return undefined;
      await newsOf(flight, leftMs);
    }
    const ago = Date.now() - flight.endedAt;
    return ago >= 0 && ago <= this.#lingerMs ? flight.value : undefined;
  }

  /**
   * Does the work for all that wait.
   * @param keepAlive lets it end if this request's client leaves
   */
  async lead(key: string, keepAlive: KeepAlive, work: () => Promise<Value>): Promise<Value> {
    const flight: Flight<Value> = { beganAt: Date.now(), endedAt: undefined, value: undefined, wakes: [] };
    this.discard(key);
    this.#flights.set(key, flight);
    const [oldest] = this.#flights.keys();
    if (this.#flights.size > this.#maxEntries && oldest !== undefined) this.#flights.delete(oldest);
    const working = this.#work(key, flight, work);
    keepAlive(working.catch(() => undefined));
    return working;
  }

  /** Forbids later requests the result of this key. */
  discard(key: string): void {
    this.#flights.delete(key);
  }

  /** Forbids later requests the results that fulfil a condition, and those of work in progress. */
  discardWhere(isMeant: (value: Value) => boolean): void {
    for (const [key, { value }] of this.#flights) if (value === undefined || isMeant(value.of)) this.discard(key);
  }

  async #work(key: string, flight: Flight<Value>, work: () => Promise<Value>): Promise<Value> {
    try {
      const value = await work();
      flight.value = { of: value };
      return value;
    } catch (error) {
      if (this.#flights.get(key) === flight) this.discard(key);
      throw error;
    } finally {
      flight.endedAt = Date.now();
      for (const wake of flight.wakes) wake();
    }
  }
}

/** Waits until the work ends, at most for the given time. */
async function newsOf(flight: Flight<unknown>, limitMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, WAKES_OTHER_REQUESTS ? limitMs : Math.min(limitMs, POLL_MS));
  if (WAKES_OTHER_REQUESTS) flight.wakes.push(resolve);
  await promise;
  clearTimeout(timer);
}
