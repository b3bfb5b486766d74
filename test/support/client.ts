// A client for the tests: signs with aws4fetch, an implementation independent of the one under test, and sends straight
// into the Worker.
import { AwsClient } from "aws4fetch";
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";

import type { SettingName } from "../../src/config/setting-values.ts";
import worker from "../../src/worker.ts";
import { placementHeader } from "./placement.ts";

export const ROOT = { accessKeyId: "CAIRNTESTACCESSKEY00", secretAccessKey: "test/secret+access/key" };
export const ENDPOINT = "http://localhost:9000";

/** Overrides of the tests' environment: settings, and bindings that fail. */
export type RequestScope = Partial<Env> & { readonly [Name in SettingName]?: string };

/** The parts of a request except its target. */
export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Text and bytes are sent with their Content-Length unless a header sets one; streams without. */
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array> | undefined;
  readonly endpoint?: string;
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  readonly region?: string;
}

/** Signs a request for `/path?query`, which is percent-encoded already. */
export async function signed(method: string, target: string, options: SendOptions = {}): Promise<Request> {
  const headers = new Headers({ ...placementHeader(method, target), ...options.headers });
  if (!headers.has("x-amz-content-sha256")) headers.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
  const body = measured(options.body, headers);
  const request = await clientOf(options).sign(`${options.endpoint ?? ENDPOINT}${target}`, {
    method,
    headers,
    aws: { allHeaders: true },
  });
  return withBody(request, body);
}

/** Presigns a request for `/path?query`; its headers are signed and must be sent. */
export async function presigned(
  method: string,
  target: string,
  options: SendOptions & { readonly expires?: number } = {},
): Promise<Request> {
  const url = new URL(`${options.endpoint ?? ENDPOINT}${target}`);
  if (options.expires !== undefined) url.searchParams.set("X-Amz-Expires", String(options.expires));
  const headers = new Headers(options.headers);
  const request = await clientOf(options).sign(url.href, {
    method,
    headers,
    aws: { allHeaders: true, signQuery: true },
  });
  const sent = new Headers(request.headers);
  const body = measured(options.body, sent);
  return withBody(new Request(request, { headers: sent }), body);
}

/** A request without credentials. */
export function anonymous(method: string, target: string, options: SendOptions = {}): Request {
  const headers = new Headers(options.headers);
  const body = measured(options.body, headers);
  return withBody(new Request(`${options.endpoint ?? ENDPOINT}${target}`, { method, headers }), body);
}

/** The same request with a body, independent of its headers. */
export function withBody(request: Request, body: Uint8Array | ReadableStream<Uint8Array> | undefined): Request {
  if (body === undefined) return request;
  const { url, method, headers } = request;
  return new Request(url, { method, headers, body });
}

let fileScope: RequestScope = {};

/** Overrides the environment of all requests of a test file, which hooks set and unset. */
export function overrideEnvironment(scope: RequestScope): void {
  fileScope = scope;
}

/** Sends a request unchanged and waits for its background work. */
export async function deliver(request: Request, scope: RequestScope = {}): Promise<Response> {
  const execution = createExecutionContext();
  // A client's socket sends a Host header; a Request constructed here has only its URL.
  if (!request.headers.has("host")) request.headers.set("host", new URL(request.url).host);
  const response = await worker.fetch(request, { ...env, ...fileScope, ...scope }, execution);
  await waitOnExecutionContext(execution);
  return response;
}

/** Signs and sends. */
export async function send(
  method: string,
  target: string,
  options: SendOptions = {},
  scope: RequestScope = {},
): Promise<Response> {
  return deliver(await signed(method, target, options), scope);
}

/** A stream of these pieces, which ends or, when `failure` is given, breaks off with it. */
export function streamOf(pieces: readonly Uint8Array[], failure?: Error): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces[next];
      next += 1;
      if (piece !== undefined) controller.enqueue(piece);
      else if (failure === undefined) controller.close();
      else controller.error(failure);
    },
  });
}

function clientOf(options: SendOptions): AwsClient {
  return new AwsClient({ ...(options.credentials ?? ROOT), service: "s3", region: options.region ?? "us-east-1" });
}

function measured(body: SendOptions["body"], headers: Headers): Uint8Array | ReadableStream<Uint8Array> | undefined {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  if (bytes instanceof Uint8Array && !headers.has("content-length")) {
    headers.set("content-length", String(bytes.length));
  }
  return bytes;
}
