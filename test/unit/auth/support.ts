// Shared by the tests of auth: requests as the gateway creates them, bodies in pieces, and an independent signer.
import { parseAddress, splitTarget } from "../../../src/protocol/core/addressing.ts";
import { parseQuery } from "../../../src/protocol/core/query.ts";
import { S3Error } from "../../../src/protocol/core/s3-error.ts";
import type { S3Request } from "../../../src/protocol/core/s3-request.ts";

export const ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE";
export const SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** 24 May 2013, the day of AWS's examples. */
export const VECTOR_TIME = Date.UTC(2013, 4, 24);

export interface RequestInit {
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly body?: ReadableStream<Uint8Array> | null;
  readonly clientAcceptEncoding?: string;
}

/** A request for a raw URL, as the gateway creates it. */
export function requestOf(url: string, init: RequestInit = {}): S3Request {
  const { path, query } = splitTarget(url);
  return {
    method: init.method ?? "GET",
    address: parseAddress(path, undefined),
    rawPath: path,
    query: parseQuery(query),
    headers: new Headers(init.headers),
    isSecure: true,
    clientAcceptEncoding: init.clientAcceptEncoding,
    tlsVersion: undefined,
    body: init.body ?? null,
  };
}

/** The error of an action, which must be an S3Error. */
export async function caught(action: () => unknown): Promise<S3Error> {
  try {
    await action();
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

export function textOf(pieces: readonly Uint8Array[]): string {
  return pieces.map((piece) => decoder.decode(piece)).join("");
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

/** A body that arrives in the given pieces and then ends or breaks off. */
export function streamOf(pieces: readonly Uint8Array[], failure?: Error): ReadableStream<Uint8Array> {
  const rest = [...pieces];
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = rest.shift();
      if (piece !== undefined) controller.enqueue(piece.slice());
      else if (failure !== undefined) controller.error(failure);
      else controller.close();
    },
  });
}

/** A body as the network delivers it: a byte stream that is read into the reader's own buffer. */
export function byteStreamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const stream = new Response(bytes.slice()).body;
  if (stream === null) throw new Error("no body");
  return stream;
}

/** The bytes split before each of the given offsets. */
export function cut(bytes: Uint8Array, ...offsets: readonly number[]): Uint8Array[] {
  return [0, ...offsets].map((start, index) => bytes.subarray(start, offsets[index] ?? bytes.length));
}

export async function hmac(key: Uint8Array, text: string): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(text)));
}

export async function sha256(bytes: Uint8Array): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Signs a string in the scope of a day, a region and S3, by the documented steps. */
export async function signText(text: string, day: string, region = "us-east-1"): Promise<string> {
  let key = encoder.encode(`AWS4${SECRET_ACCESS_KEY}`);
  for (const part of [day, region, "s3", "aws4_request"]) key = new Uint8Array(await hmac(key, part));
  return hex(await hmac(key, text));
}

/** Signs a canonical request of a `yyyymmddThhmmssZ` time. */
export async function signCanonical(canonicalRequest: string, amzDate: string, region = "us-east-1"): Promise<string> {
  const day = amzDate.slice(0, 8);
  const digest = await sha256(encoder.encode(canonicalRequest));
  return signText(`AWS4-HMAC-SHA256\n${amzDate}\n${day}/${region}/s3/aws4_request\n${digest}`, day, region);
}

/** A number generator with a fixed seed (mulberry32). */
export function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
