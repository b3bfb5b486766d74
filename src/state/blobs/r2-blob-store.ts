// The blob store on an R2 bucket binding. Translates R2's errors into S3 errors.
import type { ByteRange } from "../../protocol/core/range.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import type {
  BlobCopy,
  BlobHash,
  BlobPage,
  BlobPut,
  BlobPutResult,
  BlobRecord,
  BlobStore,
  BlobEntry,
  OpenBlob,
} from "./blob-store.ts";
import { Counts } from "../d1/counts.ts";

const CHECKSUM_MISMATCH = 10037;
const RANGE_NOT_SATISFIABLE = 10039;
const TOO_MANY_REQUESTS = 10058;
const ENTITY_TOO_LARGE = 100100;

/** R2's limit for one put: 5 MiB less than S3's 5 GiB. */
const PUT_MAX_BYTES = 5 * 1024 ** 3 - 5 * 1024 ** 2;

/** The mark's object. It is not listed as a blob, and no blob id equals it, since those begin with a bucket id. */
const RESERVED_PREFIX = "cairn/";
const MARK_ID = `${RESERVED_PREFIX}generation`;

export class R2BlobStore implements BlobStore {
  readonly #bucket: R2Bucket;
  readonly #counts: Counts;

  constructor(bucket: R2Bucket, counts: Counts) {
    this.#bucket = bucket;
    this.#counts = counts;
  }

