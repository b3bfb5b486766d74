// Verifies the bytes of a whole object against its row's checksum while they are sent. On a mismatch the last bytes are
// withheld, so that the client cannot take the response for complete.
import { digest, digestsEqual, type DigestAlgorithm } from "../../bytes/digest.ts";
import { fromBase64, fromHex, toBase64, toHex } from "../../bytes/hex-base64.ts";
import { DelayedWriter, PIECE_BYTES, PieceReader, streamOfBytes } from "../../bytes/streams.ts";
import { digestAlgorithm } from "../../protocol/core/checksums.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";

const GIBIBYTE = 1024 ** 3;
/** Sampled verification verifies one in this many reads. */
const SAMPLED_READS = 16;
/**
 * The largest objects that are verified, in bytes. Some 3 ms of CPU time per megabyte are 3 s and 51 s for these; a read
 * that exceeds `limits.cpu_ms` of wrangler.toml (120 s) would be cut off although its bytes are sound.
 */
const MAX_VERIFIED_BYTES = { off: 0, sampled: GIBIBYTE, always: 16 * GIBIBYTE } as const;

/** Returns whether to verify a read of a whole object of this many bytes, at random under `sampled`. */
export function isVerifiedRead(setting: "off" | "sampled" | "always", size: number): boolean {
  if (setting === "off" || size > MAX_VERIFIED_BYTES[setting]) return false;
  return setting === "always" || Math.random() < 1 / SAMPLED_READS;
}

/** The digest that a row expects of an object's bytes. */
interface Expectation {
  /** The algorithm's name in findings. */
  readonly name: string;
  readonly algorithm: DigestAlgorithm;
  readonly bytes: Uint8Array;
  readonly show: (digest: Uint8Array) => string;
}

/** Receives a finding, in words. */
export type DamageReporter = (finding: string) => Promise<void>;

/**
 * Returns the digest that a row expects. Undefined for a multipart object without a full-object checksum, and for an
 * encrypted object, whose frames are authenticated individually.
 */
export function expectationOf({
  etag,
  checksum,
  encryption,
}: Pick<StoredObject, "etag" | "checksum" | "encryption">): Expectation | undefined {
  if (encryption !== undefined) return undefined;
  if (checksum?.type === "FULL_OBJECT") {
    const bytes = fromBase64(checksum.value);
    const { algorithm } = checksum;
    if (bytes !== undefined) return { name: algorithm, algorithm: digestAlgorithm(algorithm), bytes, show: toBase64 };
  }
  const md5 = /^[0-9a-f]{32}$/.test(etag) ? fromHex(etag) : undefined;
  return md5 === undefined ? undefined : { name: "MD5", algorithm: "MD5", bytes: md5, show: toHex };
}

/**
 * Returns a verified stream of the same bytes. Objects of one piece are verified before the first byte is sent.
 * @throws Error on a mismatch in an object of one piece; a longer stream is aborted instead
 */
export async function verifiedBytes(
  stream: ReadableStream<Uint8Array>,
  size: number,
  expectation: Expectation,
  report: DamageReporter,
): Promise<ReadableStream<Uint8Array>> {
  if (size > PIECE_BYTES) {
    const { readable, writable } = new FixedLengthStream(size);
    // A failure aborts the stream, which is how the client learns of it.
    pump(stream, size, expectation, writable, report).catch(() => undefined);
    return readable;
  }
  const bytes = await new Response(stream).bytes();
  await compare(await digest(expectation.algorithm, bytes), expectation, report);
  return streamOfBytes(bytes);
}

async function pump(
  stream: ReadableStream<Uint8Array>,
  size: number,
  expectation: Expectation,
  writable: WritableStream<Uint8Array>,
  report: DamageReporter,
): Promise<void> {
  const delayed = new DelayedWriter(writable.getWriter(), [expectation.algorithm], size);
  const reader = new PieceReader(stream, size);
  try {
    for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) await delayed.write(piece);
    const [computed = new Uint8Array()] = await delayed.digests();
    await compare(computed, expectation, report);
    await delayed.finish();
  } catch (error) {
    reader.cancel();
    delayed.abort(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

async function compare(computed: Uint8Array, expectation: Expectation, report: DamageReporter): Promise<void> {
  const { name, bytes, show } = expectation;
  if (digestsEqual(computed, bytes)) return;
  const finding = `a reader's ${name} is ${show(computed)}, its row says ${show(bytes)}`;
  await report(finding);
  throw new Error(finding);
}
