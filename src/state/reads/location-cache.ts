// Values cached in this location by the Cache API, each with the time at which it was read. Where the Cache API does not
// work, nothing is cached.

import type { KeepAlive } from "../d1/shared-reads.ts";
import { Flights } from "./flights.ts";

/** A value and when it was read from D1, in milliseconds since the epoch. */
export interface Dated<Value> {
  readonly readAt: number;
  readonly value: Value;
}

/** Changes with the form of the values, so that a new release reads no value of an old one. */
const FORMAT = "delivery-1";
const ORIGIN = "https://delivery.cairn.internal/";

/** What requests of this isolate are reading from D1, or have just read. */
const READS = new Flights<ReadonlyMap<string, Dated<unknown>>>(1000, 1000);

/** A cache of JSON values by path, for one request. */
export class LocationCache {
  /** What this request has stored: it need not ask the cache, nor D1 where the cache does not work. */
  readonly #stored = new Map<string, Dated<unknown>>();
  /** The paths of the values that this request has read itself. */
  readonly #own = new Set<string>();
  readonly #name: string;
  readonly #keepAlive: KeepAlive;
  #cache: Promise<Cache> | undefined;

  /**
   * @param namespace caches with different namespaces share nothing, as those of different locations
   * @param keepAlive lets values be stored after the response
   */
  constructor(namespace: string, keepAlive: KeepAlive) {
    this.#name = `${namespace}-${FORMAT}`;
    this.#keepAlive = keepAlive;
  }

  /** The name of a path that differs between locations, for what an isolate remembers of it. */
  nameOf(path: string): string {
    return `${this.#name}\n${path}`;
  }

  /** Undefined if the location has no such value. */
  // The writer and the reader of a path agree on its type.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  async get<Value>(path: string): Promise<Dated<Value> | undefined> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const stored = this.#stored.get(path) as Dated<Value> | undefined;
    if (stored !== undefined) return stored;
    try {
      const response = await (await this.#open()).match(ORIGIN + path);
      return response === undefined ? undefined : await response.json<Dated<Value>>();
    } catch {
      return undefined;
    }
  }

  /** Whether this request has read the value itself, so that it is current however briefly it may be cached. */
  hasRead(path: string): boolean {
    return this.#own.has(path);
  }

  /**
   * Reads values from D1 and stores them, once for concurrent requests of this isolate.
   * @param name what is read
   * @param find finds the result in this cache, which then has what another request has read
   * @param read reads it from D1 and stores it
   */
  async readOnce<Found>(
    name: string,
    find: () => Promise<Found | undefined>,
    read: () => Promise<Found>,
  ): Promise<Found> {
    const flight = this.nameOf(name);
    const others = (await READS.follow(flight))?.of;
    if (others !== undefined) {
      for (const [path, dated] of others) this.#stored.set(path, dated);
      return (await find()) ?? read();
    }
    let own: { readonly of: Found } | undefined;
    await READS.lead(flight, this.#keepAlive, async () => {
      own = { of: await read() };
      return this.#stored;
    });
    return own === undefined ? read() : own.of;
  }

  /** Stores a value that this request has read, for this time at most. The cache has it shortly after, this request at once. */
  put(path: string, dated: Dated<unknown>, keepMs: number): void {
    this.#stored.set(path, dated);
    this.#own.add(path);
    const seconds = Math.ceil(keepMs / 1000);
    if (seconds > 0) this.#keepAlive(this.#put(path, dated, seconds));
  }

  async #put(path: string, dated: Dated<unknown>, seconds: number): Promise<void> {
    const headers = { "content-type": "application/json", "cache-control": `max-age=${seconds}` };
    try {
      await (await this.#open()).put(ORIGIN + path, new Response(JSON.stringify(dated), { headers }));
    } catch {
      // The next request reads D1 again.
    }
  }

  async delete(path: string): Promise<void> {
    this.#stored.delete(path);
    this.#own.delete(path);
    READS.discardWhere((stored) => stored.has(path));
    try {
      await (await this.#open()).delete(ORIGIN + path);
    } catch {
      // Nothing is cached here.
    }
  }

  async #open(): Promise<Cache> {
    this.#cache ??= caches.open(this.#name);
    return this.#cache;
  }
}

/** The path of a bucket's facts. */
export function bucketPath(bucketName: string): string {
  return `buckets/${segment(bucketName)}`;
}

/** The path of the facts of the bucket that a host delivers. */
export function hostPath(host: string): string {
  return `hosts/${segment(host)}`;
}

/** The path of an object's facts. The bucket's id and epoch are part of it, so a purge and a new bucket change it. */
export function objectPath(bucketId: string, epoch: number, key: string): string {
  return `objects/${bucketId}/${epoch}/${segment(key)}`;
}

/** One segment of a URL's path. The letter before it keeps `..` from being resolved. */
function segment(text: string): string {
  return `_${encodeURIComponent(text)}`;
}