  counted(calls: number): BlobStore {
    this.#counts.addBlobCalls(calls);
    return new R2BlobStore(this.#bucket, new Counts());
  }

  async put({ blobId, body, hash, recoveryMetadata, blobStorageClass }: BlobPut): Promise<BlobPutResult> {
    this.#counts.addBlobCalls(1);
    try {
      const stored = await this.#bucket.put(blobId, body, {
        // Ids are unique. If one is used twice nonetheless, the existing blob must survive.
        onlyIf: { etagDoesNotMatch: "*" },
        customMetadata: { ...recoveryMetadata },
        ...(blobStorageClass === "InfrequentAccess" ? { storageClass: blobStorageClass } : {}),
        ...hashOption(hash),
      });
      const md5 = stored?.checksums.md5;
      if (md5 === undefined) throw new S3Error("ServiceUnavailable");
      return { isStored: true, md5: new Uint8Array(md5) };
    } catch (error) {
      const code = r2Code(error);
      if (code === TOO_MANY_REQUESTS) throw new S3Error("SlowDown");
      if (code === ENTITY_TOO_LARGE) throw new S3Error("EntityTooLarge", { MaxSizeAllowed: PUT_MAX_BYTES });
      if (code !== CHECKSUM_MISMATCH) throw error;
      return { isStored: false, computed: /Actual [\w-]+ was: (\w+)/.exec(String(error))?.[1] };
    }
  }

  async putRecord({ blobId, bytes, recoveryMetadata }: BlobRecord): Promise<void> {
    this.#counts.addBlobCalls(1);
    // If the id exists, R2 stores nothing and returns null.
    await this.#bucket.put(blobId, bytes, {
      onlyIf: { etagDoesNotMatch: "*" },
      customMetadata: { ...recoveryMetadata },
    });
  }

  readMark(): Promise<Uint8Array | undefined> {
    return this.readReserved(MARK_ID);
  }

  writeMark(bytes: Uint8Array): Promise<void> {
    return this.writeReserved(MARK_ID, bytes);
  }

  async readReserved(name: string): Promise<Uint8Array | undefined> {
    this.#counts.addBlobCalls(1);
    const found = await this.#bucket.get(name);
    return found === null ? undefined : new Uint8Array(await found.arrayBuffer());
  }

  async writeReserved(name: string, bytes: Uint8Array): Promise<void> {
    this.#counts.addBlobCalls(1);
    await this.#bucket.put(name, bytes);
  }

  async listReservedFolders(prefix: string): Promise<string[]> {
    const folders: string[] = [];
    for (let cursor: string | undefined, isLast = false; !isLast;) {
      this.#counts.addBlobCalls(1);
      const page = await this.#bucket.list({ prefix, delimiter: "/", ...(cursor === undefined ? {} : { cursor }) });
      folders.push(...page.delimitedPrefixes.map((folder) => folder.slice(prefix.length, -1)));
      cursor = page.truncated ? page.cursor : undefined;
      isLast = cursor === undefined;
    }
    return folders;
  }

  async listReserved(prefix: string, after: string, limit: number): Promise<readonly string[]> {
    this.#counts.addBlobCalls(1);
    const { objects } = await this.#bucket.list({ prefix, startAfter: after, limit });
    return objects.map(({ key }) => key);
  }

  async deleteReserved(prefix: string): Promise<number> {
    this.#counts.addBlobCalls(1);
    const { objects } = await this.#bucket.list({ prefix });
    await this.delete(objects.map(({ key }) => key));
    return objects.length;
  }

  async has(blobId: string): Promise<boolean> {
    this.#counts.addBlobCalls(1);
    return (await this.#bucket.head(blobId)) !== null;
  }

  async get(blobId: string, range: ByteRange | undefined): Promise<ReadableStream<Uint8Array> | undefined> {
    this.#counts.addBlobCalls(1);
    try {
      const found = await this.#bucket.get(blobId, range === undefined ? {} : { range });
      // R2 truncates a range at the blob's end. The range fits the row's size, so the blob is damaged.
      if (found !== null && range !== undefined && range.offset + range.length > found.size) {
        await found.body.cancel().catch(() => undefined);
        throw new Error(`blob ${blobId} is shorter than its row says`);
      }
      return found?.body;
    } catch (error) {
      const code = r2Code(error);
      if (code === TOO_MANY_REQUESTS) throw new S3Error("SlowDown");
      if (code !== RANGE_NOT_SATISFIABLE) throw error;
      throw new Error(`blob ${blobId} is shorter than its row says`, { cause: error });
    }
  }

  async open(blobId: string): Promise<OpenBlob | undefined> {
    this.#counts.addBlobCalls(1);
    const found = await this.#bucket.get(blobId);
    if (found === null) return undefined;
    const { md5 } = found.checksums;
    return { body: found.body, md5: md5 === undefined ? undefined : new Uint8Array(md5) };
  }

  async head(blobId: string): Promise<BlobEntry | undefined> {
    this.#counts.addBlobCalls(1);
    const found = await this.#bucket.head(blobId);
    return found === null ? undefined : blobEntry(found);
  }

  async copyToInfrequentAccess({ sourceId, range, blobId, recoveryMetadata }: BlobCopy): Promise<boolean> {
    this.#counts.addBlobCalls(1);
    const found = await this.#bucket.get(sourceId, range === undefined ? {} : { range });
    if (found === null) return false;
    const length = range?.length ?? found.size;
    const { md5 } = found.checksums;
    this.#counts.addBlobCalls(1);
    const { readable, writable } = new FixedLengthStream(length);
    const stop = new AbortController();
    // If the source stream fails, the put fails too and reports the error.
    const piped = found.body.pipeTo(writable, { signal: stop.signal }).catch(() => undefined);
    try {
      await this.#bucket.put(blobId, readable, {
        onlyIf: { etagDoesNotMatch: "*" },
        customMetadata: { ...recoveryMetadata },
        storageClass: "InfrequentAccess",
        // A copy of the whole blob must have the same MD5.
        ...(md5 === undefined || length !== found.size ? {} : { md5 }),
      });
    } finally {
      // If the copy exists already, R2 does not read the rest of the stream.
      stop.abort();
      await piped;
    }
    return true;
  }

  async list(after: string | undefined, limit: number): Promise<BlobPage> {
    this.#counts.addBlobCalls(1);
    const start = after === undefined ? {} : { startAfter: after };
    const page = await this.#bucket.list({ ...start, limit, include: ["customMetadata"] });
    const blobs = page.objects.filter(({ key }) => !key.startsWith(RESERVED_PREFIX)).map(blobEntry);
    return { blobs, next: page.truncated ? page.objects.at(-1)?.key : undefined };
  }

  async delete(blobIds: readonly string[]): Promise<void> {
    if (blobIds.length === 0) return;
    this.#counts.addBlobCalls(1);
    await this.#bucket.delete([...blobIds]);
  }
}

function blobEntry({ key, size, uploaded, checksums: { md5 }, customMetadata, storageClass }: R2Object): BlobEntry {
  return {
    blobId: key,
    size,
    uploadedAt: uploaded.getTime(),
    md5: md5 === undefined ? undefined : new Uint8Array(md5),
    recoveryMetadata: customMetadata ?? {},
    isInfrequentAccess: storageClass === "InfrequentAccess",
  };
}

function hashOption(hash: BlobHash | undefined): Pick<R2PutOptions, "sha1" | "sha256"> {
  if (hash === undefined) return {};
  return hash.algorithm === "SHA-1" ? { sha1: hash.bytes } : { sha256: hash.bytes };
}

/** Reads the error code from the end of R2's message, the only place that contains it. */
function r2Code(error: unknown): number | undefined {
  const number = error instanceof Error ? /\((\d+)\)\s*$/.exec(error.message)?.[1] : undefined;
  return number === undefined ? undefined : Number(number);
}
