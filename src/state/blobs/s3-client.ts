// Sends signed requests to the bucket of one S3 endpoint, and to nothing else: redirects are errors. Retries everything
// but streams, with backoff and jitter, and limits the time until a response's headers.
import { AwsV4Signer } from "aws4fetch";

import { digest, type RunningDigest } from "../../bytes/digest.ts";
import { toBase64, toHex } from "../../bytes/hex-base64.ts";
import { uriEncode } from "../../bytes/uri-encode.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { Counts } from "../d1/counts.ts";
import type { S3BucketAddress } from "./s3-bucket-address.ts";
import { measuredStream } from "./measured-stream.ts";

/** One call. */
export interface S3Call {
  /** The operation's name, for messages. */
  readonly operation: string;
  readonly method: "GET" | "HEAD" | "PUT" | "POST";
  /** Undefined: the bucket itself. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytes?: Uint8Array;
  readonly stream?: S3Stream;
  /** The time until the response's headers; for a stream, from its end. */
  readonly timeoutMs?: number;
}

/** A body that can be sent once. */
export interface S3Stream {
  readonly body: ReadableStream<Uint8Array> | Uint8Array;
  readonly length: number;
  /** The SHA-256 that the store verifies, in hexadecimal. */
  readonly sha256: string | undefined;
  /** Digests to compute while the stream is sent. */
  readonly digests: readonly RunningDigest[];
}

/** How requests are sent. */
export interface S3Transport {
  readonly fetch: (request: Request) => Promise<Response>;
  readonly timeoutMs: number;
  /** The longest wait before the first retry; each further retry doubles it. */
  readonly backoffMs: number;
}

const TRANSPORT: S3Transport = { fetch: async (request) => fetch(request), timeoutMs: 30_000, backoffMs: 100 };

const ATTEMPTS = 4;
const TOO_MANY_REQUESTS = 429;
const SERVICE_UNAVAILABLE = 503;

export class S3Client {
  readonly #address: S3BucketAddress | undefined;
  readonly #origin: string;
  readonly #path: string;
  readonly #transport: S3Transport;
  readonly #keys = new Map<string, ArrayBuffer>();
  /** Whether the store's ETags are MD5s; undefined until a put compares them. */
  etagIsMd5: boolean | undefined;

  /** @param address undefined if the settings are incomplete: every call fails, so that no other store is used */
  constructor(address: S3BucketAddress | undefined, transport: Partial<S3Transport> = {}) {
    this.#address = address;
    this.#transport = { ...TRANSPORT, ...transport };
    const endpoint = address === undefined ? undefined : new URL(address.endpoint);
    const isVirtual = address?.style === "virtual";
    this.#origin = `${endpoint?.protocol}//${isVirtual ? `${address.bucket}.` : ""}${endpoint?.host}`;
    this.#path = address === undefined || isVirtual ? "" : `/${uriEncode(address.bucket)}`;
  }

  /** The copy source of a key in the same bucket. */
  copySource(key: string): string {
    return `/${uriEncode(this.#address?.bucket ?? "")}/${uriEncode(key, true)}`;
  }

