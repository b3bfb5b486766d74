// The blob store: immutable bytes under unique ids, and nothing else. It knows no keys, versions or permissions.
import type { ByteRange } from "../../protocol/core/range.ts";
import type { BlobStorageClass } from "../../protocol/lifecycle/blob-storage-class.ts";

/** A hash that a store verifies by itself while it takes a blob. */
export interface BlobHash {
  readonly algorithm: "SHA-1" | "SHA-256";
  readonly bytes: Uint8Array;
}

/** What became of a put. */
export type BlobPutResult =
  | { readonly isStored: true; readonly md5: Uint8Array }
  | { readonly isStored: false; readonly computed: string | undefined };

/** A blob to put. */
export interface BlobPut {
  /** `<bucket id>/<unguessable id>`, never used before. */
  readonly blobId: string;
  /** A stream of known length. */
  readonly body: ReadableStream<Uint8Array>;
  readonly hash: BlobHash | undefined;
  /** What the blob was born as, kept beside it: enough to make its row again. */
  readonly recoveryMetadata: Readonly<Record<string, string>>;
  /** Undefined: the bucket's default class. */
  readonly blobStorageClass?: BlobStorageClass | undefined;
}

/** A short blob of Cairn's own. */
export interface BlobRecord extends Pick<BlobPut, "blobId" | "recoveryMetadata"> {
  readonly bytes: Uint8Array;
}

/** Bytes of a blob that become a blob of their own where bytes that are seldom read are kept. */
export interface BlobCopy extends Pick<BlobPut, "blobId" | "recoveryMetadata"> {
  readonly sourceId: string;
  /** Undefined: all of them. */
  readonly range: ByteRange | undefined;
}

/** A blob as its store knows it. */
export interface BlobEntry {
  readonly blobId: string;
  /** Bytes. */
  readonly size: number;
  /** When the store had all of it, by the store's own clock, in milliseconds since the epoch. */
  readonly uploadedAt: number;
  /** As the store has kept it since the blob was put; undefined where it keeps none. */
  readonly md5: Uint8Array | undefined;
  readonly recoveryMetadata: Readonly<Record<string, string>>;
  /** Whether reading it is paid for by the byte. */
  readonly isInfrequentAccess: boolean;
}

/** A blob that is being read. */
export interface OpenBlob {
  readonly body: ReadableStream<Uint8Array>;
  /** As the store has kept it since the blob was put; undefined where it keeps none. */
  readonly md5: Uint8Array | undefined;
}

/** A page of blobs in the order of their ids. */
export interface BlobPage {
  readonly blobs: readonly BlobEntry[];
  /** The id after which the next page begins; undefined after the last. */
  readonly next: string | undefined;
}

/** Where blobs are kept. Rejections other than those described are failures of the store itself. */
export interface BlobStore {
  /**
   * The same store for so many calls, which are counted now: what is called while an answer is sent is too late for its
   * headers and its line in the log.
   */
  counted(calls: number): BlobStore;
  /** Stores a blob unless its hash does not match. An error leaves it open whether the blob is there. */
  put(put: BlobPut): Promise<BlobPutResult>;
  /** Stores a record unless a blob of its id is there already. An error leaves it open whether it is there. */
  putRecord(record: BlobRecord): Promise<void>;
  /** The mark by which a database recognises this store; undefined where it has none. The only thing here that changes. */
  readMark(): Promise<Uint8Array | undefined>;
  writeMark(bytes: Uint8Array): Promise<void>;
  /** Whether a blob is there. */
  has(blobId: string): Promise<boolean>;
  /** The bytes of a range (all for undefined), or undefined where there is no such blob. */
  get(blobId: string, range: ByteRange | undefined): Promise<ReadableStream<Uint8Array> | undefined>;
  /** All of a blob with its MD5, or undefined where there is no such blob. */
  open(blobId: string): Promise<OpenBlob | undefined>;
  /** What the store knows of a blob, whether its bytes can be read or not; undefined where it knows of none. */
  head(blobId: string): Promise<BlobEntry | undefined>;
  /**
   * Copies bytes to where bytes that are seldom read are kept; a copy that is there already counts as made.
   * @returns whether the source is there
   */
  copyToInfrequentAccess(copy: BlobCopy): Promise<boolean>;
  /** Lists blobs (at most 1000) after an id, or from the first one on. */
  list(after: string | undefined, limit: number): Promise<BlobPage>;
  /** Deletes blobs (at most 1000); those that are not there count as deleted. */
  delete(blobIds: readonly string[]): Promise<void>;
}
