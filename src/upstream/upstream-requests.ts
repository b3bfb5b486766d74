// Sends signed requests to the upstream of a bucket, and to nothing else: redirects are failures. Answers have their bytes as
// they were sent. Every failure becomes an S3 error that a client may retry, without the upstream's address; the log has the
// reason.
import { AwsV4Signer } from "aws4fetch";

import { utf8Length } from "../bytes/text.ts";
import { uriEncode } from "../bytes/uri-encode.ts";
import type { Upstream } from "../config/upstreams.ts";
import { KEY_MAX_BYTES } from "../protocol/core/addressing.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { UpstreamConfiguration } from "../protocol/buckets/upstream-configuration.ts";
import { ASK_NO_UPSTREAM, UPSTREAM_HEADER } from "../protocol/objects/upstream-use.ts";

/** A bucket's upstream: the store, and the place in it. */
export interface UpstreamPlace {
  readonly upstream: Upstream;
  readonly configuration: UpstreamConfiguration;
}

export interface UpstreamCall {
  readonly method: "GET" | "HEAD";
  /** The key in Cairn's bucket. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The time until the headers of an answer. */
const ANSWER_TIMEOUT_MS = 10_000;
/** The most bytes of an error document that are read. */
const ERROR_MAX_BYTES = 16 * 1024;

/**
 * Asks for an object, or for a subresource of one.
 * @returns undefined if the upstream does not have the object
 * @throws S3Error ServiceUnavailable, SlowDown
 */
export async function askUpstream(
  place: UpstreamPlace,
  call: UpstreamCall,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<Response | undefined> {
  const request = await signedRequest(place, call);
  if (request === undefined) return undefined;
  const response = await send(request, timeoutMs);
  if (response.status === 200 || response.status === 206) return response;
  const text = call.method === "HEAD" ? undefined : await beginningOf(response, timeoutMs);
  // An endpoint that is no S3 store, or lacks the bucket, also answers 404.
  if (response.status === 404 && (text === undefined || /<Code>NoSuch(?:Key|Version)<\/Code>/.test(text)))
    return undefined;
  throw unavailable(`status ${response.status}`, response.status === 429 || response.status === 503);
}

/** The error of a failed upstream. The reason is logged and not returned. */
export function unavailable(reason: string, isBusy = false): S3Error {
  console.warn(JSON.stringify({ level: "warn", message: "the upstream of a bucket failed", reason }));
  return isBusy
    ? new S3Error("SlowDown", {}, "The upstream of the bucket asks for fewer requests.")
    : new S3Error("ServiceUnavailable", {}, "The upstream of the bucket did not answer the request.");
}

/** Signs a call; undefined for a key that the upstream cannot have or that no URL can contain. */
async function signedRequest(
  { upstream, configuration: { bucket, prefix } }: UpstreamPlace,
  { method, key, query = {}, headers = {} }: UpstreamCall,
): Promise<Request | undefined> {
  const { endpoint, region, style, credentials } = upstream;
  const remoteKey = prefix + key;
  if (utf8Length(remoteKey) > KEY_MAX_BYTES) return undefined;
  const { protocol, host } = new URL(endpoint);
  const origin = `${protocol}//${style === "virtual" ? `${bucket}.` : ""}${host}`;
  const path = `${style === "virtual" ? "" : `/${uriEncode(bucket)}`}/${uriEncode(remoteKey, true)}`;
  const pairs = Object.entries(query).map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`);
  const url = new URL(`${origin}${path}${pairs.length === 0 ? "" : `?${pairs.join("&")}`}`);
  // A URL resolves the segments `.` and `..`, which would name another object or bucket.
  if (url.origin !== origin || url.pathname !== path) return undefined;
  const named = { ...headers, [UPSTREAM_HEADER]: ASK_NO_UPSTREAM };
  const sent = new Headers(
    credentials === undefined
      ? named
      : (
          await new AwsV4Signer({
            method,
            url: url.href,
            headers: { ...named, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
            ...credentials,
            service: "s3",
            region,
          }).sign()
        ).headers,
  );
  // Unsigned, because the network may change it. An answer that is compressed on its way would have another length.
  sent.set("accept-encoding", "identity");
  return new Request(url.href, { method, headers: sent, redirect: "manual", cache: "no-store" });
}

async function send(request: Request, timeoutMs: number): Promise<Response> {
  const stop = new AbortController();
  const timer = setTimeout(() => {
    stop.abort(new Error("timeout"));
  }, timeoutMs);
  const aborted = new Promise<never>((_, reject) => {
    stop.signal.addEventListener("abort", () => {
      reject(new Error("timeout"));
    });
  });
  try {
    // The runtime would otherwise decode the bytes of an object that is stored with a content coding.
    return await Promise.race([fetch(request, { signal: stop.signal, encodeResponseBody: "manual" }), aborted]);
  } catch {
    // The error's own text may contain the address.
    throw unavailable(stop.signal.aborted ? "no answer in time" : "no connection");
  } finally {
    clearTimeout(timer);
  }
}

async function beginningOf({ body }: Response, timeoutMs: number): Promise<string> {
  return new TextDecoder().decode(await readAtMost(body, ERROR_MAX_BYTES, timeoutMs));
}

/** Reads a body up to a length, and up to a time in total. The rest is cancelled. */
export async function readAtMost(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  timeoutMs: number,
): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  const ended = new Promise<undefined>((resolve) => {
    setTimeout(() => {
      resolve(undefined);
    }, timeoutMs);
  });
  const next = async (): Promise<Uint8Array | undefined> => {
    try {
      return (await Promise.race([reader.read(), ended]))?.value;
    } catch {
      return undefined;
    }
  };
  for (let piece = await next(); piece !== undefined && length < maxBytes; piece = await next()) {
    pieces.push(piece);
    length += piece.length;
  }
  reader.cancel().catch(() => undefined);
  return new Uint8Array(await new Blob(pieces).arrayBuffer()).subarray(0, maxBytes);
}
