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
function requestCache(): { readonly cache: LocationCache; readonly ended: () => Promise<unknown> } {
  const works: Promise<unknown>[] = [];
  return { cache: new LocationCache((work) => works.push(work)), ended: async () => Promise.all(works) };
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
});
