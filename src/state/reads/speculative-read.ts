// Opens the blob that a caller last read under a key while D1 still looks the key up. The bytes are not read further than
// their first piece, and nothing is sent before D1 has authorised the request and named that very blob; otherwise they
// are cancelled. See "Reads that begin before D1 answers" in docs/edge-cache.md.
import type { CacheUse } from "../../protocol/objects/cache-use.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import { blobStorageClass } from "../../protocol/lifecycle/blob-storage-class.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { BlobReader } from "../blobs/blob-store.ts";
import type { EdgeCache } from "../blobs/edge-cache.ts";
import { knowingSmallBlobs } from "../blobs/small-blob-store.ts";
import type { SmallBlob } from "../blobs/small-blobs.ts";
import { openBytesFrom, type OpenedObject, type ReadConnections } from "./open-bytes.ts";
import { discardObject, type RememberedObject, type RepeatedRead } from "./remembered-objects.ts";

/** A read that may begin. */
export interface Speculation {
  readonly read: RepeatedRead;
  readonly remembered: RememberedObject;
  /** The bytes of the answer if the object is still the remembered one; undefined: all. */
  readonly range: ByteRange | undefined;
  readonly cacheUse: CacheUse;
}

export class SpeculativeRead {
  readonly #speculation: Speculation;
  readonly #waitUntil: (work: Promise<unknown>) => void;
  readonly #opening: Promise<OpenedObject | undefined>;
  /** Resolves if D1 names the remembered blob, and rejects otherwise. */
  readonly #confirmation = Promise.withResolvers<undefined>();
  #isDecided = false;

  /** Begins to read. */
  constructor(connections: ReadConnections, speculation: Speculation) {
    this.#speculation = speculation;
    this.#waitUntil = (work) => connections.waitUntil(work);
    this.#opening = this.#open(connections);
    // They are awaited later, or not at all.
    this.#confirmation.promise.catch(() => undefined);
    this.#opening.catch(() => undefined);
  }

  /**
   * Returns the opened bytes of an authorised object; undefined if they are not those of the object's blob, or if the blob
   * is missing.
   * @param object as D1 has it
   * @param small the object's small blob, if it is in one
   * @param range the bytes of the answer
   */
  async take(
    object: StoredObject,
    small: SmallBlob | undefined,
    range: ByteRange | undefined,
  ): Promise<OpenedObject | undefined> {
    if (this.#isDecided) return undefined;
    if (!this.#isOf(object, small, range)) {
      this.discard();
      return undefined;
    }
    this.#isDecided = true;
    this.#confirmation.resolve(undefined);
    return this.#opening;
  }

  /** Cancels the read unless it was taken. The caller's next read waits for D1. */
  discard(): void {
    if (this.#isDecided) return;
    this.#isDecided = true;
    discardObject(this.#speculation.read);
    this.#confirmation.reject(new Error("D1 did not confirm the remembered blob"));
    this.#waitUntil(this.#opening.then(async (opened) => opened?.body.cancel()).catch(() => undefined));
  }

  #isOf(object: StoredObject, small: SmallBlob | undefined, range: ByteRange | undefined): boolean {
    const { remembered, range: begun } = this.#speculation;
    const isRemembered = object.blobId === remembered.blobId && object.size === remembered.size;
    const wanted = range ?? { offset: 0, length: object.size };
    const { offset, length } = begun ?? { offset: 0, length: remembered.size };
    const isInRow = small?.place.kind === "inline" || object.encryption !== undefined;
    return isRemembered && !isInRow && wanted.offset === offset && wanted.length === length;
  }

  async #open(connections: ReadConnections): Promise<OpenedObject | undefined> {
    const { remembered, range, cacheUse } = this.#speculation;
    const { promise } = this.#confirmation;
    // A read in vain costs a call of R2, and in the Infrequent Access class every byte.
    const mayReadStore = remembered.isConfirmed && blobStorageClass(remembered.storageClass) === "Standard";
    const store = knowingSmallBlobs(connections.blobs, remembered.packed === undefined ? [] : [remembered.packed]);
    const blobs = new ConfirmedBlobs(store, mayReadStore ? undefined : promise, promise);
    const openEdgeCache = async (): Promise<EdgeCache | undefined> => {
      const cache = await connections.openEdgeCache();
      // This cache reads the blob store by itself.
      if (cache?.isFilledByReaders === false && !mayReadStore) await promise;
      return cache;
    };
    const object = { ...remembered, encryption: undefined };
    const cached = { openEdgeCache, waitUntil: this.#waitUntil };
    return openBytesFrom(blobs, cached, { cacheUse, customerKey: undefined }, object, [], range);
  }
}

/** A store whose calls wait for D1's answer, except perhaps the first. */
class ConfirmedBlobs implements BlobReader {
  readonly #store: BlobReader;
  readonly #gate: Promise<undefined> | undefined;
  readonly #confirmation: Promise<undefined>;

  constructor(store: BlobReader, gate: Promise<undefined> | undefined, confirmation: Promise<undefined>) {
    this.#store = store;
    this.#gate = gate;
    this.#confirmation = confirmation;
  }

  /** Calls that are counted in advance are reads ahead, which the answer does not need. */
  counted(calls: number): BlobReader {
    return new ConfirmedBlobs(this.#store.counted(calls), this.#confirmation, this.#confirmation);
  }

  async get(blobId: string, range: ByteRange | undefined): Promise<ReadableStream<Uint8Array> | undefined> {
    await this.#gate;
    return this.#store.get(blobId, range);
  }
}
