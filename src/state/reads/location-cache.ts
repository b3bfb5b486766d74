// Values cached in this location by the Cache API, each with the time at which it was read. Where the Cache API does not
// work, nothing is cached.

/** A value and when it was read from D1, in milliseconds since the epoch. */
export interface Dated<Value> {
  readonly readAt: number;
  readonly value: Value;
}

/** Changes with the form of the values, so that a new release reads no value of an old one. */
const CACHE_NAME = "cairn-delivery-1";
const ORIGIN = "https://delivery.cairn.internal/";

/** A cache of JSON values by path, for one request. */
export class LocationCache {
  /** What this request has stored: it need not ask the cache, nor D1 where the cache does not work. */
  readonly #stored = new Map<string, Dated<unknown>>();
  #cache: Promise<Cache> | undefined;

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

  /** Stores a value for this time at most. */
  async put(path: string, dated: Dated<unknown>, keepMs: number): Promise<void> {
    this.#stored.set(path, dated);
    const seconds = Math.ceil(keepMs / 1000);
    if (seconds <= 0) return;
    const headers = { "content-type": "application/json", "cache-control": `max-age=${seconds}` };
    try {
      await (await this.#open()).put(ORIGIN + path, new Response(JSON.stringify(dated), { headers }));
    } catch {
      // The next request reads D1 again.
    }
  }

  async delete(path: string): Promise<void> {
    this.#stored.delete(path);
    try {
      await (await this.#open()).delete(ORIGIN + path);
    } catch {
      // Nothing is cached here.
    }
  }

  async #open(): Promise<Cache> {
    this.#cache ??= caches.open(CACHE_NAME);
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
