// Takes the aws-chunked envelope off a body while it streams: chunks with or without signatures, then trailers. Hands
// on views of the pieces that arrive and allocates nothing per byte.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
import { RunningDigest } from "../../bytes/digest.ts";
import { toHex } from "../../bytes/hex-base64.ts";
import type { PieceReader } from "../../bytes/streams.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import { ChunkSignatures, EMPTY_SHA256 } from "./chunk-signatures.ts";
import type { VerifiedSignature } from "../sigv4/claim.ts";
import { incompleteBody, PieceCursor } from "./piece-cursor.ts";
import { takeSmallChunks } from "./small-chunks.ts";
import { readTrailers } from "./trailers.ts";

/** The longest line that may begin a chunk, in bytes: 16 digits, the name and 64 digits of its signature, and slack. */
const SIZE_LINE_MAX_BYTES = 128;

/** The least size of a signed chunk that is not the last. */
const SIGNED_CHUNK_MIN_BYTES = 8192;

/** What is known of an aws-chunked body before its first byte. */
export interface ChunkedEnvelope {
  /** Bytes of payload, of `x-amz-decoded-content-length`. */
  readonly length: number;
  /** The lower-case names of `x-amz-trailer`. */
  readonly trailerNames: readonly string[];
  /** Whether the form has trailers. */
  readonly hasTrailers: boolean;
  /** The request's signature, where the chunks are signed. */
  readonly signature: VerifiedSignature | undefined;
}

/**
 * Reads a whole aws-chunked body, handing its payload over piece by piece; a piece is valid until its promise
 * resolves. The payload is only good once the returned promise has resolved.
 * @returns the trailers by lower-case name
 * @throws S3Error IncompleteBody for a body that ends too soon or too late or is malformed, InvalidChunkSizeError,
 * SignatureDoesNotMatch, MalformedTrailerError; and what `take` throws.
 */
export async function readAwsChunked(
  reader: PieceReader,
  envelope: ChunkedEnvelope,
  take: (piece: Uint8Array) => Promise<void>,
): Promise<ReadonlyMap<string, string>> {
  try {
    const cursor = new PieceCursor(reader);
    const signatures = envelope.signature === undefined ? undefined : new ChunkSignatures(envelope.signature);
    await readChunks(cursor, envelope.length, signatures, take);
    const { trailerNames, hasTrailers } = envelope;
    const trailers = await readTrailers(cursor, trailerNames, hasTrailers ? signatures : undefined);
    await readEnd(cursor);
    return trailers;
  } catch (error) {
    reader.cancel();
    throw error;
  }
}

/** Reads every chunk, and of the last, the empty one, its size line. */
async function readChunks(
  cursor: PieceCursor,
  length: number,
  signatures: ChunkSignatures | undefined,
  take: (piece: Uint8Array) => Promise<void>,
): Promise<void> {
  let left = length;
  let previousSize = Number.POSITIVE_INFINITY;
  for (let number = 1; ; number += 1) {
    if (signatures === undefined) {
      const small = takeSmallChunks(cursor, left);
      left -= small.length;
      if (small.length > 0) await take(small);
    }
    const { size, signature } = parseSizeLine(await cursor.line(SIZE_LINE_MAX_BYTES), signatures !== undefined);
    if (size === 0) {
      if (left > 0) throw incompleteBody();
      await signatures?.verifyChunk(signature, EMPTY_SHA256);
      return;
    }
    // Only the next chunk shows that a small one was not the last: AWS gives the former's number, the latter's size.
    // DEVIATION: AWS refuses small chunks that are unsigned, too, but the JavaScript SDK sends them.
    if (signatures !== undefined && previousSize < SIGNED_CHUNK_MIN_BYTES) {
      throw new S3Error("InvalidChunkSizeError", { Chunk: number, BadChunkSize: previousSize });
    }
    if (size > left) throw incompleteBody();
    const sha256 = await readData(cursor, size, signatures !== undefined, take);
    if ((await cursor.line(2)) !== "\r\n") throw incompleteBody();
    await signatures?.verifyChunk(signature, sha256);
    left -= size;
    previousSize = size;
  }
}

/** Hands a chunk's bytes over; the hexadecimal SHA-256 of them where it is wanted, else "". */
async function readData(
  cursor: PieceCursor,
  size: number,
  isSigned: boolean,
  take: (piece: Uint8Array) => Promise<void>,
): Promise<string> {
  const digest = isSigned ? new RunningDigest("SHA-256") : undefined;
  try {
    for (let left = size; left > 0;) {
      const bytes = await cursor.run(left);
      await digest?.update(bytes);
      await take(bytes);
      left -= bytes.length;
    }
  } catch (error) {
    digest?.abandon();
    throw error;
  }
  return digest === undefined ? "" : toHex(await digest.finish());
}

// More digits than 16 are refused; fewer may still pass what a number holds exactly, but then also what was announced.
const SIZE_LINE = /^([0-9a-fA-F]{1,16})\r\n$/;
const SIGNED_SIZE_LINE = /^([0-9a-fA-F]{1,16});chunk-signature=([^\r\n]*)\r\n$/;

function parseSizeLine(line: string | undefined, isSigned: boolean): { size: number; signature: string } {
  const [, digits, signature = ""] = (isSigned ? SIGNED_SIZE_LINE : SIZE_LINE).exec(line ?? "") ?? [];
  if (digits === undefined) throw incompleteBody();
  return { size: Number.parseInt(digits, 16), signature };
}

async function readEnd(cursor: PieceCursor): Promise<void> {
  if (await cursor.isAtEnd()) return;
  // NOTE minio-go ends unsigned trailers with two empty lines.
  if ((await cursor.line(2)) !== "\r\n" || !(await cursor.isAtEnd())) throw incompleteBody();
}
