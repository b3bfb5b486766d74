// Sends bodies with progress. fetch does not report how much of a body was sent; XMLHttpRequest does.
import type { Connection, ServiceRequest } from "./connection.ts";
import { NetworkFailure, readFailure } from "./failures.ts";

/** A connection that moves no byte for this long counts as lost. */
const STALL_MS = 60_000;
/** The browser sets these itself. */
const OWN_HEADERS = new Set(["host", "content-length"]);

export interface TransferOptions {
  readonly signal: AbortSignal;
  /** Called with the bytes sent so far. */
  readonly onProgress: (bytes: number) => void;
}

/**
 * Sends a request with a body. @returns the headers of a successful response
 * @throws ServiceError, NetworkFailure; an AbortError if the signal aborts
 */
export async function sendBody(
  connection: Connection,
  request: ServiceRequest,
  body: Blob,
  { signal, onProgress }: TransferOptions,
): Promise<Headers> {
  const { method, url, headers } = await connection.sign(request);
  signal.throwIfAborted();
  const response = await new Promise<Response>((resolve, reject) => {
    const exchange = new XMLHttpRequest();
    let watchdog = 0;
    const watch = (): void => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => exchange.abort(), STALL_MS);
    };
    const abort = (): void => exchange.abort();
    const end = (act: () => void): void => {
      clearTimeout(watchdog);
      signal.removeEventListener("abort", abort);
      act();
    };
    exchange.open(method, url);
    for (const [name, value] of headers) if (!OWN_HEADERS.has(name)) exchange.setRequestHeader(name, value);
    exchange.upload.addEventListener("progress", ({ loaded }) => {
      watch();
      onProgress(loaded);
    });
    exchange.addEventListener("load", () => end(() => resolve(responseOf(exchange))));
    exchange.addEventListener("error", () => end(() => reject(new NetworkFailure("the connection broke"))));
    exchange.addEventListener("abort", () =>
      end(() => reject(signal.aborted ? new DOMException("aborted", "AbortError") : new NetworkFailure("stalled"))),
    );
    signal.addEventListener("abort", abort);
    watch();
    exchange.send(body);
  });
  if (!response.ok) throw await readFailure(response, 0);
  return response.headers;
}

function responseOf(exchange: XMLHttpRequest): Response {
  const headers = new Headers();
  for (const line of exchange.getAllResponseHeaders().trim().split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return new Response(exchange.responseText === "" ? null : exchange.responseText, {
    status: exchange.status,
    headers,
  });
}
