// The blob store of a local server: files on its disk, behind the service binding `DISK` (scripts/disk/server.ts).
// Translates the service's errors into S3 errors.
import { fromHex, toBase64, toHex } from "../../bytes/hex-base64.ts";
import { utf8 } from "../../bytes/text.ts";
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

/** The mark's object. It is no blob. */
const MARK_ID = "cairn/generation";

const DELETE_MAX_BLOBS = 1000;

const STATUS = { created: 201, badRequest: 400, missing: 404, exists: 409, range: 416, mismatch: 422, full: 507 };

/** A blob, as the service lists it. A damaged one has only a size. */
interface ListedBlob {
  readonly blobId: string;
  readonly size: number;
  readonly md5?: string;
  readonly uploadedAt?: number;
  readonly isInfrequentAccess?: boolean;
  readonly recoveryMetadata?: Readonly<Record<string, string>>;
}

export class DiskBlobStore implements BlobStore {
  readonly #disk: Fetcher;
  readonly #counts: Counts;

  constructor(disk: Fetcher, counts: Counts) {
    this.#disk = disk;
    this.#counts = counts;
  }

  counted(calls: number): BlobStore {
    this.#counts.addBlobCalls(calls);
    return new DiskBlobStore(this.#disk, new Counts());
  }

  async put({ blobId, body, hash, recoveryMetadata, blobStorageClass }: BlobPut): Promise<BlobPutResult> {
    const properties = {
      isInfrequentAccess: blobStorageClass === "InfrequentAccess",
      recoveryMetadata,
      ...(hash === undefined
        ? {}
        : { hash: { algorithm: hash.algorithm === "SHA-1" ? "sha1" : "sha256", digest: toHex(hash.bytes) } }),
    };
    const response = await this.#call("/blob", blobId, {
      method: "PUT",
      headers: { "cairn-properties": toBase64(utf8(JSON.stringify(properties))) },
      body,
    });
    if (response.status === STATUS.created) {
      return { isStored: true, md5: bytesOf((await response.json<{ md5: string }>()).md5) };
    }
    if (response.status === STATUS.mismatch) {
      return { isStored: false, computed: (await response.json<{ computed: string }>()).computed };
    }
    await this.#expect(response, STATUS.created);
    throw new S3Error("ServiceUnavailable");
  }

  async putRecord({ blobId, bytes, recoveryMetadata }: BlobRecord): Promise<void> {
    const put = { blobId, body: bytes, length: bytes.length, hash: undefined, recoveryMetadata };
    await this.put(put).catch((error: unknown) => {
      if (!(error instanceof ExistsError)) throw error;
    });
  }

  readMark(): Promise<Uint8Array | undefined> {
    return this.readReserved(MARK_ID);
  }

  writeMark(bytes: Uint8Array): Promise<void> {
    return this.writeReserved(MARK_ID, bytes);
  }

  async readReserved(name: string): Promise<Uint8Array | undefined> {
    const response = await this.#call("/reserved", name);
    return (await this.#expect(response, 200, STATUS.missing)) ? response.bytes() : undefined;
  }

  async writeReserved(name: string, bytes: Uint8Array): Promise<void> {
    await this.#expect(await this.#call("/reserved", name, { method: "PUT", body: bytes }), STATUS.created);
  }

  async listReservedFolders(prefix: string): Promise<string[]> {
    const response = await this.#call("/folders", prefix, { method: "POST" });
    await this.#expect(response, 200);
    return response.json();
  }

  async listReserved(prefix: string, after: string, limit: number): Promise<readonly string[]> {
    const body = JSON.stringify({ after, limit });
    const response = await this.#call("/list-reserved", prefix, { method: "POST", body });
    await this.#expect(response, 200);
    return response.json();
  }

  async deleteReserved(prefix: string): Promise<number> {
    const response = await this.#call("/delete-reserved", prefix, { method: "POST" });
    await this.#expect(response, 200);
    return (await response.json<{ count: number }>()).count;
  }

  async has(blobId: string): Promise<boolean> {
    return (await this.head(blobId)) !== undefined;
  }

  async get(blobId: string, range: ByteRange | undefined): Promise<ReadableStream<Uint8Array> | undefined> {
    return (await this.#read(blobId, range))?.body;
  }

  open(blobId: string): Promise<OpenBlob | undefined> {
    return this.#read(blobId, undefined);
  }

  async #read(blobId: string, range: ByteRange | undefined): Promise<OpenBlob | undefined> {
    const headers =
      range === undefined ? {} : { headers: { range: `bytes=${range.offset}-${range.offset + range.length - 1}` } };
    const response = await this.#call("/blob", blobId, headers);
    if (response.status === STATUS.range) {
      await response.body?.cancel();
      throw new Error(`blob ${blobId} is shorter than its row says`);
    }
    if (!(await this.#expect(response, 200, STATUS.missing))) return undefined;
    const md5 = response.headers.get("cairn-md5");
    return { body: response.body ?? emptyStream(), md5: md5 === null ? undefined : bytesOf(md5) };
  }

  async head(blobId: string): Promise<BlobEntry | undefined> {
    const response = await this.#call("/head", blobId, { method: "POST" });
    return (await this.#expect(response, 200, STATUS.missing)) ? entryOf(await response.json()) : undefined;
  }

  async copyToInfrequentAccess({ sourceId, range, blobId, recoveryMetadata }: BlobCopy): Promise<boolean> {
    const body = JSON.stringify({ sourceId, range, recoveryMetadata, isInfrequentAccess: true });
    const response = await this.#call("/copy", blobId, { method: "POST", body });
    const exists = await this.#expect(response, 200, STATUS.missing);
    if (exists) await response.body?.cancel();
    return exists;
  }

  async list(after: string | undefined, limit: number): Promise<BlobPage> {
    const response = await this.#call("/list", after ?? "", { method: "POST", body: JSON.stringify({ limit }) });
    await this.#expect(response, 200);
    const { blobs, next } = await response.json<{ blobs: readonly ListedBlob[]; next?: string }>();
    return { blobs: blobs.map(entryOf), next };
  }

  async delete(blobIds: readonly string[]): Promise<void> {
    for (let first = 0; first < blobIds.length; first += DELETE_MAX_BLOBS) {
      const body = JSON.stringify(blobIds.slice(first, first + DELETE_MAX_BLOBS));
      const response = await this.#call("/delete", "", { method: "POST", body });
      await this.#expect(response, 200);
      await response.body?.cancel();
    }
  }

  async #call(path: string, id: string, init: RequestInit = {}): Promise<Response> {
    this.#counts.addBlobCalls(1);
    return this.#disk.fetch(`http://disk${path}?id=${encodeURIComponent(id)}`, init);
  }

  /**
   * Returns whether a response has the expected status; false for the status that reports a missing object.
   * @throws S3Error InsufficientStorage, ExistsError, and errors of the service
   */
  async #expect(response: Response, expected: number, missing?: number): Promise<boolean> {
    const { status } = response;
    if (status === expected) return true;
    const text = await response.text();
    if (status === missing) return false;
    if (status === STATUS.full) throw new S3Error("InsufficientStorage", {}, DISK_FULL);
    if (status === STATUS.exists) throw new ExistsError("ServiceUnavailable");
    throw new Error(`the disk store answered with ${status}: ${text}`);
  }
}

const DISK_FULL =
  "The disk that stores the objects is full, and nothing was changed. Reads go on. Delete objects, versions or uploads to make room.";

/** The id of a put is in use. */
class ExistsError extends S3Error {}

function entryOf({ blobId, size, md5, uploadedAt, isInfrequentAccess, recoveryMetadata }: ListedBlob): BlobEntry {
  return {
    blobId,
    size,
    uploadedAt: uploadedAt ?? 0,
    md5: md5 === undefined ? undefined : bytesOf(md5),
    recoveryMetadata: recoveryMetadata ?? {},
    isInfrequentAccess: isInfrequentAccess === true,
  };
}

function bytesOf(hexadecimal: string): Uint8Array {
  return fromHex(hexadecimal) ?? new Uint8Array();
}

function emptyStream(): ReadableStream<Uint8Array> {
  return new Blob([]).stream();
}
