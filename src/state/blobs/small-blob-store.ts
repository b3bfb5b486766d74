// The blob store with small blobs: finds the bytes of a small blob in its row or in its pack, and passes every other call
// on to the store below. Callers need not know which blobs are small.
import { streamOfBytes } from "../../bytes/streams.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import type {
  BlobCopy,
  BlobEntry,
  BlobPage,
  BlobPut,
  BlobPutResult,
  BlobRecord,
  BlobStore,
  OpenBlob,
} from "./blob-store.ts";
import { isSmallBlobId, timeOfSmallBlob, type SmallBlob } from "./small-blobs.ts";

/** The rows of small blobs. */
export interface SmallBlobRows {
  /** Looks up a small blob; undefined if no row has it. */
  find(blobId: string): Promise<SmallBlob | undefined>;
  /** Deletes rows. */
  delete(blobIds: readonly string[]): Promise<void>;
}

/** A store that knows the given small blobs without a lookup. */
export function knowingSmallBlobs(store: BlobStore, known: readonly SmallBlob[]): BlobStore {
  if (known.length === 0) return store;
  const byId = new Map(known.map((small) => [small.blobId, small]));
  return new SmallBlobStore(store, {
    find: (blobId) => Promise.resolve(byId.get(blobId)),
    delete: async (blobIds) => store.delete(blobIds),
  });
}

export class SmallBlobStore implements BlobStore {
  readonly #store: BlobStore;
  readonly #rows: SmallBlobRows;

  constructor(store: BlobStore, rows: SmallBlobRows) {
    this.#store = store;
    this.#rows = rows;
  }

  counted(calls: number): BlobStore {
    return new SmallBlobStore(this.#store.counted(calls), this.#rows);
  }

  async put(put: BlobPut): Promise<BlobPutResult> {
    return this.#store.put(put);
  }

  async putRecord(record: BlobRecord): Promise<void> {
    return this.#store.putRecord(record);
  }

  async readMark(): Promise<Uint8Array | undefined> {
    return this.#store.readMark();
  }

  async writeMark(bytes: Uint8Array): Promise<void> {
    return this.#store.writeMark(bytes);
  }

  async readReserved(name: string): Promise<Uint8Array | undefined> {
    return this.#store.readReserved(name);
  }

  async writeReserved(name: string, bytes: Uint8Array): Promise<void> {
    return this.#store.writeReserved(name, bytes);
  }

  async listReservedFolders(prefix: string): Promise<string[]> {
    return this.#store.listReservedFolders(prefix);
  }

  async listReserved(prefix: string, after: string, limit: number): Promise<readonly string[]> {
    return this.#store.listReserved(prefix, after, limit);
  }

  async deleteReserved(prefix: string): Promise<number> {
    return this.#store.deleteReserved(prefix);
  }

  async has(blobId: string): Promise<boolean> {
    const small = await this.#find(blobId);
    if (small === undefined) return this.#store.has(blobId);
    return small.place.kind === "inline" || this.#store.has(small.place.packId);
  }

  async get(blobId: string, range: ByteRange | undefined): Promise<ReadableStream<Uint8Array> | undefined> {
    const small = await this.#find(blobId);
    if (small === undefined) return this.#store.get(blobId, range);
    const { offset, length } = range ?? { offset: 0, length: small.length };
    if (offset + length > small.length) throw new Error(`blob ${blobId} is shorter than its row says`);
    if (small.place.kind === "inline") return streamOfBytes(small.place.bytes.subarray(offset, offset + length));
    if (length === 0) return streamOfBytes();
    return this.#store.get(small.place.packId, { offset: small.place.offset + offset, length });
  }

  async open(blobId: string): Promise<OpenBlob | undefined> {
    if (!isSmallBlobId(blobId)) return this.#store.open(blobId);
    const body = await this.get(blobId, undefined);
    return body && { body, md5: undefined };
  }

  async head(blobId: string): Promise<BlobEntry | undefined> {
    const small = await this.#find(blobId);
    if (small === undefined) return this.#store.head(blobId);
    if (small.place.kind === "packed" && !(await this.#store.has(small.place.packId))) return undefined;
    return {
      blobId,
      size: small.length,
      uploadedAt: timeOfSmallBlob(blobId),
      md5: undefined,
      recoveryMetadata: {},
      isInfrequentAccess: false,
    };
  }

  async copyToInfrequentAccess(copy: BlobCopy): Promise<boolean> {
    const { sourceId, range, blobId, recoveryMetadata } = copy;
    if (!isSmallBlobId(sourceId)) return this.#store.copyToInfrequentAccess(copy);
    if (await this.#store.has(blobId)) return true;
    const stream = await this.get(sourceId, range);
    if (stream === undefined) return false;
    const body = await new Response(stream).bytes();
    const blobStorageClass = "InfrequentAccess";
    await this.#store.put({ blobId, body, length: body.length, hash: undefined, recoveryMetadata, blobStorageClass });
    return true;
  }

  /** Lists the blobs of the store. Small blobs are not among them, but their packs are. */
  async list(after: string | undefined, limit: number): Promise<BlobPage> {
    return this.#store.list(after, limit);
  }

  async delete(blobIds: readonly string[]): Promise<void> {
    const small = blobIds.filter(isSmallBlobId);
    if (small.length > 0) await this.#rows.delete(small);
    await this.#store.delete(small.length === 0 ? blobIds : blobIds.filter((blobId) => !isSmallBlobId(blobId)));
  }

  async #find(blobId: string): Promise<SmallBlob | undefined> {
    return isSmallBlobId(blobId) ? this.#rows.find(blobId) : undefined;
  }
}
