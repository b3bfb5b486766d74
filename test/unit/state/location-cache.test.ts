import { describe, expect, it } from "vitest";

import { bucketPath, hostPath, LocationCache, objectPath } from "../../../src/state/reads/location-cache.ts";

const KEYS = [
  "..",
  ".",
  "...",
  "a/..",
  "a/../b",
  "%2e%2e",
  "a",
  "A",
  "a ",
  "a+",
  "\u00e9",
  "e\u0301",
  "?",
  "#",
  "\\",
  "//",
  "/",
  "a?b",
];

/** The cache of one request, and the end of its background work. */
function requestCache(namespace = "cairn-blobs"): {
  readonly cache: LocationCache;
  readonly ended: () => Promise<unknown>;
} {
  const works: Promise<unknown>[] = [];
  return { cache: new LocationCache(namespace, (work) => works.push(work)), ended: async () => Promise.all(works) };
}

describe("the paths of cached values", () => {
  it("stay distinct when a URL resolves them: keys, epochs, buckets and hosts", () => {
    const paths = [
      ...KEYS.flatMap((key) => [objectPath("b1", 0, key), objectPath("b1", 1, key), objectPath("b2", 0, key)]),
      ...["..", "x", "../objects/b1/0/a"].flatMap((name) => [bucketPath(name), hostPath(name)]),
    ];
    const resolved = paths.map((path) => new URL(path, "https://cache.example/").href);
    expect(new Set(resolved).size).toBe(paths.length);
    expect(resolved).toEqual(paths.map((path) => `https://cache.example/${path}`));
  });
});

describe("the cache", () => {
  it("returns values to later requests until they are deleted", async () => {
    const path = bucketPath(crypto.randomUUID());
    const writer = requestCache();
    writer.cache.put(path, { readAt: 5, value: { a: 1 } }, 60_000);
    await writer.ended();
    const { cache } = requestCache();
    expect(await cache.get(path)).toEqual({ readAt: 5, value: { a: 1 } });
    await cache.delete(path);
    expect(await requestCache().cache.get(path)).toBeUndefined();
  });

  it("keeps a value that may not be cached for the same request only", async () => {
    const path = bucketPath(crypto.randomUUID());
    const { cache, ended } = requestCache();
    cache.put(path, { readAt: 5, value: null }, 0);
    await ended();
    expect(await cache.get(path)).toEqual({ readAt: 5, value: null });
    expect(await requestCache().cache.get(path)).toBeUndefined();
  });

  it("shares no value and no read with another namespace", async () => {
    const path = bucketPath(crypto.randomUUID());
    const [here, there] = [requestCache(), requestCache("elsewhere")];
    const read = (cache: LocationCache, value: string) => async () => {
      cache.put(path, { readAt: 5, value }, 60_000);
      return value;
    };
    const find = (cache: LocationCache) => async () => (await cache.get<string>(path))?.value;
    const found = [here.cache, there.cache].map(async (cache, index) =>
      cache.readOnce(path, find(cache), read(cache, `value ${index}`)),
    );
    expect(await Promise.all(found)).toEqual(["value 0", "value 1"]);
    await Promise.all([here.ended(), there.ended()]);
    expect((await requestCache().cache.get(path))?.value).toBe("value 0");
    expect((await requestCache("elsewhere").cache.get(path))?.value).toBe("value 1");
  });
});
