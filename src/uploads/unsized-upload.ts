// Stores an object whose length is not announced, although the store needs a blob's length before its first byte. Bytes
// are collected in memory up to the size of a slice; each full slice is stored as a blob of its own.
import { GrowingBuffer } from "../bytes/growing-buffer.ts";
import { toBase64, toHex } from "../bytes/hex-base64.ts";
import { timeOrderedId } from "../bytes/random-id.ts";
import { PieceReader } from "../bytes/streams.ts";
import type { Context } from "../contract/context.ts";
import {
  DEFAULT_ALGORITHM,
  digestAlgorithm,
  NOTHING_ANNOUNCED,
  type ChecksumAlgorithm,
  type ChecksumAnnouncement,
} from "../protocol/core/checksums.ts";
import type { UnsizedBody } from "../protocol/core/incoming-body.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { storeBody } from "../state/blobs/store-body.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { proofIdOf } from "../state/metadata/completion-proofs.ts";
import type { Slice } from "../state/metadata/manifests.ts";
import { BodyDigests } from "./body-digests.ts";
import { bodyOfBytes } from "./measured-body.ts";
import {
  commitNewObject,
  freshDestination,
  refuseTooLarge,
  storeNewObject,
  type NewObject,
  type StoredNewObject,
  type StoredSlices,
} from "./new-object.ts";

/** The bytes of a slice, which are held in memory: 5 GiB are 640 slices. */
const SLICE_BYTES = 8 * 1024 ** 2;
const ETAG_BYTES = 16;

/**
 * Stores a body without a length and commits it as a new object.
 * @throws S3Error IncompleteBody, EntityTooLarge past 5 GiB, BadDigest, XAmzContentSHA256Mismatch, and what
 *   {@link storeNewObject} and {@link commitNewObject} throw
 */
export async function storeUnsized(
  context: Context,
  bucket: Bucket,
  object: NewObject,
  body: UnsizedBody,
  announced: ChecksumAnnouncement,
): Promise<StoredNewObject> {
  const slices = new SliceWriter(context, bucket, object, body.sha256, announced);
  const buffer = new GrowingBuffer(SLICE_BYTES);
  const reader = new PieceReader(body.stream);
  try {
    for (let piece = await readPiece(reader); piece !== undefined; piece = await readPiece(reader)) {
      for (let rest = piece; rest.length > 0;) {
        // A full slice is stored only when a byte follows, so a body of one slice is stored like any other.
        if (buffer.room === 0) {
          await slices.write(buffer.bytes);
          buffer.clear();
        }
        const fitting = rest.subarray(0, buffer.room);
        buffer.append(fitting);
        rest = rest.subarray(fitting.length);
        refuseTooLarge(slices.size + buffer.bytes.length);
      }
    }
    if (slices.size > 0) await slices.write(buffer.bytes);
  } catch (error) {
    reader.cancel();
    slices.discard();
    throw error;
  }
  if (slices.size === 0) {
    return storeNewObject(context, bucket, object, bodyOfBytes(buffer.bytes, body.sha256), announced);
  }
  return commitNewObject(context, bucket, object, await slices.finish());
}

/** @throws S3Error IncompleteBody when the client disconnects */
async function readPiece(reader: PieceReader): Promise<Uint8Array | undefined> {
  try {
    return await reader.read();
  } catch {
    throw new S3Error("IncompleteBody", {}, "The request body terminated unexpectedly");
  }
}

/** Stores the slices of one object. */
class SliceWriter {
  readonly #context: Context;
  readonly #bucket: Bucket;
  readonly #object: NewObject;
  readonly #algorithm: ChecksumAlgorithm;
  readonly #uploadId: string;
  readonly #slices: Slice[] = [];
  readonly #digests: BodyDigests;
  #size = 0;

  constructor(
    context: Context,
    bucket: Bucket,
    object: NewObject,
    sha256: Uint8Array | undefined,
    announced: ChecksumAnnouncement,
  ) {
    this.#context = context;
    this.#bucket = bucket;
    this.#object = object;
    this.#uploadId = timeOrderedId(context.now);
    this.#algorithm = announced.algorithm ?? DEFAULT_ALGORITHM;
    this.#digests = new BodyDigests(announced, sha256, ["MD5"]);
  }

  /** The stored bytes. */
  get size(): number {
    return this.#size;
  }

  /** Stores the next slice. */
  async write(bytes: Uint8Array): Promise<void> {
    const slice = { role: "slice", uploadId: this.#uploadId, partNumber: this.#slices.length + 1 } as const;
    const destination = freshDestination(this.#context, this.#bucket, this.#object, slice);
    const { blobId } = destination;
    this.#slices.push({ start: this.#size, blobId, offset: 0, length: bytes.length });
    this.#size += bytes.length;
    await this.#digests.update(bytes);
    await storeBody(this.#context.blobs, destination, bodyOfBytes(bytes), NOTHING_ANNOUNCED);
  }

  /** Verifies what the request announced. @throws S3Error BadDigest, XAmzContentSHA256Mismatch */
  async finish(): Promise<StoredSlices> {
    try {
      return await this.#verified();
    } catch (error) {
      this.#deleteBlobs();
      throw error;
    }
  }

  /** Gives the slices up. No row references their blobs and none ever will. */
  discard(): void {
    this.#digests.abandon();
    this.#deleteBlobs();
  }

  #deleteBlobs(): void {
    const blobIds = this.#slices.map(({ blobId }) => blobId);
    if (blobIds.length > 0) this.#context.waitUntil(this.#context.blobs.delete(blobIds));
  }

  async #verified(): Promise<StoredSlices> {
    const digestOf = await this.#digests.verified();
    const algorithm = this.#algorithm;
    const blobIds = this.#slices.map(({ blobId }) => blobId);
    const manifestId = `${this.#bucket.id}/${this.#uploadId}`;
    const isEncrypted = this.#object.encryption !== undefined;
    return {
      size: this.#size,
      etag: toHex(isEncrypted ? crypto.getRandomValues(new Uint8Array(ETAG_BYTES)) : digestOf("MD5")),
      checksum: { algorithm, type: "FULL_OBJECT", value: toBase64(digestOf(digestAlgorithm(algorithm))) },
      manifest: {
        manifestId,
        slices: this.#slices,
        parts: [{ partNumber: 1, start: 0, size: this.#size, checksum: undefined }],
        references: [...blobIds, proofIdOf(manifestId)],
      },
      blobIds,
    };
  }
}
