// A client for the tests: signs with aws4fetch, an implementation independent of the one under test, and sends straight
// into the Worker.
import { AwsClient } from "aws4fetch";
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";

import worker from "../../src/worker.ts";

export const ROOT = { accessKeyId: "CAIRNTESTACCESSKEY00", secretAccessKey: "test/secret+access/key" };
export const ENDPOINT = "http://localhost:9000";

/** What a request may carry besides its target. */
export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit | null;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Signs a request for `/path?query`, percent-encoded as it is to go out. */
export function signed(method: string, target: string, options: SendOptions = {}): Promise<Request> {
  const client = new AwsClient({ ...(options.credentials ?? ROOT), service: "s3", region: "us-east-1" });
  const headers = new Headers(options.headers);
  if (!headers.has("x-amz-content-sha256")) headers.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
  return client.sign(`${options.endpoint ?? ENDPOINT}${target}`, {
    method,
    headers,
    ...(options.body === undefined || options.body === null ? {} : { body: options.body }),
    aws: { allHeaders: true },
  });
}

/** Sends a request as it is and waits for what it leaves behind. */
export async function deliver(request: Request, settings: Readonly<Record<string, string>> = {}): Promise<Response> {
  const execution = createExecutionContext();
  // A client's socket carries a Host header; a Request made in here has only its URL.
  if (!request.headers.has("host")) request.headers.set("host", new URL(request.url).host);
  const response = await worker.fetch(request, { ...env, ...settings }, execution);
  await waitOnExecutionContext(execution);
  return response;
}

/** Signs and sends. */
export async function send(method: string, target: string, options: SendOptions = {}): Promise<Response> {
  return deliver(await signed(method, target, options));
}
