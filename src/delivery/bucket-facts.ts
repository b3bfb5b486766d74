// The bucket that a delivery host delivers: its policy, website, CORS rules and epoch, as this location knows them. They are
// always read from the primary, so their age is the only staleness of a decision.
import { areAclsEnabled } from "../protocol/acl/object-ownership.ts";
import { deliveryFromText } from "../protocol/buckets/delivery-configuration.ts";
import type { DeliveryTarget } from "../protocol/core/host-names.ts";
import { selectBucket, type Bucket } from "../state/metadata/buckets.ts";
import { rememberLocation } from "../state/metadata/bucket-locations.ts";
import {
  bucketOf,
  placedClaimantOf,
  selectClaimant,
  selectPlacedClaimant,
  type PlacedClaimant,
} from "../state/metadata/delivery-hosts.ts";
import { bucketPath, hostPath } from "../state/reads/location-cache.ts";
import { ageOf, defaultLifetime, totalMs, type DeliveryContext, type DeliveryReader } from "./delivery-context.ts";

/** A bucket as this location knows it. */
export interface KnownBucket {
  readonly bucket: Bucket | undefined;
  /** Whether it should be read again after the response. */
  readonly isAging: boolean;
}

/** Finds the bucket of the request's host in the cache. */
export async function findBucket(context: DeliveryContext): Promise<KnownBucket | undefined> {
  const { cache, settings } = context;
  const lifetime = defaultLifetime(settings);
  const cached = await cache.get<Bucket | null>(bucketFactsPath(context));
  const age = cached === undefined ? Infinity : ageOf(context, cached.readAt);
  if (cached === undefined || age >= totalMs(lifetime)) return undefined;
  return { bucket: cached.value ?? undefined, isAging: age >= lifetime.freshMs };
}

/** Reads the bucket from the primary. */
export async function readBucket(context: DeliveryContext): Promise<KnownBucket> {
  const { primary, target } = context;
  const bucket = await (target.kind === "fixed" ? readNamed(primary, target.bucketName) : readClaimed(primary, target));
  store(context, bucket);
  return { bucket, isAging: false };
}

async function readNamed(reader: DeliveryReader, name: string): Promise<Bucket | undefined> {
  const { results } = await reader.read(name, [selectBucket(name)]);
  return bucketOf(results);
}

/** The bucket that claims the host, else the one whose name is the label, if it has a website configuration. */
async function readClaimed(
  reader: DeliveryReader,
  { host, label }: Extract<DeliveryTarget, { kind: "subdomain" }>,
): Promise<Bucket | undefined> {
  const inFirst = [selectClaimant(host), selectPlacedClaimant(host)];
  const { results, ofFirst } = await reader.read(label, [selectBucket(label)], inFirst);
  const claimant = bucketOf(ofFirst) ?? (await readPlaced(reader, host, placedClaimantOf(ofFirst, 1)));
  if (claimant !== undefined) return claimant;
  const named = bucketOf(results);
  return named?.configurations.website === null ? undefined : named;
}

/** Reads a claimant from its own database, which confirms the claim. */
async function readPlaced(
  reader: DeliveryReader,
  host: string,
  claimant: PlacedClaimant | undefined,
): Promise<Bucket | undefined> {
  if (claimant === undefined) return undefined;
  rememberLocation(claimant.name, claimant.database);
  const bucket = await readNamed(reader, claimant.name);
  return bucket?.id === claimant.id && claimsHost(bucket, host) ? bucket : undefined;
}

function claimsHost({ configurations }: Bucket, host: string): boolean {
  return deliveryFromText(configurations.delivery)?.hosts.includes(host) === true;
}

/** Keeps what another lookup has read from the primary: a bucket that the host still delivers, or its absence. */
export function rememberBucket(context: DeliveryContext, bucket: Bucket | undefined): void {
  // A host below a wildcard may deliver another bucket than the missing one.
  if (bucket === undefined ? context.target.kind === "fixed" : isDelivered(context, bucket)) store(context, bucket);
}

function isDelivered({ target }: DeliveryContext, bucket: Bucket): boolean {
  const { name, configurations } = bucket;
  if (target.kind === "fixed") return target.bucketName === name;
  return claimsHost(bucket, target.host) || (target.label === name && configurations.website !== null);
}

function store(context: DeliveryContext, bucket: Bucket | undefined): void {
  const { cache, now, settings } = context;
  cache.put(bucketFactsPath(context), { readAt: now, value: bucket ?? null }, totalMs(defaultLifetime(settings)));
}

/** Whether the bucket's policy looks at tags of objects. */
export function dependsOnTags({ configurations }: Bucket): boolean {
  return /existingobjecttag/i.test(configurations.policy ?? "");
}

/** Whether who may read an object depends on its tags or its ACL. */
export function decidesByObject(bucket: Bucket): boolean {
  return dependsOnTags(bucket) || areAclsEnabled(bucket.configurations.ownership);
}

/** The path under which this location caches the facts. */
export function bucketFactsPath({ target }: DeliveryContext): string {
  return target.kind === "fixed" ? bucketPath(target.bucketName) : hostPath(target.host);
}
