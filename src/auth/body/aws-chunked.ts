// Decodes an aws-chunked body while it streams: chunks with or without signatures, then trailers. Passes on views of
// the arriving pieces and allocates nothing per byte.
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

/** The longest line that begins a chunk, in bytes: 16 digits, the signature's name and 64 digits, and slack. */
const SIZE_LINE_MAX_BYTES = 128;

/** The minimum size of a signed chunk that is not the last. */
const SIGNED_CHUNK_MIN_BYTES = 8192;

/** What the headers announce about an aws-chunked body. */
export interface ChunkedEnvelope {
  /** Bytes of payload, from `x-amz-decoded-content-length`. */
  readonly length: number;
  /** The lower-case names in `x-amz-trailer`. */
  readonly trailerNames: readonly string[];
  /** Whether the payload type has trailers. */
  readonly hasTrailers: boolean;
  /** The request's signature; undefined for unsigned chunks. */
  readonly signature: VerifiedSignature | undefined;
}

/**
 * Decodes a whole aws-chunked body and passes its payload on piece by piece. A piece is valid until `take` resolves.
 * The payload is valid only once the returned promise resolves.
 * @returns the trailers by lower-case name
 * @throws S3Error IncompleteBody for a truncated, overlong or malformed body, InvalidChunkSizeError,
 *   SignatureDoesNotMatch, MalformedTrailerError; and what `take` throws
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

/** Reads all chunks, up to the size line of the last, empty one. */
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
    // A small chunk is an error only if another one follows. AWS returns that one's number and the small one's size.
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

/** Passes a chunk's bytes on. Returns their hexadecimal SHA-256 if the chunk is signed, otherwise "". */
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

// Sizes of up to 16 digits may exceed a safe integer, but then they exceed the announced length too.
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
