// The headers of a request in a map. A request is asked for dozens of headers, and each call of a method of the runtime's
// Headers costs more than all that this map does.

/** Reads headers: what a request's may be asked. The runtime's own Headers are such headers too. */
export type ReadableHeaders = Pick<Headers, "get" | "has" | "keys"> & Iterable<[name: string, value: string]>;

export class SentHeaders implements ReadableHeaders {
  /** By lower-case name. */
  readonly #values: ReadonlyMap<string, string>;

  /** @param replaced other values of headers by lower-case name; undefined leaves one out */
  constructor(headers: Headers, replaced: Readonly<Record<string, string | undefined>> = {}) {
    // The runtime gives names in lower case, and joins the values of a name that was sent more than once.
    const values = new Map(headers);
    for (const [name, value] of Object.entries(replaced)) {
      if (value === undefined) values.delete(name);
      else values.set(name, value);
    }
    this.#values = values;
  }

  /** The value of a header; the name may be in any case. */
  get(name: string): string | null {
    return this.#values.get(name) ?? this.#values.get(name.toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(name) || this.#values.has(name.toLowerCase());
  }

  keys(): MapIterator<string> {
    return this.#values.keys();
  }

  [Symbol.iterator](): MapIterator<[name: string, value: string]> {
    return this.#values[Symbol.iterator]();
  }
}
