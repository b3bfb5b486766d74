// Reads the rows of small blobs in advance, some at a time, for a reader of many objects: a lookup for each would exceed
// the queries that D1 allows an invocation.
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { BlobStore } from "../blobs/blob-store.ts";
import { knowingSmallBlobs } from "../blobs/small-blob-store.ts";
import { isSmallBlobId, lookUpSmallBlobs, type SmallBlob } from "../blobs/small-blobs.ts";
import type { Database } from "../d1/database.ts";

/** Each may have 128 KiB. */
const READ_AHEAD = 32;

export class SmallBlobsAhead {
  readonly #database: Database;
  readonly #objects: readonly Pick<StoredObject, "blobId">[];
  /** The latest lookup. Objects are opened before the ones before them are sent, so it may be in flight. */
  #latest: Promise<ReadonlyMap<string, SmallBlob>> = Promise.resolve(new Map());

  /** @param objects in the order in which they are read */
  constructor(database: Database, objects: readonly Pick<StoredObject, "blobId">[]) {
    this.#database = database;
    this.#objects = objects;
  }

  /** A store that knows the blob of an index. */
  async storeAt(index: number, blobs: BlobStore): Promise<BlobStore> {
    const blobId = this.#objects[index]?.blobId;
    if (blobId === undefined || !isSmallBlobId(blobId)) return blobs;
    const latest = this.#latest;
    let known = (await latest.catch(() => undefined))?.get(blobId);
    if (known === undefined) {
      if (this.#latest === latest) this.#latest = this.#readFrom(index);
      known = (await this.#latest).get(blobId);
    }
    return knowingSmallBlobs(blobs, known === undefined ? [] : [known]);
  }

  async #readFrom(index: number): Promise<ReadonlyMap<string, SmallBlob>> {
    const next: string[] = [];
    for (let at = index; at < this.#objects.length && next.length < READ_AHEAD; at += 1) {
      const blobId = this.#objects[at]?.blobId;
      if (blobId !== undefined && isSmallBlobId(blobId)) next.push(blobId);
    }
    const found = await this.#database.lookShared(lookUpSmallBlobs(next));
    return new Map(found.map((small) => [small.blobId, small]));
  }
}
