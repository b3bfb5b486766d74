// The settings of the edge cache.
import { FORMS, type Setting } from "./setting-checks.ts";

export const EDGE_CACHE_SETTINGS = {
  EDGE_CACHE: {
    default: "cache-api",
    values: ["cache-api", "workers-cache", "off"],
    meaning:
      "Which cache near the readers serves the bytes of objects (docs/edge-cache.md): `cache-api` for the one of each location, `workers-cache` for the tiered one, which `wrangler.toml` must enable, or `off`. Every request still asks the database.",
  },
  EDGE_CACHE_PIECE_MEBIBYTES: {
    default: "4",
    range: [1, 8],
    meaning:
      "Size of the pieces in which the edge cache stores large blobs, in MiB (1 to 8). `npm run bench:cache` compares sizes.",
  },
  SPECULATIVE_READS: {
    default: "true",
    values: ["true", "false"],
    meaning:
      "Whether a GET begins to read the blob that the same caller last found under the key while the database still looks it up (docs/edge-cache.md). Nothing is sent before the database has authorised the request and named that blob.",
  },
  EDGE_CACHE_NAMESPACE: {
    default: "cairn-blobs",
    form: FORMS.cacheNamespace,
    meaning: "Name of the edge cache. A new name abandons everything that is cached.",
  },
} as const satisfies Record<string, Setting>;
