// Compares the bytes of a whole object with the checksum that its row keeps, while they are read. A reader of bytes that
// do not match never gets the last of them, so that the answer cannot be taken for a whole one.
import { digest, digestsEqual, type DigestAlgorithm } from "../../bytes/digest.ts";
import { fromBase64, fromHex, toBase64, toHex } from "../../bytes/hex-base64.ts";
import { DelayedWriter, PIECE_BYTES, PieceReader } from "../../bytes/streams.ts";
import { digestAlgorithm } from "../../protocol/core/checksums.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";

/** What a row says of all bytes of an object. */
interface Expectation {
  /** As people know it. */
  readonly name: string;
  readonly algorithm: DigestAlgorithm;
  readonly bytes: Uint8Array;
  readonly show: (digest: Uint8Array) => string;
}

/** Takes what is wrong, in words. */
export type DamageReporter = (finding: string) => Promise<void>;

/**
 * What is known of an object's bytes. Undefined for an object of parts without a checksum of the whole, and for an
 * encrypted one, whose frames are authenticated one by one.
 */
export function expectationOf({ etag, checksum, encryption }: StoredObject): Expectation | undefined {
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
 * The same bytes, verified. Few are verified before anything of them is given.
 * @throws Error where few bytes do not match; a stream of more breaks off
 */
export async function verifiedBytes(
  stream: ReadableStream<Uint8Array>,
  size: number,
  expectation: Expectation,
  report: DamageReporter,
): Promise<ReadableStream<Uint8Array>> {
  if (size > PIECE_BYTES) {
    const { readable, writable } = new FixedLengthStream(size);
    // Its failure ends the stream, which is how the client learns of it.
    pump(stream, size, expectation, writable, report).catch(() => undefined);
    return readable;
  }
  const bytes = await new Response(stream).bytes();
  await compare(await digest(expectation.algorithm, bytes), expectation, report);
  const { readable, writable } = new FixedLengthStream(size);
  const writer = writable.getWriter();
  writer
    .write(bytes)
    .then(() => writer.close())
    .catch(() => undefined);
  return readable;
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
