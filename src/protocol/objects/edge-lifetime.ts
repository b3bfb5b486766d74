// How long a delivery host may answer from cached metadata, by the object's own Cache-Control and Expires.
// https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2, RFC 5861, RFC 8246
import { parseHttpDate } from "../../bytes/dates.ts";

/** How long a cached answer is used: fresh, then stale while it is read again. */
export interface Lifetime {
  readonly freshMs: number;
  readonly staleMs: number;
}

export const NOT_CACHED: Lifetime = { freshMs: 0, staleMs: 0 };

const YEAR_SECONDS = 365 * 24 * 3600;

/**
 * The lifetime of an object's metadata.
 * @param fallback the lifetime of objects whose headers contain none
 */
export function edgeLifetime(
  systemMetadata: Readonly<Record<string, string>>,
  fallback: Lifetime,
  now: number,
): Lifetime {
  const directives = parseCacheControl(systemMetadata["cache-control"] ?? "");
  if (["no-store", "private", "no-cache"].some((name) => directives.has(name))) return NOT_CACHED;
  const fresh = secondsOf(directives, "s-maxage") ?? secondsOf(directives, "max-age");
  const expires = systemMetadata["expires"];
  if (fresh === undefined && expires !== undefined) {
    const time = parseHttpDate(expires);
    return time === undefined || time <= now
      ? NOT_CACHED
      : { freshMs: Math.min(time - now, YEAR_SECONDS * 1000), staleMs: 0 };
  }
  if (fresh === undefined) return fallback;
  const forbidsStale = ["must-revalidate", "proxy-revalidate", "immutable"].some((name) => directives.has(name));
  const stale = forbidsStale ? 0 : (secondsOf(directives, "stale-while-revalidate") ?? 0);
  return fresh === 0 && stale === 0 ? NOT_CACHED : { freshMs: fresh * 1000, staleMs: stale * 1000 };
}

/** Directives by lower-case name; the first of a repeated one counts. */
function parseCacheControl(text: string): ReadonlyMap<string, string> {
  const directives = new Map<string, string>();
  for (const part of text.split(",")) {
    const [, name, value = ""] = /^\s*([\w-]+)\s*(?:=\s*"?([^"]*?)"?\s*)?$/.exec(part) ?? [];
    if (name !== undefined && !directives.has(name.toLowerCase())) directives.set(name.toLowerCase(), value);
  }
  return directives;
}

/** A malformed number is 0, which is the safe one. */
function secondsOf(directives: ReadonlyMap<string, string>, name: string): number | undefined {
  const value = directives.get(name);
  if (value === undefined) return undefined;
  return /^\d+$/.test(value) ? Math.min(Number(value), YEAR_SECONDS) : 0;
}
