// Reads single objects of an S3 store, and what their headers say. Distinguishes a missing object from a missing bucket,
// because a wrong setting must not make every blob look lost.
import { fromHex } from "../../bytes/hex-base64.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { BlobStorageClass } from "../../protocol/lifecycle/blob-storage-class.ts";
import type { Counts } from "../d1/counts.ts";
import type { BlobEntry } from "./blob-store.ts";
import type { S3Call, S3Client } from "./s3-client.ts";
import { readFailure } from "./s3-documents.ts";
import { companionOf, decodeMetadata, isInCompanion, metadataOfHeaders } from "./s3-metadata.ts";

const INFREQUENT_ACCESS = "STANDARD_IA";

/** An object opened for reading. */
export interface OpenS3Object {
  readonly body: ReadableStream<Uint8Array>;
  readonly headers: Headers;
}

export class S3Reader {
  readonly #client: S3Client;
  readonly #counts: Counts;

  constructor(client: S3Client, counts: Counts) {
    this.#client = client;
    this.#counts = counts;
  }

  /** An object's headers; undefined if it does not exist. */
  async head(key: string): Promise<Headers | undefined> {
    const call = { operation: "HeadObject", method: "HEAD", key } as const;
    const response = await this.#client.send(call, this.#counts);
    if (response.status === 200) return response.headers;
    if (response.status !== 404) throw refusal(call, response);
    // This response has no body, and is the same for a missing bucket.
    const bucketCall = { operation: "HeadBucket", method: "HEAD" } as const;
    const bucket = await this.#client.send(bucketCall, this.#counts);
    if (bucket.status !== 200) throw refusal(bucketCall, bucket);
    return undefined;
  }

  /** Opens an object; undefined if it does not exist. */
  async get(key: string, range: ByteRange | undefined): Promise<OpenS3Object | undefined> {
    const headers = range === undefined ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
    const call = { operation: "GetObject", method: "GET", key, headers } as const;
    const response = await this.#client.send(call, this.#counts);
    const { status, body } = response;
    if (status === (range === undefined ? 200 : 206)) {
      const length = Number(response.headers.get("content-length") ?? Number.NaN);
      // The range fits the row's size, so the blob is damaged.
      if (range !== undefined && length < range.length) {
        await body?.cancel().catch(() => undefined);
        throw new Error(`blob ${key} is shorter than its row says`);
      }
      return { body: body ?? emptyStream(), headers: response.headers };
    }
    if (status === 200) {
      await body?.cancel().catch(() => undefined);
      throw new Error("the blob store does not support ranges");
    }
    const document = await response.bytes();
    if (status === 404 && readFailure(document)?.code === "NoSuchKey") return undefined;
    if (status === 416) throw new Error(`blob ${key} is shorter than its row says`);
    throw refusal(call, response, document);
  }

  /** Reads a small object; undefined if it does not exist. */
  async bytes(key: string): Promise<Uint8Array | undefined> {
    const found = await this.get(key, undefined);
    return found === undefined ? undefined : new Response(found.body).bytes();
  }

  /** The recovery metadata of a blob with these headers. */
  async metadata(blobId: string, headers: Headers): Promise<Readonly<Record<string, string>>> {
    if (!isInCompanion(headers)) return metadataOfHeaders(headers);
    return decodeMetadata((await this.bytes(companionOf(blobId))) ?? new Uint8Array());
  }
}

/** The header that selects a storage class. */
export function blobStorageHeaders(blobStorageClass: BlobStorageClass | undefined): Readonly<Record<string, string>> {
  return blobStorageClass === "InfrequentAccess" ? { "x-amz-storage-class": INFREQUENT_ACCESS } : {};
}

/** The MD5 in an object's ETag; undefined if the object was uploaded in parts or is encrypted with a key of its own. */
export function md5Of(headers: Headers): Uint8Array | undefined {
  const isEncrypted =
    headers.get("x-amz-server-side-encryption")?.startsWith("aws:kms") === true ||
    headers.has("x-amz-server-side-encryption-customer-algorithm");
  const digits = /^(?:W\/)?"?([0-9a-f]{32})"?$/i.exec(headers.get("etag") ?? "")?.[1];
  return isEncrypted || digits === undefined ? undefined : fromHex(digits);
}

export function entryOf(
  blobId: string,
  headers: Headers,
  md5: Uint8Array | undefined,
  recoveryMetadata: Readonly<Record<string, string>>,
): BlobEntry {
  const size = Number(headers.get("content-length") ?? Number.NaN);
  const uploadedAt = Date.parse(headers.get("last-modified") ?? "");
  // A guessed time or size could make the orphan scan purge a blob.
  if (!Number.isSafeInteger(size) || Number.isNaN(uploadedAt)) {
    throw new Error("the blob store answered HeadObject without Content-Length or Last-Modified");
  }
  const isInfrequentAccess = headers.get("x-amz-storage-class") === INFREQUENT_ACCESS;
  return { blobId, size, uploadedAt, md5, recoveryMetadata, isInfrequentAccess };
}

/** The error for a response that refuses a call. Contains the status and code alone. */
export function refusal(
  { operation }: Pick<S3Call, "operation">,
  { status }: Response,
  document: Uint8Array = new Uint8Array(),
): Error {
  const code = readFailure(document)?.code ?? "";
  if (code === "EntityTooLarge") return new S3Error("EntityTooLarge");
  if (code === "InvalidStorageClass") return new S3Error("InvalidStorageClass");
  return new Error(`the blob store refused ${operation}: ${status} ${code}`.trimEnd());
}

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.close();
    },
  });
}
