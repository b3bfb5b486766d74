// The context of a request to a delivery host.
import type { Access } from "../auth/access/access.ts";
import type { Settings } from "../config/settings.ts";
import type { RequestOrigin } from "../protocol/buckets/website-routing.ts";
import type { DeliveryTarget } from "../protocol/core/host-names.ts";
import type { ReadableHeaders } from "../protocol/core/sent-headers.ts";
import type { Lifetime } from "../protocol/objects/edge-lifetime.ts";
import type { BlobStore } from "../state/blobs/blob-store.ts";
import type { EdgeCache } from "../state/blobs/edge-cache.ts";
import type { SmallBlob } from "../state/blobs/small-blobs.ts";
import type { Statement, StatementResult } from "../state/d1/database.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { LocationCache } from "../state/reads/location-cache.ts";

/** Reads D1 in one round trip, unless the bucket's database has to be found first. */
export interface DeliveryReader {
  /**
   * Runs the statements in the bucket's database, and others in the first one.
   * @param statements the first of them returns a row if the bucket exists
   */
  read(
    bucketName: string,
    statements: readonly Statement[],
    inFirst?: readonly Statement[],
  ): Promise<{ readonly results: readonly StatementResult[]; readonly ofFirst: readonly StatementResult[] }>;
}

export interface DeliveryContext {
  readonly target: DeliveryTarget;
  readonly origin: RequestOrigin;
  readonly method: "GET" | "HEAD" | "OPTIONS";
  /** The decoded path without its first slash. */
  readonly siteKey: string;
  readonly rawPath: string;
  /** Without credentials, cookies and `x-amz-*`. */
  readonly headers: ReadableHeaders;
  readonly requestId: string;
  /** An anonymous caller's rights. */
  readonly access: Access;
  readonly settings: Settings;
  /** When the request began, in milliseconds since the epoch. */
  readonly now: number;
  readonly cache: LocationCache;
  readonly primary: DeliveryReader;
  /** Reads the nearest replica, or the primary. */
  readonly nearest: DeliveryReader;
  readonly blobs: BlobStore;
  /** The small blobs whose rows this request has read; reads of objects add to them. */
  readonly smallBlobs: SmallBlob[];
  /** Opens the cache of bytes near the reader; undefined if nothing is cached. */
  readonly openEdgeCache: () => Promise<EdgeCache | undefined>;
  /** Admits the request by the bucket's rates. @throws S3Error SlowDown */
  readonly admit: (bucket: Bucket) => void;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** How long a bucket's facts are used, and those of objects whose headers say nothing. */
export function defaultLifetime({ deliveryCacheMs }: Settings): Lifetime {
  return { freshMs: deliveryCacheMs, staleMs: deliveryCacheMs };
}

/** The longest time for which a cached value is used, in milliseconds. */
export function totalMs({ freshMs, staleMs }: Lifetime): number {
  return freshMs + staleMs;
}

/** A concurrent request of this location that began later may have read a value for this one. */
const MAX_LEAD_MS = 2000;

/** The age of a value that was read at `readAt`, in milliseconds; Infinity if a clock has gone back. */
export function ageOf({ now }: DeliveryContext, readAt: number): number {
  const age = now - readAt;
  if (age >= 0) return age;
  return age >= -MAX_LEAD_MS ? 0 : Infinity;
}
