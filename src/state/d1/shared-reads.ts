// Lets the lookups of concurrent requests share round trips to one database. A lookup that finds no batch in flight is
// sent at once. The others wait until that batch returns, or for a few milliseconds, and then leave in one batch. Each
// gets only its own results, and joins only a batch that has not been sent, so it sees every write that was acknowledged
// before it began. See "Shared lookups" in docs/architecture.md.

/** A database of D1, or a session of one. */
export type D1Connection = Pick<D1Database, "prepare" | "batch">;

/** A statement that only reads. */
interface ReadStatement {
  readonly sql: string;
  readonly parameters: readonly (string | number | null)[];
}

/** The results of a lookup, and what its request sent to D1. */
export interface SharedRead {
  readonly results: readonly D1Result[];
  /** The number of statements in each batch that this request sent. Empty if another request sent its lookup. */
  readonly sent: readonly number[];
}

/** Keeps the runtime from ending a request before some work is done. */
export type KeepAlive = (work: Promise<unknown>) => void;

// An invocation on the Free plan may run 50 statements, and the one that sends a batch has others of its own.
const MAX_STATEMENTS = 40;
const MAX_CHARACTERS = 500_000;
// A distant D1 answers later than this, and a longer wait would cost a request more than it saves the database.
const MAX_WAIT_MS = 5;
// The runtime may have ended the request that sent a batch. Those that wait for its results then send their own.
const MAX_FLIGHT_MS = 1000;

/**
 * Whether a promise that another request resolves continues in the context of its own request. Without this behaviour of
 * the runtime, a request looks for news by itself.
 */
export const WAKES_OTHER_REQUESTS = isEnabled("handle_cross_request_promise_resolution");
const POLL_MS = 1;

/** The lookups that wait for one database. */
export class SharedReads {
  readonly #d1: D1Connection;
  #waiting: WaitingRead[] = [];
  /** The batches that have not returned, with the times when they were sent. */
  readonly #flights = new Map<symbol, number>();

  constructor(d1: D1Connection) {
    this.#d1 = d1;
  }

  /**
   * Runs statements that only read.
   * @throws Error from D1 on these statements
   */
  async read(statements: readonly ReadStatement[], keepAlive: KeepAlive): Promise<SharedRead> {
    const own = new WaitingRead(statements);
    const sent: number[] = [];
    this.#waiting.push(own);
    while (own.outcome === undefined) {
      const { sentAt, beganAt } = own;
      const waitedMs = Date.now() - (sentAt ?? beganAt);
      if (sentAt === undefined && (waitedMs >= MAX_WAIT_MS || !this.#isInFlight())) {
        const flight = this.#sendWaiting(sent);
        // The client of this request may go away, and the others still need their results.
        keepAlive(flight);
        await flight;
      } else {
        const limitMs = sentAt === undefined ? MAX_WAIT_MS : MAX_FLIGHT_MS;
        if (sentAt !== undefined && waitedMs >= limitMs) break;
        await own.news(limitMs - waitedMs);
      }
    }
    if (own.outcome !== undefined && "results" in own.outcome) return { results: own.outcome.results, sent };
    if (own.outcome?.isOwn === true) throw own.outcome.failure;
    // A statement of another request failed the batch, or the request that sent it was ended.
    sent.push(statements.length);
    return { results: await this.#run(statements), sent };
  }

  #isInFlight(): boolean {
    const earliest = Date.now() - MAX_FLIGHT_MS;
    for (const [flight, sentAt] of this.#flights) if (sentAt < earliest) this.#flights.delete(flight);
    return this.#flights.size > 0;
  }

  /** Sends what waits in one batch, oldest first. Never rejects. */
  async #sendWaiting(sent: number[]): Promise<void> {
    const reads = this.#takeWaiting();
    const statements = reads.flatMap((read) => read.statements);
    const flight = Symbol("flight");
    const now = Date.now();
    for (const read of reads) read.sentAt = now;
    this.#flights.set(flight, now);
    sent.push(statements.length);
    try {
      const results = await this.#run(statements);
      let next = 0;
      for (const read of reads) {
        const end = next + read.statements.length;
        read.finish({ results: results.slice(next, end) });
        next = end;
      }
    } catch (failure) {
      for (const read of reads) read.finish({ failure, isOwn: reads.length === 1 });
    }
    this.#flights.delete(flight);
    // One suffices: it sends for all. If its request has ended, the next one's wait is over soon.
    this.#waiting[0]?.wake();
  }

  /** Takes the oldest waiting reads that fit into one batch, at least one. */
  #takeWaiting(): readonly WaitingRead[] {
    let statements = 0;
    let characters = 0;
    const end = this.#waiting.findIndex((read, index) => {
      statements += read.statements.length;
      characters += read.characters;
      return index > 0 && (statements > MAX_STATEMENTS || characters > MAX_CHARACTERS);
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  async #run(statements: readonly ReadStatement[]): Promise<readonly D1Result[]> {
    return this.#d1.batch(statements.map(({ sql, parameters }) => this.#d1.prepare(sql).bind(...parameters)));
  }
}

type Outcome =
  | { readonly results: readonly D1Result[] }
  /** Whether the failed batch had no other lookup. */
  | { readonly failure: unknown; readonly isOwn: boolean };

/** The lookup of one request. Other requests send it and finish it. */
class WaitingRead {
  readonly statements: readonly ReadStatement[];
  readonly beganAt = Date.now();
  /** When it was sent; undefined while it waits. */
  sentAt: number | undefined;
  outcome: Outcome | undefined;
  #wake: (() => void) | undefined;

  constructor(statements: readonly ReadStatement[]) {
    this.statements = statements;
  }

  get characters(): number {
    return this.statements.reduce(
      (sum, { sql, parameters }) =>
        sum + sql.length + parameters.reduce<number>((length, value) => length + String(value).length, 0),
      0,
    );
  }

  finish(outcome: Outcome): void {
    this.outcome = outcome;
    this.wake();
  }

  wake(): void {
    this.#wake?.();
  }

  /** Waits until another request wakes this one, at most for the given time. */
  async news(limitMs: number): Promise<void> {
    // A timer of this request's own also shows the runtime that the request is not stuck.
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, WAKES_OTHER_REQUESTS ? limitMs : Math.min(limitMs, POLL_MS));
    if (WAKES_OTHER_REQUESTS) this.#wake = resolve;
    await promise;
    this.#wake = undefined;
    clearTimeout(timer);
  }
}

/** Whether the runtime has a compatibility flag enabled. */
function isEnabled(flag: string): boolean {
  const runtime: unknown = Reflect.get(globalThis, "Cloudflare");
  if (typeof runtime !== "object" || runtime === null) return false;
  const flags: unknown = Reflect.get(runtime, "compatibilityFlags");
  return typeof flags === "object" && flags !== null && Reflect.get(flags, flag) === true;
}
