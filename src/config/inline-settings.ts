// The settings of small blobs: which bodies the database keeps, and when they are packed into the blob store.
import type { Setting } from "./setting-checks.ts";

export const INLINE_SETTINGS = {
  INLINE_MAX_BYTES: {
    default: "16384",
    range: [0, 131_072],
    meaning:
      "Largest body that PutObject and forms store in the bucket's database instead of the blob store, in bytes (0 to 131072; 0 disables it, as `npm start` does by default). A job packs them into the blob store (docs/architecture.md#small-blobs).",
  },
  INLINE_PACK_MINUTES: {
    default: "15",
    range: [1, 1440],
    meaning:
      "Age in minutes at which a body in the database is packed into the blob store (1 to 1440). A rebuild of a lost database does not find younger ones.",
  },
  INLINE_DATABASE_GIGABYTES: {
    default: "7",
    range: [0, 1000],
    meaning:
      "Size of a database in GB from which it keeps no new bodies, and those that it has are packed at once (0 to 1000). D1 holds 10 GB, and 0.5 GB on the Free plan.",
  },
} as const satisfies Record<string, Setting>;
