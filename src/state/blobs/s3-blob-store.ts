// The blob store in a bucket of any S3 endpoint. Translates the endpoint's errors into S3 errors.
import { digestsEqual, RunningDigest } from "../../bytes/digest.ts";
import { toBase64, toHex } from "../../bytes/hex-base64.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import { Counts } from "../d1/counts.ts";
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
import { contentMd5, type S3Call, type S3Client } from "./s3-client.ts";
import { deleteDocument, readDeleteFailure, readFailure, readKeyPage } from "./s3-documents.ts";
import { AFTER_RESERVED, companionOf, encodeMetadata, MARK_ID, RESERVED_PREFIX } from "./s3-metadata.ts";
import { blobStorageHeaders, entryOf, md5Of, refusal, S3Reader } from "./s3-reader.ts";
import { notStored } from "./s3-put-result.ts";
import { S3ReservedObjects } from "./s3-reserved.ts";

const CREATE_ONLY = { "if-none-match": "*" };

/** DeleteObjects takes 1000 keys: blobs and their companions. */
const DELETE_MAX_BLOBS = 500;

/** S3 lists no metadata, so that each listed blob costs a HeadObject. */
const PARALLEL_HEADS = 6;

/** Some stores answer a copy only when all bytes are copied. */
const COPY_TIMEOUT_MS = 600_000;

export class S3BlobStore implements BlobStore {
  readonly #client: S3Client;
  readonly #counts: Counts;
  readonly #reader: S3Reader;
  readonly #reserved: S3ReservedObjects;

  constructor(client: S3Client, counts: Counts) {
    this.#client = client;
    this.#counts = counts;
    this.#reader = new S3Reader(client, counts);
    this.#reserved = new S3ReservedObjects(client, counts);
  }

