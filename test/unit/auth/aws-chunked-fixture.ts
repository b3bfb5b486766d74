// Signs, encodes and decodes aws-chunked bodies.
import { expect } from "vitest";

import { readAwsChunked, type ChunkedEnvelope } from "../../../src/auth/body/aws-chunked.ts";
import type { VerifiedSignature } from "../../../src/auth/sigv4/claim.ts";
import { signingKey } from "../../../src/auth/sigv4/signature.ts";
import { PieceReader } from "../../../src/bytes/streams.ts";
import {
  ACCESS_KEY_ID,
  bytesOf,
  concat,
  EMPTY_SHA256,
  SECRET_ACCESS_KEY,
  sha256,
  signText,
  streamOf,
} from "./support.ts";

const SCOPE = { date: "20130524", region: "us-east-1", service: "s3" };
const AMZ_DATE = "20130524T000000Z";
export const SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
export const CRC32 = "x-amz-checksum-crc32";

const SIGNATURE: VerifiedSignature = {
  accessKeyId: ACCESS_KEY_ID,
  scope: SCOPE,
  amzDate: AMZ_DATE,
  signature: SEED,
  signingKey: await signingKey(SECRET_ACCESS_KEY, SCOPE),
};

export const UNSIGNED = { trailerNames: [], hasTrailers: true, signature: undefined };
export const SIGNED = { trailerNames: [], hasTrailers: false, signature: SIGNATURE };
export const SIGNED_TRAILER = { trailerNames: [CRC32], hasTrailers: true, signature: SIGNATURE };

/** A chunk as it is sent: its size line and its data. */
export interface Chunk {
  readonly line: string;
  readonly data: Uint8Array;
}

/** Signs chunks as a client does, the empty one last; a trailer signature follows at the end. */
export async function signChunks(payloads: readonly Uint8Array[], trailers?: string) {
  const chunks: Chunk[] = [];
  let previous = SEED;
  const head = `${AMZ_DATE}\n20130524/us-east-1/s3/aws4_request`;
  for (const data of [...payloads, new Uint8Array(0)]) {
    const text = `AWS4-HMAC-SHA256-PAYLOAD\n${head}\n${previous}\n${EMPTY_SHA256}\n${await sha256(data)}`;
    previous = await signText(text, "20130524");
    chunks.push({ line: `${data.length.toString(16)};chunk-signature=${previous}`, data });
  }
  const digest = await sha256(bytesOf(trailers ?? ""));
  const trailerSignature = await signText(`AWS4-HMAC-SHA256-TRAILER\n${head}\n${previous}\n${digest}`, "20130524");
  return { chunks, trailerSignature };
}

/** The bytes of chunks and of what follows the last size line. */
export function encode(chunks: readonly Chunk[], end = "\r\n"): Uint8Array {
  const parts = chunks.flatMap(({ line, data }) =>
    data.length === 0 ? [bytesOf(`${line}\r\n`)] : [bytesOf(`${line}\r\n`), data, bytesOf("\r\n")],
  );
  return concat([...parts, bytesOf(end)]);
}

export async function decode(body: Uint8Array | readonly Uint8Array[], envelope: ChunkedEnvelope) {
  return decodeStream(streamOf(body instanceof Uint8Array ? [body] : body), envelope);
}

export async function decodeStream(stream: ReadableStream<Uint8Array>, envelope: ChunkedEnvelope) {
  const pieces: Uint8Array[] = [];
  const trailers = await readAwsChunked(new PieceReader(stream), envelope, async (piece) => {
    expect(piece.length).toBeGreaterThan(0);
    // The piece is only valid until this resolves.
    await Promise.resolve();
    pieces.push(piece.slice());
  });
  return { payload: concat(pieces), trailers: Object.fromEntries(trailers) };
}

const HELLO = `6\r\nhello \r\n5\r\nworld\r\n0\r\n${CRC32}:DUoRhQ==\r\n\r\n`;
const HELLO_ENVELOPE: ChunkedEnvelope = { ...UNSIGNED, length: 11, trailerNames: [CRC32] };

/** Small valid bodies of every form. */
async function goodBodies(): Promise<readonly (readonly [string, Uint8Array, ChunkedEnvelope, string])[]> {
  const payload = "hello world";
  const trailers = `${CRC32}:DUoRhQ==\n`;
  const plain = await signChunks([bytesOf(payload)]);
  const trailing = await signChunks([bytesOf(payload)], trailers);
  const end = `x-amz-trailer-signature:${trailing.trailerSignature}\r\n\r\n`;
  const signedTrailer = { ...SIGNED_TRAILER, length: 11 };
  return [
    ["unsigned", bytesOf(HELLO), HELLO_ENVELOPE, payload],
    ["unsigned without trailers", bytesOf("b\r\nhello world\r\n0\r\n\r\n"), { ...UNSIGNED, length: 11 }, payload],
    ["unsigned and empty", bytesOf("0\r\n\r\n"), { ...UNSIGNED, length: 0 }, ""],
    [
      "unsigned in minio-go's spelling",
      bytesOf(`B\r\nhello world\r\n0\r\n${trailers}\r\n\r\n`),
      HELLO_ENVELOPE,
      payload,
    ],
    ["signed", encode(plain.chunks), { ...SIGNED, length: 11 }, payload],
    ["signed with trailers", encode(trailing.chunks, `${CRC32}:DUoRhQ==\r\n${end}`), signedTrailer, payload],
    [
      "signed with trailers in minio-go's spelling",
      encode(trailing.chunks, `${trailers}\r\n${end}`),
      signedTrailer,
      payload,
    ],
  ];
}

export const GOOD = await goodBodies();
