// Digests, CRCs and hashes. The runtime's DigestStream computes most; it is slow at CRC-64/NVME and has no xxHash, which
// WebAssembly modules compute.
import { startCrc64Nvme } from "./crc64nvme.ts";
import { isXxhash, Xxhash, type XxhashAlgorithm } from "./xxhash.ts";

/** The algorithms of the runtime. */
type RuntimeAlgorithm = "MD5" | "SHA-1" | "SHA-256" | "SHA-512" | "crc32" | "crc32c" | "crc64nvme";
export type DigestAlgorithm = RuntimeAlgorithm | XxhashAlgorithm;

interface Computed extends Pick<StreamedDigest, "finish" | "abandon"> {
  update(piece: Uint8Array): Promise<void> | void;
}

/** A digest over bytes that arrive in pieces. */
export class RunningDigest {
  readonly #running: Computed;

  constructor(algorithm: DigestAlgorithm) {
    this.#running = isXxhash(algorithm)
      ? computed(new Xxhash(algorithm))
      : (computed(algorithm === "crc64nvme" ? startCrc64Nvme() : undefined) ?? new StreamedDigest(algorithm));
  }

  /** Adds the next piece, which the caller may reuse once the promise resolves. */
  async update(piece: Uint8Array): Promise<void> {
    if (piece.length > 0) await this.#running.update(piece);
  }

  /** Returns the digest; CRCs and xxHashes are big-endian, as in S3. */
  async finish(): Promise<Uint8Array> {
    return this.#running.finish();
  }

  /** Discards the digest. */
  abandon(): void {
    this.#running.abandon();
  }
}

/** A hash that a WebAssembly module computes. */
interface Computation {
  update(piece: Uint8Array): void;
  finish(): Uint8Array;
}

function computed(hash: Computation): Computed;
function computed(hash: Computation | undefined): Computed | undefined;
function computed(hash: Computation | undefined): Computed | undefined {
  if (hash === undefined) return undefined;
  return {
    update: (piece) => hash.update(piece),
    finish: () => Promise.resolve(hash.finish()),
    abandon: () => undefined,
  };
}

/** A digest of the runtime. */
class StreamedDigest {
  readonly #stream: DigestStream;
  readonly #writer: WritableStreamDefaultWriter<ArrayBuffer | ArrayBufferView>;

  constructor(algorithm: RuntimeAlgorithm) {
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
  if (algorithm === "SHA-256" || algorithm === "SHA-1" || algorithm === "MD5" || algorithm === "SHA-512") {
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
