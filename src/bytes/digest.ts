// Digests and CRCs, computed by the runtime's DigestStream. It supports S3's three CRCs, but it is slow at CRC-64/NVME.
import { startCrc64Nvme } from "./crc64nvme.ts";

export type DigestAlgorithm = "MD5" | "SHA-1" | "SHA-256" | "crc32" | "crc32c" | "crc64nvme";

/** A digest over bytes that arrive in pieces. */
export class RunningDigest {
  readonly #running: Pick<StreamedDigest, "finish" | "abandon"> & {
    update(piece: Uint8Array): Promise<void> | void;
  };

  constructor(algorithm: DigestAlgorithm) {
    this.#running = (algorithm === "crc64nvme" ? computedCrc() : undefined) ?? new StreamedDigest(algorithm);
  }

  /** Adds the next piece, which the caller may reuse once the promise resolves. */
  async update(piece: Uint8Array): Promise<void> {
    if (piece.length > 0) await this.#running.update(piece);
  }

  /** Returns the digest; CRCs are big-endian, as in S3. */
  async finish(): Promise<Uint8Array> {
    return this.#running.finish();
  }

  /** Discards the digest. */
  abandon(): void {
    this.#running.abandon();
  }
}

function computedCrc() {
  const crc = startCrc64Nvme();
  if (crc === undefined) return undefined;
  return {
    update: (piece: Uint8Array) => crc.update(piece),
    finish: () => Promise.resolve(crc.finish()),
    abandon: () => undefined,
  };
}

/** A digest of the runtime. */
class StreamedDigest {
  readonly #stream: DigestStream;
  readonly #writer: WritableStreamDefaultWriter<ArrayBuffer | ArrayBufferView>;

  constructor(algorithm: DigestAlgorithm) {
    this.#stream = new crypto.DigestStream(algorithm);
    this.#writer = this.#stream.getWriter();
  }

  async update(piece: Uint8Array): Promise<void> {
    await this.#writer.write(piece);
  }

  async finish(): Promise<Uint8Array> {
    await this.#writer.close();
    return new Uint8Array(await this.#stream.digest);
  }

  abandon(): void {
    // An aborted digest rejects its promise, which has no other handler.
    this.#stream.digest.catch(() => undefined);
    this.#writer.abort(new Error("digest abandoned")).catch(() => undefined);
  }
}

/** The digest of bytes in memory. */
export async function digest(algorithm: DigestAlgorithm, bytes: Uint8Array): Promise<Uint8Array> {
  if (algorithm === "SHA-256" || algorithm === "SHA-1" || algorithm === "MD5") {
    return new Uint8Array(await crypto.subtle.digest(algorithm, bytes));
  }
  const running = new RunningDigest(algorithm);
  await running.update(bytes);
  return running.finish();
}

/** Whether two digests are equal. The time depends only on their lengths. */
export function digestsEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && crypto.subtle.timingSafeEqual(left, right);
}
