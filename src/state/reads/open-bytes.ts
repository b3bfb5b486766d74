// Opens the bytes of an authorised object: through the edge cache unless the request, its key or its length forbids that.
import { blobStorageClass } from "../../protocol/lifecycle/blob-storage-class.ts";
import type { CacheUse } from "../../protocol/objects/cache-use.ts";
import type { CustomerKey } from "../../protocol/objects/customer-encryption.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { BlobReader, BlobStore } from "../blobs/blob-store.ts";
import type { EdgeCache } from "../blobs/edge-cache.ts";
import { knowingSmallBlobs } from "../blobs/small-blob-store.ts";
import type { SmallBlob } from "../blobs/small-blobs.ts";
import type { Slice } from "../metadata/manifests.ts";
import { openCachedObject } from "./cached-object.ts";
import { openObject } from "./object-bytes.ts";

/** The connections of a read through the cache. */
export interface CacheConnections {
  /** The cache near the reader; undefined if nothing is cached. */
  openEdgeCache(): Promise<EdgeCache | undefined>;
  waitUntil(work: Promise<unknown>): void;
}

/** The connections of a read. */
export interface ReadConnections extends CacheConnections {
  readonly blobs: BlobStore;
}

/** Whether the first bytes come from the cache; `BYPASS` if the cache was not asked. */
export type CacheOutcome = "HIT" | "MISS" | "BYPASS";

export interface OpenedObject {
  readonly body: ReadableStream<Uint8Array>;
  readonly cache: CacheOutcome;
  /** Deletes the object's bytes from the cache. */
  readonly evict?: () => Promise<void>;
}

export interface BytesRead {
  readonly cacheUse: CacheUse;
  readonly customerKey: CustomerKey | undefined;
  /** The object's small blob, if a lookup has read its row. */
  readonly small?: readonly SmallBlob[];
}

/** The columns of an object that its bytes depend on. */
export type ReadableObject = Pick<StoredObject, "blobId" | "size" | "encryption" | "storageClass">;

/**
 * Opens a range of an object, which must not be empty.
 * @param slices the manifest's slices that overlap the range; ignored for an object in one blob
 * @returns undefined if the first blob is missing, so that the caller can look up the object again
 */
export async function openBytes(
  connections: ReadConnections,
  read: BytesRead,
  object: ReadableObject,
  slices: readonly Slice[],
  range: ByteRange | undefined,
): Promise<OpenedObject | undefined> {
  const blobs = knowingSmallBlobs(connections.blobs, read.small ?? []);
  return openBytesFrom(blobs, connections, read, object, slices, range);
}

/** {@link openBytes} from a store that knows the object's small blob. */
export async function openBytesFrom(
  blobs: BlobReader,
  connections: CacheConnections,
  { cacheUse, customerKey, small = [] }: BytesRead,
  object: ReadableObject,
  slices: readonly Slice[],
  range: ByteRange | undefined,
): Promise<OpenedObject | undefined> {
  // Bytes under a customer's key are decrypted for this request alone.
  // The lookup has read inline bytes already.
  const isInline = small.some(({ place }) => place.kind === "inline");
  const isCacheable =
    !isInline && cacheUse !== "bypass" && customerKey === undefined && object.encryption === undefined;
  const cache = isCacheable ? await connections.openEdgeCache() : undefined;
  if (cache !== undefined) {
    const source = {
      blobs,
      cache,
      mayFill: cacheUse === "fill",
      // In the Infrequent Access class every byte read costs money, so only the requested bytes are read.
      mayReadAhead: blobStorageClass(object.storageClass) === "Standard",
      waitUntil: (work: Promise<unknown>) => connections.waitUntil(work),
    };
    const read = await openCachedObject(source, object, slices, range);
    if (read !== "bypass") return read && { body: read.body, cache: read.isHit ? "HIT" : "MISS", evict: read.evict };
  }
  const body = await openObject(blobs, object, slices, range, customerKey);
  return body && { body, cache: "BYPASS" };
}
