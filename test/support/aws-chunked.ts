// Builds aws-chunked bodies as clients do, from the documentation alone: chunks, their signatures, trailers.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
import { ROOT, signed, withBody, type SendOptions } from "./client.ts";

const ENCODER = new TextEncoder();
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

export type ChunkedForm =
  | "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
  | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
  | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";

/** A chunk to send; a test may tamper with it before it is encoded. */
export interface Chunk {
  readonly data: Uint8Array;
  /** Of the data and all chunks before; undefined in the unsigned form. */
  readonly signature: string | undefined;
}

/** What a chunked upload is made of. */
export interface ChunkedOptions {
  readonly form: ChunkedForm;
  /** The payload, already split; the empty chunk at the end is added. */
  readonly pieces: readonly Uint8Array[];
  readonly headers?: SendOptions["headers"];
  /** The trailers to send, and to announce unless {@link announced} differs. */
  readonly trailers?: Readonly<Record<string, string>>;
  /** `x-amz-trailer`. */
  readonly announced?: string;
  /** `x-amz-decoded-content-length`; null sends none. */
  readonly decodedLength?: number | string | null;
  /** Whether the encoded body's length is sent, or the body as HTTP chunks. */
  readonly isMeasured?: boolean;
  /** Tampers with the chunks and keeps their signatures. */
  readonly spoilChunks?: (chunks: readonly Chunk[]) => readonly Chunk[];
  /** Tampers with the encoded body. */
  readonly spoilBody?: (text: string) => string;
  /** Tampers with the trailers' signature. */
  readonly spoilTrailerSignature?: (signature: string) => string;
}

/** Signs an upload of a chunked body. */
export async function chunkedUpload(target: string, options: ChunkedOptions): Promise<Request> {
  const { form, pieces, trailers = {}, isMeasured = true } = options;
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const decodedLength = options.decodedLength === undefined ? total : options.decodedLength;
  const announced = options.announced ?? Object.keys(trailers).join(",");
  const request = await signed("PUT", target, {
    headers: {
      "content-encoding": "aws-chunked",
      ...(announced === "" ? {} : { "x-amz-trailer": announced }),
      ...(decodedLength === null ? {} : { "x-amz-decoded-content-length": String(decodedLength) }),
      ...options.headers,
      "x-amz-content-sha256": form,
    },
  });
  const body = await encode(request, options);
  const headers = new Headers(request.headers);
  if (isMeasured) headers.set("content-length", String(body.length));
  return withBody(new Request(request, { headers }), body);
}

/** Splits bytes into pieces of a size, the last one shorter. */
export function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += size) pieces.push(bytes.subarray(start, start + size));
  return pieces;
}

async function encode(request: Request, options: ChunkedOptions): Promise<Uint8Array> {
  const { form, pieces, trailers = {}, spoilChunks, spoilBody, spoilTrailerSignature } = options;
  const isSigned = form !== "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
  const chain = isSigned ? await SignatureChain.of(request) : undefined;
  const chunks: Chunk[] = [];
  for (const data of [...pieces, new Uint8Array()]) chunks.push({ data, signature: await chain?.chunk(data) });

  const parts: Uint8Array[] = [];
  for (const { data, signature } of spoilChunks?.(chunks) ?? chunks) {
    const extension = signature === undefined ? "" : `;chunk-signature=${signature}`;
    parts.push(ENCODER.encode(`${data.length.toString(16)}${extension}\r\n`));
    if (data.length > 0) parts.push(data, ENCODER.encode("\r\n"));
  }
  let end = "";
  for (const [name, value] of Object.entries(trailers)) end += `${name}:${value}\r\n`;
  if (form === "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
    const signature = (await chain?.trailers(trailers)) ?? "";
    end += `x-amz-trailer-signature:${spoilTrailerSignature?.(signature) ?? signature}\r\n`;
  }
  parts.push(ENCODER.encode(`${end}\r\n`));
  const body = concat(parts);
  return spoilBody === undefined ? body : latin1(spoilBody(fromLatin1(body)));
}

class SignatureChain {
  readonly #key: CryptoKey;
  readonly #date: string;
  readonly #scope: string;
  #previous: string;

  private constructor(key: CryptoKey, date: string, scope: string, seed: string) {
    this.#key = key;
    this.#date = date;
    this.#scope = scope;
    this.#previous = seed;
  }

  static async of(request: Request): Promise<SignatureChain> {
    const authorization = request.headers.get("authorization") ?? "";
    const [, scope = "", seed = ""] =
      /Credential=[^/]+\/([^,]+), .*Signature=([0-9a-f]{64})$/.exec(authorization) ?? [];
    let key = await hmacKey(ENCODER.encode(`AWS4${ROOT.secretAccessKey}`));
    for (const part of scope.split("/")) key = await hmacKey(await hmac(key, part));
    return new SignatureChain(key, request.headers.get("x-amz-date") ?? "", scope, seed);
  }

  chunk(data: Uint8Array): Promise<string> {
    return this.#sign("PAYLOAD", `${EMPTY_SHA256}\n`, data);
  }

  trailers(trailers: Readonly<Record<string, string>>): Promise<string> {
    const lines = Object.entries(trailers).map(([name, value]) => `${name}:${value}\n`);
    return this.#sign("TRAILER", "", ENCODER.encode(lines.join("")));
  }

  async #sign(kind: string, middle: string, data: Uint8Array): Promise<string> {
    const sha256 = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", data)));
    const text = `AWS4-HMAC-SHA256-${kind}\n${this.#date}\n${this.#scope}\n${this.#previous}\n${middle}${sha256}`;
    this.#previous = hex(await hmac(this.#key, text));
    return this.#previous;
  }
}

function hmacKey(bytes: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

async function hmac(key: CryptoKey, text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, ENCODER.encode(text)));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let length = 0;
  for (const part of parts) {
    whole.set(part, length);
    length += part.length;
  }
  return whole;
}

function fromLatin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