  counted(calls: number): BlobStore {
    this.#counts.addBlobCalls(calls);
    return new S3BlobStore(this.#client, new Counts());
  }

  async put(put: BlobPut): Promise<BlobPutResult> {
    const { blobId, hash, recoveryMetadata, blobStorageClass } = put;
    const { headers, companion } = encodeMetadata(recoveryMetadata);
    // The companion comes first, so that no blob lacks its metadata.
    if (companion !== undefined) await this.#create(companionOf(blobId), companion, {});
    const sha1 = hash?.algorithm === "SHA-1" ? hash.bytes : undefined;
    try {
      const result = await this.#putStream(put, sha1, {
        ...headers,
        ...CREATE_ONLY,
        ...blobStorageHeaders(blobStorageClass),
        ...(sha1 === undefined ? {} : { "x-amz-checksum-sha1": toBase64(sha1) }),
      });
      if (!result.isStored && companion !== undefined) await this.#deleteUnusedCompanion(blobId);
      return result;
    } catch (error) {
      if (companion !== undefined) await this.#deleteUnusedCompanion(blobId).catch(() => undefined);
      throw error;
    }
  }

  async #putStream(
    { blobId, body, length, hash }: BlobPut,
    sha1: Uint8Array | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<BlobPutResult> {
    // Until a put shows that the store's ETags are MD5s, the MD5 is computed here.
    const md5 = this.#client.etagIsMd5 === true ? undefined : new RunningDigest("MD5");
    // A store may ignore the checksum header without an error.
    const ownSha1 = sha1 === undefined ? undefined : new RunningDigest("SHA-1");
    const digests = [md5, ownSha1].filter((it) => it !== undefined);
    const sha256 = hash?.algorithm === "SHA-256" ? toHex(hash.bytes) : undefined;
    try {
      const response = await this.#client.send(
        {
          operation: "PutObject",
          method: "PUT",
          key: blobId,
          headers,
          stream: { body, length, sha256, digests },
        },
        this.#counts,
      );
      const document = await response.bytes();
      if (response.status !== 200) return notStored(response, document, hash !== undefined);
      const computedSha1 = await ownSha1?.finish();
      if (sha1 !== undefined && computedSha1 !== undefined && !digestsEqual(sha1, computedSha1)) {
        await this.delete([blobId]);
        return { isStored: false, computed: toHex(computedSha1) };
      }
      return { isStored: true, md5: this.#md5Of(response.headers, await md5?.finish()) };
    } catch (error) {
      for (const digest of digests) digest.abandon();
      throw error;
    }
  }

  /** The MD5 of a put: the computed one, or the ETag of a store whose ETags are MD5s. */
  #md5Of(headers: Headers, computed: Uint8Array | undefined): Uint8Array {
    const reported = md5Of(headers);
    if (computed !== undefined) {
      this.#client.etagIsMd5 = reported !== undefined && digestsEqual(reported, computed);
      return computed;
    }
    if (reported !== undefined) return reported;
    // The bucket's encryption has changed since. The next put computes its MD5.
    this.#client.etagIsMd5 = false;
    throw new S3Error("ServiceUnavailable");
  }

  async #deleteUnusedCompanion(blobId: string): Promise<void> {
    if (!(await this.has(blobId))) await this.delete([blobId]);
  }

  async putRecord({ blobId, bytes, recoveryMetadata }: BlobRecord): Promise<void> {
    const { headers, companion } = encodeMetadata(recoveryMetadata);
    if (companion !== undefined) await this.#create(companionOf(blobId), companion, {});
    await this.#create(blobId, bytes, headers);
  }

  /** Puts an object unless its key exists. */
  async #create(key: string, bytes: Uint8Array, headers: Readonly<Record<string, string>>): Promise<void> {
    const call = {
      operation: "PutObject",
      method: "PUT",
      key,
      bytes,
      headers: { ...headers, ...CREATE_ONLY },
    } as const;
    const response = await this.#client.send(call, this.#counts);
    const document = await response.bytes();
    if (response.status !== 200 && response.status !== 412) throw refusal(call, response, document);
  }

  readMark(): Promise<Uint8Array | undefined> {
    return this.readReserved(MARK_ID);
  }

  writeMark(bytes: Uint8Array): Promise<void> {
    return this.writeReserved(MARK_ID, bytes);
  }

  readReserved(name: string): Promise<Uint8Array | undefined> {
    return this.#reader.bytes(name);
  }

  writeReserved(name: string, bytes: Uint8Array): Promise<void> {
    return this.#reserved.write(name, bytes);
  }

  listReservedFolders(prefix: string): Promise<string[]> {
    return this.#reserved.folders(prefix);
  }

  listReserved(prefix: string, after: string, limit: number): Promise<readonly string[]> {
    return this.#reserved.names(prefix, after, limit);
  }

  async deleteReserved(prefix: string): Promise<number> {
    const names = await this.#reserved.names(prefix);
    await this.delete(names);
    return names.length;
  }

  async has(blobId: string): Promise<boolean> {
    return (await this.#reader.head(blobId)) !== undefined;
  }

  async get(blobId: string, range: ByteRange | undefined): Promise<ReadableStream<Uint8Array> | undefined> {
    return (await this.#reader.get(blobId, range))?.body;
  }

  async open(blobId: string): Promise<OpenBlob | undefined> {
    const found = await this.#reader.get(blobId, undefined);
    return found === undefined ? undefined : { body: found.body, md5: this.#storedMd5(found.headers) };
  }

  async head(blobId: string): Promise<BlobEntry | undefined> {
    const headers = await this.#reader.head(blobId);
    if (headers === undefined) return undefined;
    return entryOf(blobId, headers, this.#storedMd5(headers), await this.#reader.metadata(blobId, headers));
  }

  #storedMd5(headers: Headers): Uint8Array | undefined {
    return this.#client.etagIsMd5 === false ? undefined : md5Of(headers);
  }

  async copyToInfrequentAccess(copy: BlobCopy): Promise<boolean> {
    const { sourceId, range, blobId, recoveryMetadata } = copy;
    // Stores differ in their conditions for copies. Ids are unique, so that only a repeated call finds a copy.
    if (await this.has(blobId)) return true;
    if (range !== undefined) return this.#copyRange(copy, range);
    const { headers, companion } = encodeMetadata(recoveryMetadata);
    if (companion !== undefined) await this.#create(companionOf(blobId), companion, {});
    const call = {
      operation: "CopyObject",
      method: "PUT",
      key: blobId,
      headers: {
        ...headers,
        ...blobStorageHeaders("InfrequentAccess"),
        "x-amz-copy-source": this.#client.copySource(sourceId),
        "x-amz-metadata-directive": "REPLACE",
      },
      timeoutMs: COPY_TIMEOUT_MS,
    } as const;
    const response = await this.#client.send(call, this.#counts);
    const document = await response.bytes();
    const failure = readFailure(document);
    // A copy can fail after its status is sent.
    if (response.status === 200 && failure === undefined) return true;
    if (companion !== undefined) await this.#deleteUnusedCompanion(blobId);
    if (response.status === 404 && failure?.code === "NoSuchKey") return false;
    throw refusal(call, response, document);
  }

  /** Streams a range into a new blob. A part copy would need an upload of its own and have no MD5. */
  async #copyRange({ sourceId, blobId, recoveryMetadata }: BlobCopy, range: ByteRange): Promise<boolean> {
    const found = await this.#reader.get(sourceId, range);
    if (found === undefined) return false;
    const { body } = found;
    const put = { blobId, body, length: range.length, hash: undefined, recoveryMetadata };
    await this.put({ ...put, blobStorageClass: "InfrequentAccess" });
    return true;
  }

  async list(after: string | undefined, limit: number): Promise<BlobPage> {
    const start = after === undefined ? {} : { "start-after": after };
    const call = {
      operation: "ListObjectsV2",
      method: "GET",
      query: { "list-type": "2", "max-keys": String(limit), ...start },
    } as const;
    const page = readKeyPage(await this.#expectSuccess(call));
    if (page === undefined) throw new Error("the blob store answered ListObjectsV2 with no listing");
    const { keys, isTruncated } = page;
    const blobIds = keys.filter((key) => !key.startsWith(RESERVED_PREFIX));
    const heads: (BlobEntry | undefined)[] = Array.from(blobIds, () => undefined);
    const waiting = blobIds.entries();
    await Promise.all(
      Array.from({ length: PARALLEL_HEADS }, async () => {
        // All share one iterator.
        for (const [index, blobId] of waiting) heads[index] = await this.head(blobId);
      }),
    );
    const last = keys.at(-1);
    const next = last?.startsWith(RESERVED_PREFIX) === true ? AFTER_RESERVED : last;
    // A blob without a head was deleted since.
    return { blobs: heads.filter((it) => it !== undefined), next: isTruncated ? next : undefined };
  }

  async delete(blobIds: readonly string[]): Promise<void> {
    for (let first = 0; first < blobIds.length; first += DELETE_MAX_BLOBS) {
      const ids = blobIds.slice(first, first + DELETE_MAX_BLOBS);
      const bytes = deleteDocument(ids.flatMap((blobId) => [blobId, companionOf(blobId)]));
      const document = await this.#expectSuccess({
        operation: "DeleteObjects",
        method: "POST",
        query: { delete: "" },
        headers: { "content-md5": await contentMd5(bytes), "content-type": "application/xml" },
        bytes,
      });
      const code = readDeleteFailure(document);
      if (code !== undefined) throw new Error(`the blob store did not delete all blobs: ${code}`);
    }
  }

  async #expectSuccess(call: S3Call): Promise<Uint8Array> {
    const response = await this.#client.send(call, this.#counts);
    const document = await response.bytes();
    if (response.status !== 200) throw refusal(call, response, document);
    return document;
  }
}
