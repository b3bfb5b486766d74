// The objects that a path can mean, as this location knows them. An entry is cached under the bucket's id and the epoch
// that was read in the same transaction, so an entry of a later epoch never contains an earlier state.
import { edgeLifetime, NOT_CACHED, type Lifetime } from "../protocol/objects/edge-lifetime.ts";
import type { StoredObject } from "../protocol/objects/stored-object.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { Slice } from "../state/metadata/manifests.ts";
import { objectPath } from "../state/reads/location-cache.ts";
import { lookUpObjectContent, type ObjectContentFacts } from "../state/reads/object-reads.ts";
import { refreshLater } from "./background-refresh.ts";
import { decidesByObject, rememberBucket, type KnownBucket } from "./bucket-facts.ts";
import { ageOf, defaultLifetime, totalMs, type DeliveryContext, type DeliveryReader } from "./delivery-context.ts";

/** A key's current version, or its absence. */
export interface ObjectFacts {
  readonly object: StoredObject | undefined;
  /** All slices of an object with a manifest. */
  readonly slices: readonly Slice[];
}

/** The first key that has an object, or the absence of all. */
export interface FoundObject extends ObjectFacts {
  /** The position of the key among the candidates; the last one's if none has an object. */
  readonly index: number;
  /** Milliseconds since the epoch. */
  readonly readAt: number;
  readonly lifetime: Lifetime;
  /** Whether the primary was or will be asked, which also reads the bucket's facts. */
  readonly isRead: boolean;
}

/**
 * Finds the first of these keys that has an object.
 * @param keys at least one
 */
export async function findObject(
  context: DeliveryContext,
  bucket: Bucket,
  keys: readonly string[],
): Promise<FoundObject> {
  const cached = await findCached(context, bucket, keys);
  if (typeof cached === "object") return cached;
  const find = async (): Promise<FoundObject | undefined> => {
    const found = await findCached(context, bucket, keys);
    return typeof found === "object" ? found : undefined;
  };
  const read = async (): Promise<FoundObject> => readObjects(context, bucket, keys, cached);
  const path = objectPath(bucket.id, bucket.deliveryEpoch, keys[cached] ?? "");
  return context.cache.readOnce(path, find, read);
}

/** Finds it in the cache; the position of the first key that has to be read if the cache does not know. */
async function findCached(
  context: DeliveryContext,
  bucket: Bucket,
  keys: readonly string[],
): Promise<FoundObject | number> {
  let isRefreshed = false;
  for (const [index, key] of keys.entries()) {
    const path = objectPath(bucket.id, bucket.deliveryEpoch, key);
    const cached = await context.cache.get<ObjectFacts>(path);
    const lifetime = cached === undefined ? NOT_CACHED : lifetimeOf(context, bucket, cached.value, cached.readAt);
    const age = cached === undefined ? Infinity : ageOf(context, cached.readAt);
    const isCurrent = context.cache.hasRead(path);
    if (cached === undefined || (age >= totalMs(lifetime) && !isCurrent)) return index;
    if (age >= lifetime.freshMs && !isCurrent) {
      refreshLater(context, path, async () => readObjects(context, bucket, [key], 0));
      isRefreshed = true;
    }
    const { object, slices } = cached.value;
    if (object !== undefined || index === keys.length - 1) {
      return {
        object,
        slices,
        index,
        readAt: cached.readAt,
        lifetime,
        isRead: isRefreshed && context.nearest === context.primary,
      };
    }
  }
  throw new Error("a path without candidate keys");
}

/** Reads the bucket of a fixed host and an object of it from the primary. */
export async function readBucketWithObject(
  context: DeliveryContext,
  bucketName: string,
  key: string,
): Promise<KnownBucket> {
  const lookup = lookUpObjectContent({ bucketName, key, versionId: undefined });
  const { results } = await context.primary.read(bucketName, lookup.statements);
  const { bucket, object, slices, small } = lookup.read(results);
  context.smallBlobs.push(...small);
  rememberBucket(context, bucket);
  if (bucket !== undefined) remember(context, bucket, key, { object, slices });
  return { bucket, isAging: false };
}

/** Reads the keys from `start` in one round trip, without the cache. */
export async function readObjects(
  context: DeliveryContext,
  bucket: Bucket,
  keys: readonly string[],
  start: number,
): Promise<FoundObject> {
  const wanted = keys.slice(start);
  let facts = await read(context.nearest, bucket, wanted);
  let isPrimary = context.nearest === context.primary;
  if (!isPrimary && !isCurrent(bucket, facts[0]?.bucket)) {
    facts = await read(context.primary, bucket, wanted);
    isPrimary = true;
  }
  context.smallBlobs.push(...facts.flatMap(({ small }) => small));
  const current = facts[0]?.bucket;
  if (isPrimary) rememberBucket(context, current);
  // A bucket that was deleted and created again is another one.
  const isSame = current?.id === bucket.id;
  const found = facts.map(({ object, slices }): ObjectFacts =>
    isSame ? { object, slices } : { object: undefined, slices: [] },
  );
  if (current !== undefined && isSame) {
    for (const [at, one] of found.entries()) remember(context, current, wanted[at] ?? "", one);
  }
  const hit = found.findIndex(({ object }) => object !== undefined);
  const at = hit < 0 ? found.length - 1 : hit;
  const chosen = found[at] ?? { object: undefined, slices: [] };
  const lifetime = lifetimeOf(context, current ?? bucket, chosen, context.now);
  return { ...chosen, index: start + at, readAt: context.now, lifetime, isRead: isPrimary };
}

async function read(
  reader: DeliveryReader,
  bucket: Bucket,
  keys: readonly string[],
): Promise<readonly ObjectContentFacts[]> {
  const lookups = keys.map((key) => lookUpObjectContent({ bucketName: bucket.name, key, versionId: undefined }));
  const all = lookups.flatMap(({ statements }) => statements);
  const { results } = await reader.read(bucket.name, all);
  let next = 0;
  return lookups.map((lookup) => {
    const own = results.slice(next, next + lookup.statements.length);
    next += lookup.statements.length;
    return lookup.read(own);
  });
}

/** Whether a replica's row of the bucket is at least as new as the known purge. */
function isCurrent(known: Bucket, found: Bucket | undefined): boolean {
  return found?.id === known.id && found.deliveryEpoch >= known.deliveryEpoch;
}

function remember(context: DeliveryContext, bucket: Bucket, key: string, facts: ObjectFacts): void {
  const path = objectPath(bucket.id, bucket.deliveryEpoch, key);
  const keepMs = totalMs(lifetimeOf(context, bucket, facts, context.now));
  context.cache.put(path, { readAt: context.now, value: facts }, keepMs);
}

function lifetimeOf({ settings }: DeliveryContext, bucket: Bucket, { object }: ObjectFacts, readAt: number): Lifetime {
  const fallback = defaultLifetime(settings);
  if (totalMs(fallback) === 0) return NOT_CACHED;
  if (object === undefined) return fallback;
  const own = edgeLifetime(object.systemMetadata, fallback, readAt);
  // What opens the object is then part of its entry, and must not be older than a policy may be.
  return decidesByObject(bucket) && totalMs(own) > totalMs(fallback) ? fallback : own;
}
