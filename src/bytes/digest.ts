// Digests and CRCs, all by the runtime's own code: DigestStream knows the three CRCs of S3 beside the hashes.

export type DigestAlgorithm = "MD5" | "SHA-1" | "SHA-256" | "crc32" | "crc32c" | "crc64nvme";

/** A digest over bytes that arrive in pieces. */
export class RunningDigest {
  readonly #stream: DigestStream;
  readonly #writer: WritableStreamDefaultWriter<ArrayBuffer | ArrayBufferView>;

  constructor(algorithm: DigestAlgorithm) {
    this.#stream = new crypto.DigestStream(algorithm);
    this.#writer = this.#stream.getWriter();
  }

  /** Takes the next piece. The piece may be reused once the promise has resolved. */
  async update(piece: Uint8Array): Promise<void> {
    if (piece.length > 0) await this.#writer.write(piece);
  }

  /** Ends the digest; big-endian for the CRCs, as S3 writes them. */
  async finish(): Promise<Uint8Array> {
    await this.#writer.close();
    return new Uint8Array(await this.#stream.digest);
  }

  /** Gives the digest up without a result. */
  abandon(): void {
    // An aborted digest rejects its result, which nobody waits for.
    this.#stream.digest.catch(() => undefined);
    this.#writer.abort(new Error("digest abandoned")).catch(() => undefined);
  }
}

/** The digest of bytes at hand. */
export async function digest(algorithm: DigestAlgorithm, bytes: Uint8Array): Promise<Uint8Array> {
  if (algorithm === "SHA-256" || algorithm === "SHA-1" || algorithm === "MD5") {
    return new Uint8Array(await crypto.subtle.digest(algorithm, bytes));
  }
  const running = new RunningDigest(algorithm);
  await running.update(bytes);
  return running.finish();
}

/** Whether two digests are equal, in time that depends on their lengths alone. */
export function digestsEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && crypto.subtle.timingSafeEqual(left, right);
}
