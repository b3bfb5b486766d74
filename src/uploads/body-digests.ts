// The digests of a body that is not stored as it arrives, and their comparison with what its request announced.
import { digestsEqual, RunningDigest, type DigestAlgorithm } from "../bytes/digest.ts";
import { toHex } from "../bytes/hex-base64.ts";
import {
  checkChecksum,
  checkContentMd5,
  checksumHeader,
  DEFAULT_ALGORITHM,
  digestAlgorithm,
  readDigest,
  type ChecksumAnnouncement,
} from "../protocol/core/checksums.ts";
import { S3Error } from "../protocol/core/s3-error.ts";

/** Returns a computed digest. */
export type ComputedDigests = (algorithm: DigestAlgorithm) => Uint8Array;

export class BodyDigests {
  readonly #announced: ChecksumAnnouncement;
  readonly #sha256: Uint8Array | undefined;
  readonly #running: ReadonlyMap<DigestAlgorithm, RunningDigest>;

  /**
   * @param sha256 the signed hash of the payload
   * @param further algorithms to compute in addition to those that the request needs
   */
  constructor(announced: ChecksumAnnouncement, sha256: Uint8Array | undefined, further: readonly DigestAlgorithm[]) {
    this.#announced = announced;
    this.#sha256 = sha256;
    const algorithms = new Set(further);
    algorithms.add(digestAlgorithm(announced.algorithm ?? DEFAULT_ALGORITHM));
    if (announced.contentMd5 !== undefined) algorithms.add("MD5");
    if (sha256 !== undefined) algorithms.add("SHA-256");
    this.#running = new Map(Array.from(algorithms, (algorithm) => [algorithm, new RunningDigest(algorithm)]));
  }

  /** Adds the next piece, which the caller may reuse once the promise resolves. */
  async update(piece: Uint8Array): Promise<void> {
    for (const digest of this.#running.values()) await digest.update(piece);
  }

  /** Discards the digests. */
  abandon(): void {
    for (const digest of this.#running.values()) digest.abandon();
  }

  /**
   * Returns the digests, after comparing them with everything that the request announced.
   * @param trailers the trailers by lower-case name
   * @throws S3Error BadDigest, XAmzContentSHA256Mismatch, InvalidRequest for a malformed trailer
   */
  async verified(trailers: ReadonlyMap<string, string> = new Map()): Promise<ComputedDigests> {
    const computed = new Map<DigestAlgorithm, Uint8Array>();
    for (const [algorithm, digest] of this.#running) computed.set(algorithm, await digest.finish());
    const of: ComputedDigests = (algorithm) => computed.get(algorithm) ?? new Uint8Array();
    const { algorithm = DEFAULT_ALGORITHM, isInTrailer, contentMd5 } = this.#announced;
    const expected = isInTrailer
      ? readDigest(algorithm, trailers.get(checksumHeader(algorithm)) ?? "")
      : this.#announced.expected;
    if (expected !== undefined) checkChecksum(algorithm, expected, of(digestAlgorithm(algorithm)));
    if (contentMd5 !== undefined) checkContentMd5(contentMd5, of("MD5"));
    if (this.#sha256 !== undefined && !digestsEqual(this.#sha256, of("SHA-256"))) {
      throw new S3Error("XAmzContentSHA256Mismatch", {
        ClientComputedContentSHA256: toHex(this.#sha256),
        S3ComputedContentSHA256: toHex(of("SHA-256")),
      });
    }
    return of;
  }
}
