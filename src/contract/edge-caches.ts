// Selects the edge cache of a request by the settings and by the request's host.
import { deriveBytes } from "../bytes/derived-keys.ts";
import { toHex } from "../bytes/hex-base64.ts";
import { utf8 } from "../bytes/text.ts";
import type { Settings } from "../config/settings.ts";
import { CacheApi } from "../state/blobs/cache-api.ts";
import type { EdgeCache } from "../state/blobs/edge-cache.ts";
import { WorkersCache, type CachedEntrypoint } from "../state/blobs/workers-cache.ts";

/** The secret path of a deployment's entries. Derived once: the settings live as long as the isolate. */
const PATHS = new WeakMap<Settings, string>();

/** The cache of the last request's host. Most requests have the same host, and parsing a URL costs more than the lookup. */
const LAST = new WeakMap<Settings, { readonly origin: string; readonly cache: EdgeCache | undefined }>();

/** On workers.dev the Cache API neither stores nor finds anything. */
const WITHOUT_CACHE_API = /\.workers\.dev\.?$/i;

/**
 * @param url the request's
 * @param entrypoint returns the entrypoint behind Workers Cache; undefined if the runtime does not have it
 * @returns undefined if nothing is cached
 */
export async function edgeCacheOf(
  settings: Settings,
  url: string,
  entrypoint: () => CachedEntrypoint | undefined,
): Promise<EdgeCache | undefined> {
  const { edgeCache, edgeCacheNamespace: namespace, edgeCachePieceBytes: pieceBytes, domains } = settings;
  const maxAge = entryLifetime(settings);
  if (edgeCache === "workers-cache") {
    const found = entrypoint();
    return found && new WorkersCache(found, { namespace, base: "", maxAge, pieceBytes });
  }
  if (edgeCache === "off") return undefined;
  const origin = originOf(url);
  const last = LAST.get(settings);
  if (last !== undefined && last.origin === origin) return last.cache;
  if (!URL.canParse(url)) return undefined;
  // A dot at the end of a host means the same host.
  const hostname = new URL(url).hostname.replace(/\.$/, "");
  if (WITHOUT_CACHE_API.test(hostname)) {
    LAST.set(settings, { origin, cache: undefined });
    return undefined;
  }
  // The platform advises to name entries by a host of the Worker's own zone. One host serves all bucket subdomains.
  const path = PATHS.get(settings) ?? (await secretPath(settings));
  PATHS.set(settings, path);
  const cache = new CacheApi({ namespace, base: `https://${domains[0] ?? hostname}/${path}/`, maxAge, pieceBytes });
  LAST.set(settings, { origin, cache });
  return cache;
}

/** The URL up to its path. */
function originOf(url: string): string {
  const path = url.indexOf("/", url.indexOf("://") + 3);
  return path < 0 ? url : url.slice(0, path);
}

/**
 * The lifetime of an entry in seconds: the recovery window. A blob that loses its last reference stays in the blob store
 * for that long, so that no entry outlives its blob.
 */
export function entryLifetime({ recoveryWindowMs }: Pick<Settings, "recoveryWindowMs">): number {
  return recoveryWindowMs / 1000;
}

async function secretPath({ masterKeys, root }: Settings): Promise<string> {
  const secret = masterKeys[0] ?? root?.secretAccessKey ?? "";
  return toHex((await deriveBytes(utf8(secret), new Uint8Array(), "edge cache entries")).subarray(0, 16));
}
