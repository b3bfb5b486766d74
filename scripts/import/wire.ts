// Sends a request over node:http. `fetch` would undo content codings, and a copy needs the bytes as they are stored.
import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** The longest time without any byte. */
const IDLE_MS = 60_000;

/** A request with a body that can be sent once. */
export interface WireRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array | ReadableStream<Uint8Array> | string | undefined;
}

/** Sends a request and returns the answer with its bytes unchanged. Follows no redirect. */
export async function sendOnWire({ url, method, headers, body }: WireRequest): Promise<Response> {
  const open = url.startsWith("https:") ? requestHttps : requestHttp;
  const request = open(url, { method, headers: Object.fromEntries(headers) });
  request.setTimeout(IDLE_MS, () => request.destroy(new Error("nothing arrived for a minute")));
  const answered = answerOf(request);
  // The answer may come before the end of the body, whose failure is then the answer's.
  const sent = sendBody(request, body);
  sent.catch(() => undefined);
  const message = await Promise.race([answered, sent.then(() => answered)]);
  return responseOf(message, method);
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on("response", resolve);
    request.on("error", reject);
  });
}

async function sendBody(request: ClientRequest, body: WireRequest["body"]): Promise<void> {
  if (!(body instanceof ReadableStream)) {
    request.end(body);
    return;
  }
  await pipeline(piecesOf(body), request);
}

async function* piecesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function responseOf(message: IncomingMessage, method: string): Response {
  const headers = new Headers();
  for (let index = 0; index + 1 < message.rawHeaders.length; index += 2) {
    headers.append(message.rawHeaders[index] ?? "", message.rawHeaders[index + 1] ?? "");
  }
  const { statusCode: status = 502 } = message;
  if (method === "HEAD" || status === 204 || status === 304) {
    message.resume();
    return new Response(null, { status, headers });
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return new Response(Readable.toWeb(message) as ReadableStream<Uint8Array>, { status, headers });
}
