// The interface of the blob store: immutable bytes under unique ids, without keys, versions or permissions.
import type { ByteRange } from "../../protocol/core/range.ts";
import type { BlobStorageClass } from "../../protocol/lifecycle/blob-storage-class.ts";

/** A hash that the store verifies while it receives a blob. */
export interface BlobHash {
  readonly algorithm: "SHA-1" | "SHA-256";
  readonly bytes: Uint8Array;
}

/** The result of a put; `computed` is the store's hash in hexadecimal, if the store reports it. */
export type BlobPutResult =
  | { readonly isStored: true; readonly md5: Uint8Array }
  | { readonly isStored: false; readonly computed: string | undefined };

/** A blob to put. */
export interface BlobPut {
  /** `<bucket id>/<random id>`, never reused. */
  readonly blobId: string;
  /** A stream whose length is known to the runtime, or all bytes. */
  readonly body: ReadableStream<Uint8Array> | Uint8Array;
  /** The body's length in bytes. */
  readonly length: number;
  readonly hash: BlobHash | undefined;
  /** Custom metadata from which the blob's row can be rebuilt. */
  readonly recoveryMetadata: Readonly<Record<string, string>>;
  /** Undefined: the bucket's default class. */
  readonly blobStorageClass?: BlobStorageClass | undefined;
}

/** A short blob that Cairn writes for its own use. */
export interface BlobRecord extends Pick<BlobPut, "blobId" | "recoveryMetadata"> {
  readonly bytes: Uint8Array;
}

/** A copy of a blob's bytes into a new blob in the Infrequent Access class. */
export interface BlobCopy extends Pick<BlobPut, "blobId" | "recoveryMetadata"> {
  readonly sourceId: string;
  /** Undefined: the whole blob. */
  readonly range: ByteRange | undefined;
}

/** A blob's properties, as the store reports them. */
export interface BlobEntry {
  readonly blobId: string;
  /** Bytes. */
  readonly size: number;
  /** When the upload ended, by the store's clock, in milliseconds since the epoch. */
  readonly uploadedAt: number;
  /** Computed by the store at the put; undefined if it has none. */
  readonly md5: Uint8Array | undefined;
  readonly recoveryMetadata: Readonly<Record<string, string>>;
  /** Whether the blob is in the Infrequent Access class, whose reads are billed by the byte. */
  readonly isInfrequentAccess: boolean;
}

/** A blob opened for reading. */
export interface OpenBlob {
  readonly body: ReadableStream<Uint8Array>;
  /** Computed by the store at the put; undefined if it has none. */
  readonly md5: Uint8Array | undefined;
}

/** A page of blobs in the order of their ids. */
export interface BlobPage {
  readonly blobs: readonly BlobEntry[];
  /** The id after which the next page begins; undefined on the last page. */
  readonly next: string | undefined;
}

/** Reads blobs. */
export interface BlobReader {
  /** {@link BlobStore.counted} */
  counted(calls: number): BlobReader;
  /** Reads a range (undefined: the whole blob); undefined if the blob does not exist. */
  get(blobId: string, range: ByteRange | undefined): Promise<ReadableStream<Uint8Array> | undefined>;
}

/** A store of blobs. Every rejection that is not documented is a failure of the store itself. */
export interface BlobStore extends BlobReader {
  /**
   * Counts `calls` now and returns the store without counting. Calls made while a response is sent would be too late for
   * its headers and its log line.
   */
  counted(calls: number): BlobStore;
  /** Stores a blob unless its hash mismatches. After an error the blob may or may not exist. */
  put(put: BlobPut): Promise<BlobPutResult>;
  /** Stores a record unless its id exists already. After an error the record may or may not exist. */
  putRecord(record: BlobRecord): Promise<void>;
  /** Reads the mark that pairs this store with a database; undefined if none. The mark is the only mutable value. */
  readMark(): Promise<Uint8Array | undefined>;
  writeMark(bytes: Uint8Array): Promise<void>;
  /** Objects below the reserved prefix `cairn/` are no blobs: backups of the metadata are there. */
  readReserved(name: string): Promise<Uint8Array | undefined>;
  writeReserved(name: string, bytes: Uint8Array): Promise<void>;
  /** The names of the folders right below a reserved prefix, which ends with a slash. */
  listReservedFolders(prefix: string): Promise<string[]>;
  /** The names of up to `limit` objects below a reserved prefix, in byte order after a name. */
  listReserved(prefix: string, after: string, limit: number): Promise<readonly string[]>;
  /** Deletes up to 1000 objects below a reserved prefix, and answers how many. */
  deleteReserved(prefix: string): Promise<number>;
  /** Whether a blob exists. */
  has(blobId: string): Promise<boolean>;
  /** Opens a whole blob with its MD5; undefined if the blob does not exist. */
  open(blobId: string): Promise<OpenBlob | undefined>;
  /** Reads a blob's properties, readable or not; undefined if the blob does not exist. */
  head(blobId: string): Promise<BlobEntry | undefined>;
  /**
   * Copies bytes into the Infrequent Access class. An existing copy counts as success.
   * @returns whether the source exists
   */
  copyToInfrequentAccess(copy: BlobCopy): Promise<boolean>;
  /** Lists at most 1000 blobs after an id (undefined: from the first). */
  list(after: string | undefined, limit: number): Promise<BlobPage>;
  /** Deletes at most 1000 blobs; missing ones count as deleted. */
  delete(blobIds: readonly string[]): Promise<void>;
}
