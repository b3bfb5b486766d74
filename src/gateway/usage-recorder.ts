// Counts requests in the isolate and adds the counts to the database in the background, once per interval. A crash loses
// what one isolate has counted since its last addition. An addition whose answer is lost is repeated and counts once.
import { randomDigits } from "../bytes/random-id.ts";
import { requestClassOf } from "../protocol/core/request-class.ts";
import { dayOf } from "../protocol/core/usage-days.ts";
import type { Database } from "../state/d1/database.ts";
import {
  addRequestUsage,
  type CountedRequests,
  type OperationCount,
  type UsageCount,
} from "../state/metadata/request-usage.ts";

/** A request to count. */
export interface CountedRequest {
  /** When it began, in milliseconds since the epoch. */
  readonly at: number;
  readonly operation: string;
  /** Undefined: none, or one that does not exist. */
  readonly bucket: { readonly id: string; readonly name: string } | undefined;
  /** Undefined: no verified credentials. */
  readonly accessKeyId: string | undefined;
  readonly status: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly milliseconds: number;
}

type Changing<T> = { -readonly [K in keyof T]: T[K] extends object ? Changing<T[K]> : T[K] };

// Beyond this, further buckets and keys of an interval are counted together.
const MAX_ENTRIES = 2000;
const WRITER_DIGITS = 20;
/** The additions of one flush: one that was not confirmed, what was counted since, and what was counted meanwhile. */
const MAX_TURNS = 3;
// The runtime ends background work after 30 seconds, and then nothing reports its end.
const OVERDUE_MS = 60_000;

/** The counts of one isolate for one database. */
class UsageRecorder {
  #usage = new Map<string, Changing<UsageCount>>();
  #operations = new Map<string, Changing<OperationCount>>();
  /** An addition that failed, or whose outcome is unknown. */
  #unconfirmed: CountedRequests | undefined;
  #sequence = 1;
  /** When a flush was scheduled that has not ended, in milliseconds since the epoch. */
  #scheduledAt: number | undefined;
  // An isolate has no random numbers before its first request.
  #writer: string | undefined;

  /** Counts a request. Returns whether the caller must schedule {@link flush}. */
  count(request: CountedRequest): boolean {
    const { operation, status, bytesIn, bytesOut, milliseconds } = request;
    const usage = this.#usageOf(request);
    usage.requests[requestClassOf(operation)] += 1;
    if (status >= 400) usage.errors += 1;
    usage.bytesIn += bytesIn;
    usage.bytesOut += bytesOut;
    const total = this.#totalOf(operation, `${Math.floor(status / 100)}xx`);
    total.requests += 1;
    total.bytesIn += bytesIn;
    total.bytesOut += bytesOut;
    total.milliseconds += milliseconds;
    const now = Date.now();
    if (this.#scheduledAt !== undefined && now - this.#scheduledAt < OVERDUE_MS) return false;
    this.#scheduledAt = now;
    return true;
  }

  /** Adds the counts to the database after a pause. Never rejects. */
  async flush(database: Pick<Database, "batch">, pauseMs: number): Promise<void> {
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    try {
      for (let turn = 0; turn < MAX_TURNS && this.#hasCounts(); turn += 1) await this.#add(database);
    } catch (error) {
      // The next request's flush repeats it. No request may fail because it could not be counted.
      const message = error instanceof Error ? error.message : String(error);
      console.warn(JSON.stringify({ level: "warn", message: "usage was not recorded", error: message }));
    } finally {
      this.#scheduledAt = undefined;
    }
  }

  #hasCounts(): boolean {
    return this.#unconfirmed !== undefined || this.#usage.size > 0;
  }

  async #add(database: Pick<Database, "batch">): Promise<void> {
    const counted = this.#unconfirmed ?? this.#take();
    this.#unconfirmed = counted;
    this.#writer ??= randomDigits(WRITER_DIGITS);
    const sequence = this.#sequence;
    await database.batch(addRequestUsage(counted, { writer: this.#writer, sequence, at: Date.now() }));
    this.#unconfirmed = undefined;
    this.#sequence = sequence + 1;
  }

  #take(): CountedRequests {
    const counted = { usage: Array.from(this.#usage.values()), operations: Array.from(this.#operations.values()) };
    this.#usage = new Map();
    this.#operations = new Map();
    return counted;
  }

  #usageOf({ at, bucket, accessKeyId }: CountedRequest): Changing<UsageCount> {
    const day = dayOf(at);
    const isFull = this.#usage.size >= MAX_ENTRIES;
    const bucketId = isFull ? "" : (bucket?.id ?? "");
    const key = isFull ? "" : (accessKeyId ?? "");
    const name = `${day} ${bucketId} ${key}`;
    const known = this.#usage.get(name) ?? {
      day,
      bucketId,
      bucketName: isFull ? "" : (bucket?.name ?? ""),
      accessKeyId: key,
      requests: { A: 0, B: 0, free: 0 },
      errors: 0,
      bytesIn: 0,
      bytesOut: 0,
    };
    this.#usage.set(name, known);
    return known;
  }

  #totalOf(operation: string, status: string): Changing<OperationCount> {
    const name = `${operation} ${status}`;
    const known = this.#operations.get(name) ?? {
      operation,
      status,
      requests: 0,
      bytesIn: 0,
      bytesOut: 0,
      milliseconds: 0,
    };
    this.#operations.set(name, known);
    return known;
  }
}

// A binding exists as long as its isolate.
const RECORDERS = new WeakMap<object, UsageRecorder>();

/** The isolate's recorder for a database. */
export function usageRecorderOf(d1: object): UsageRecorder {
  const known = RECORDERS.get(d1) ?? new UsageRecorder();
  RECORDERS.set(d1, known);
  return known;
}
