// The chain of signatures in a signed aws-chunked body. Each covers the previous one; the request's own is the first.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
import { toHex } from "../../bytes/hex-base64.ts";
import { scopeText, type VerifiedSignature } from "../sigv4/claim.ts";
import { isSignature, sha256Hex, sign, signatureDoesNotMatch } from "../sigv4/signature.ts";

/** SHA-256 of the empty text: the digest of the last chunk, and a fixed line of every chunk's string to sign. */
export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** The chain of signatures, up to the last one that was verified. */
export class ChunkSignatures {
  readonly #seed: VerifiedSignature;
  #previous: string;

  constructor(seed: VerifiedSignature) {
    this.#seed = seed;
    this.#previous = seed.signature;
  }

  /**
   * Verifies the next chunk's signature.
   * @param sha256 the lower-case hexadecimal digest of the chunk
   * @throws S3Error SignatureDoesNotMatch
   */
  async verifyChunk(provided: string, sha256: string): Promise<void> {
    await this.#verify("PAYLOAD", `${EMPTY_SHA256}\n${sha256}`, provided);
  }

  /**
   * Verifies the signature of the trailers.
   * @param lines each trailer as `name:value\n`, in the order sent
   * @throws S3Error SignatureDoesNotMatch
   */
  async verifyTrailers(provided: string, lines: string): Promise<void> {
    await this.#verify("TRAILER", await sha256Hex(lines), provided);
  }

  async #verify(kind: "PAYLOAD" | "TRAILER", digests: string, provided: string): Promise<void> {
    const { accessKeyId, amzDate, scope, signingKey } = this.#seed;
    const signed = `AWS4-HMAC-SHA256-${kind}\n${amzDate}\n${scopeText(scope)}\n${this.#previous}\n${digests}`;
    const signature = await sign(signingKey, signed);
    if (!isSignature(provided, signature)) throw signatureDoesNotMatch(accessKeyId, provided, signed);
    this.#previous = toHex(signature);
  }
}
