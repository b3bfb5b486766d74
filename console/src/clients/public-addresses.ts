// The permanent addresses of public objects: on the bucket's delivery or website host if it has one, otherwise on the
// endpoint.
import { getConfiguration } from "./configurations.ts";
import type { Connection } from "./connection.ts";
import { deliveryIn } from "./delivery.ts";
import { ServiceError } from "./failures.ts";
import type { ObjectAddress } from "./object.ts";
import { bucketPath, isReachable, keyPath, objectPath } from "./paths.ts";
import { publiclyReadable } from "./public-policy.ts";
import { snapshotAt } from "./snapshots.ts";
import { childOf, parseXml, textOf } from "./xml.ts";

/** The public addresses of a bucket. */
export interface PublicAddresses {
  /** The common beginning of the addresses; it ends in a slash. */
  readonly base: string;
  /** Undefined for a key that not everyone may read, or that no browser can address. */
  readonly of: (key: string) => string | undefined;
}

/** A host that serves keys. */
interface Place {
  readonly base: string;
  /** The prefix of the keys, which is not part of their addresses. */
  readonly prefix: string;
  /** Whether a path that ends in a slash means another object. */
  readonly hasIndexes: boolean;
}

/** The addresses of a bucket; undefined if its policy makes nothing public, or if the caller may not read it. */
export async function readPublicAddresses(
  connection: Connection,
  bucket: string,
): Promise<PublicAddresses | undefined> {
  if (snapshotAt(bucket) !== undefined) return undefined;
  const [policy, block] = await unlessRefused(
    Promise.all([
      getConfiguration(connection, bucket, "policy"),
      getConfiguration(connection, bucket, "publicAccessBlock"),
    ]),
    [undefined, undefined],
  );
  if (policy === undefined) return undefined;
  if (block !== undefined && textOf(parseXml(block), "RestrictPublicBuckets") === "true") return undefined;
  const isOpen = publiclyReadable(policy, bucket, connection.publicEndpoint.startsWith("https:"));
  if (isOpen === undefined) return undefined;
  const places = await placesOf(connection, bucket);
  return {
    base: places[0].base,
    of: (key) => (isOpen(key) ? addressIn(places, key) : undefined),
  };
}

/** The address of an object or version that is known to be public. A version has one on the endpoint alone. */
export async function publicAddressOf(
  connection: Connection,
  { bucket, key, versionId }: ObjectAddress,
): Promise<string | undefined> {
  if (versionId === undefined) return addressIn(await placesOf(connection, bucket), key);
  return `${connection.publicEndpoint}${objectPath(bucket, key)}?versionId=${encodeURIComponent(versionId)}`;
}

function addressIn(places: readonly Place[], key: string): string | undefined {
  for (const { base, prefix, hasIndexes } of places) {
    if (!key.startsWith(prefix)) continue;
    const rest = key.slice(prefix.length);
    if (isReachable(rest) && !(hasIndexes && rest.endsWith("/"))) return `${base}${keyPath(rest)}`;
  }
  return undefined;
}

/** The places of a bucket, the preferred one first. */
async function placesOf(connection: Connection, bucket: string): Promise<readonly [Place, ...Place[]]> {
  const { publicEndpoint, sites } = connection;
  const endpoint = { base: `${publicEndpoint}${bucketPath(bucket)}/`, prefix: "", hasIndexes: false };
  if (snapshotAt(bucket) !== undefined) return [endpoint];
  const [delivery, website] = await unlessRefused(
    Promise.all([getConfiguration(connection, bucket, "delivery"), getConfiguration(connection, bucket, "website")]),
    [undefined, undefined],
  );
  const { hosts, prefix } = deliveryIn(delivery);
  // A certificate of a wildcard has one label for the bucket.
  const site = website === undefined || bucket.includes(".") ? undefined : sites[0];
  const host = hosts[0] ?? (site === undefined ? undefined : `${bucket}.${site}`);
  if (host === undefined || redirects(website)) return [endpoint];
  const { protocol, port } = new URL(publicEndpoint);
  const base = `${protocol}//${host}${port === "" ? "" : `:${port}`}/`;
  return [{ base, prefix, hasIndexes: true }, endpoint];
}

/** Whether a website may answer the path of an object with the address of another one. */
function redirects(website: string | undefined): boolean {
  const root = website === undefined ? undefined : parseXml(website);
  return childOf(root, "RedirectAllRequestsTo") !== undefined || childOf(root, "RoutingRules") !== undefined;
}

/** Returns `otherwise` for a configuration that is missing, unsupported or hidden from the caller. */
async function unlessRefused<Value>(reading: Promise<Value>, otherwise: Value): Promise<Value> {
  try {
    return await reading;
  } catch (failure) {
    if (failure instanceof ServiceError) return otherwise;
    throw failure;
  }
}
