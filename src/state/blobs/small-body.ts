// Reads a small body into memory: for a few KiB, streams and their buffers cost more than everything else that an upload
// does with its bytes.
import { GrowingBuffer } from "../../bytes/growing-buffer.ts";
import type { IncomingBody } from "../../protocol/core/incoming-body.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";

/** The longest body that is read into memory. Longer ones are streamed, so that uploads stay within an isolate's memory. */
export const SMALL_BODY_MAX_BYTES = 128 * 1024;

/** A whole body. */
export interface SmallBody {
  readonly bytes: Uint8Array;
  /** The trailers by lower-case name. */
  readonly trailers: ReadonlyMap<string, string>;
}

/**
 * Reads a body of at most {@link SMALL_BODY_MAX_BYTES}.
 * @throws S3Error IncompleteBody if it is shorter or longer than announced, and errors of its decoder
 */
export async function readSmallBody(body: IncomingBody): Promise<SmallBody> {
  const { plain, length } = body;
  if (plain !== undefined) return { bytes: await readPlain(plain, length), trailers: new Map() };
  // The memory follows the bytes that arrive, so that a stalled upload holds little of it.
  const buffer = new GrowingBuffer(length);
  const trailers = await body.deliver((piece) => {
    buffer.append(piece);
    return Promise.resolve();
  });
  return { bytes: buffer.bytes, trailers };
}

async function readPlain(stream: ReadableStream<Uint8Array>, length: number): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    // The client disconnected.
  }
  if (bytes?.length !== length) {
    throw new S3Error("IncompleteBody", {}, "The request body terminated unexpectedly");
  }
  return bytes;
}