  /**
   * Sends a call and returns any response below 500 but 429. Counts every attempt.
   * @throws S3Error SlowDown
   */
  async send(call: S3Call, counts: Counts): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      const isLast = call.stream !== undefined || attempt === ATTEMPTS;
      counts.addBlobCalls(1);
      try {
        const response = await this.#sendOnce(call);
        const { status } = response;
        if (status < 500 && status !== TOO_MANY_REQUESTS) return response;
        await response.body?.cancel().catch(() => undefined);
        if (isLast && (status === TOO_MANY_REQUESTS || status === SERVICE_UNAVAILABLE)) throw new S3Error("SlowDown");
        if (isLast) throw new Error(`the blob store answered ${call.operation} with ${status}`);
      } catch (error) {
        if (isLast || error instanceof RefusedCall) throw error;
      }
      const longest = this.#transport.backoffMs * 2 ** (attempt - 1);
      await new Promise((resolve) => {
        setTimeout(resolve, Math.random() * longest);
      });
    }
  }

  async #sendOnce(call: S3Call): Promise<Response> {
    const timeoutMs = call.timeoutMs ?? this.#transport.timeoutMs;
    const stop = new AbortController();
    const timers = new Set<ReturnType<typeof setTimeout>>();
    const stopTimers = (): void => {
      for (const timer of timers) clearTimeout(timer);
    };
    const startTimer = (): void => {
      timers.add(
        setTimeout(() => {
          stop.abort(new Error(`the blob store did not answer ${call.operation} in ${timeoutMs} ms`));
        }, timeoutMs),
      );
    };
    const signed = await this.#sign(call);
    if (call.stream === undefined) {
      startTimer();
      try {
        return this.#checked(call, await this.#fetch(signed, call.bytes, stop.signal));
      } finally {
        stopTimers();
      }
    }
    // A response may come before the body's end. The rest of the body then has no reader.
    const rest = new AbortController();
    const { body, length, digests } = call.stream;
    const { readable, sent } = measuredStream(body, length, digests, rest.signal);
    let failure: { readonly error: unknown } | undefined;
    let isAnswered = false;
    const finished = sent.then(
      () => (isAnswered ? undefined : startTimer()),
      (error: unknown) => {
        failure ??= isAnswered ? undefined : { error };
      },
    );
    try {
      return this.#checked(call, await this.#fetch(signed, readable, stop.signal));
    } catch (error) {
      // The source's error is the cause: the request fails only because of it.
      if (failure !== undefined) throw failure.error;
      throw error;
    } finally {
      isAnswered = true;
      rest.abort(new Error("the blob store reads no further"));
      await finished;
      stopTimers();
    }
  }

  async #fetch(
    { url, method, headers }: { readonly url: URL; readonly method: string; readonly headers: Headers },
    body: Uint8Array | ReadableStream<Uint8Array> | undefined,
    signal: AbortSignal,
  ): Promise<Response> {
    const request = new Request(url.href, {
      method,
      headers,
      redirect: "manual",
      signal,
      // The runtime must never serve a blob from its cache.
      cache: "no-store",
      ...(body === undefined ? {} : { body }),
    });
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => {
        reject(signal.reason);
      });
    });
    return Promise.race([this.#transport.fetch(request), aborted]);
  }

  #checked({ operation }: S3Call, response: Response): Response {
    if (response.status < 300 || response.status >= 400) return response;
    response.body?.cancel().catch(() => undefined);
    throw new RefusedCall(
      `the blob store redirects ${operation} (${response.status}): BLOB_STORE_ENDPOINT or BLOB_STORE_REGION is wrong`,
    );
  }

  async #sign({ method, key, query = {}, headers, bytes, stream }: S3Call): Promise<{
    readonly url: URL;
    readonly method: string;
    readonly headers: Headers;
  }> {
    const address = this.#address;
    if (address === undefined) throw new RefusedCall("the settings BLOB_STORE_* are incomplete or invalid");
    const { region, accessKeyId, secretAccessKey } = address;
    const pairs = Object.entries(query).map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`);
    const path = key === undefined ? this.#path || "/" : `${this.#path}/${uriEncode(key, true)}`;
    const url = new URL(`${this.#origin}${path}${pairs.length === 0 ? "" : `?${pairs.join("&")}`}`);
    if (url.origin !== this.#origin) throw new RefusedCall("a blob id names another endpoint");
    const payload = bytes === undefined ? stream?.sha256 : toHex(await digest("SHA-256", bytes));
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: { ...headers, "x-amz-content-sha256": payload ?? "UNSIGNED-PAYLOAD" },
      accessKeyId,
      secretAccessKey,
      service: "s3",
      region,
      cache: this.#keys,
    });
    const signed = await signer.sign();
    const sent = new Headers(signed.headers);
    // Unsigned: the network may change it. A compressed response would lose its length.
    sent.set("accept-encoding", "identity");
    const length = bytes?.length ?? stream?.length;
    if (length !== undefined) sent.set("content-length", String(length));
    return { url, method, headers: sent };
  }
}

/** A call that fails the same way however often it is repeated. */
class RefusedCall extends Error {}

/** The Content-MD5 of bytes. */
export async function contentMd5(bytes: Uint8Array): Promise<string> {
  return toBase64(await digest("MD5", bytes));
}
