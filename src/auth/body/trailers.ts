// Reads the trailers of an aws-chunked body: everything after its last chunk.
import { utf8Length } from "../../bytes/text.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { ChunkSignatures } from "./chunk-signatures.ts";
import { incompleteBody, type PieceCursor } from "./piece-cursor.ts";

/** The maximum size of all trailers together, in bytes with their line ends. */
const TRAILERS_MAX_BYTES = 8 * 1024;

const SIGNATURE_NAME = "x-amz-trailer-signature";

/**
 * Reads the trailers up to the empty line that ends them, and requires exactly the announced ones.
 * @param announced the lower-case names of `x-amz-trailer`
 * @param signatures the chain that signs them; undefined for unsigned trailers
 * @returns the trailers by lower-case name
 * @throws S3Error MalformedTrailerError, SignatureDoesNotMatch, IncompleteBody
 */
export async function readTrailers(
  cursor: PieceCursor,
  announced: readonly string[],
  signatures: ChunkSignatures | undefined,
): Promise<ReadonlyMap<string, string>> {
  const trailers = new Map<string, string>();
  let signature: string | undefined;
  let signedLines = "";
  for (let room = TRAILERS_MAX_BYTES; ;) {
    const line = await cursor.line(room);
    if (line === undefined) throw malformedTrailer();
    room -= utf8Length(line);
    const text = line.replace(/\r?\n$/, "");
    if (text === "") {
      // NOTE minio-go puts an empty line between the trailers and their signature.
      if (signatures === undefined || signature !== undefined || trailers.size === 0) break;
      continue;
    }
    // A trailer after the signature would be unsigned.
    if (signature !== undefined) throw malformedTrailer();
    const { name, value } = parseTrailer(text);
    if (signatures !== undefined && name === SIGNATURE_NAME) {
      signature = value;
      continue;
    }
    if (!announced.includes(name) || trailers.has(name)) throw malformedTrailer();
    trailers.set(name, value);
    signedLines += `${name}:${value}\n`;
  }
  if (!announced.every((name) => trailers.has(name))) throw malformedTrailer();
  if (signatures !== undefined) {
    if (signature === undefined) throw incompleteBody();
    await signatures.verifyTrailers(signature, signedLines);
  }
  return trailers;
}

/** 400 for malformed, missing or unannounced trailers. */
function malformedTrailer(): S3Error {
  return new S3Error("MalformedTrailerError");
}

function parseTrailer(text: string): { name: string; value: string } {
  const colon = text.indexOf(":");
  const name = trimmed(text.slice(0, Math.max(colon, 0))).toLowerCase();
  if (name === "") throw malformedTrailer();
  return { name, value: trimmed(text.slice(colon + 1)) };
}

// String.trim() would let control characters pass unsigned.
function trimmed(text: string): string {
  return text.replaceAll(/^[ \t]+|[ \t]+$/g, "");
}
