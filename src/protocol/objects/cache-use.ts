// Reads from a request's Cache-Control what the edge cache may do for it.

/** `fill` looks up and stores bytes, `consult` only looks them up, `bypass` does neither. */
export type CacheUse = "fill" | "consult" | "bypass";

/** Quoted texts may contain commas and the names of directives. */
const DIRECTIVE = /([^\s,;="]+)(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,;"]*))?/g;

/** `no-store` wins over `no-cache`; all other directives have no effect. */
export function readCacheUse(cacheControl: string | null): CacheUse {
  if (cacheControl === null) return "fill";
  const names = new Set(Array.from(cacheControl.matchAll(DIRECTIVE), ([, name = ""]) => name.toLowerCase()));
  if (names.has("no-store")) return "bypass";
  return names.has("no-cache") ? "consult" : "fill";
}
