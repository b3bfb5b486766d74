// A small HTTP client for measurements: one keep-alive connection, and a clock that stops with a response's last byte.
import { once } from "node:events";
import { Agent, request } from "node:http";
import type { PreparedRequest } from "./signer.ts";

export interface Exchange {
  readonly ms: number;
  /** Bytes of the response's body, which is discarded. */
  readonly bytes: number;
}

export class MeasuringClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  /**
   * Sends a request and waits for the whole response. A body that is too large for memory is passed as `pieces`, with
   * its length in `contentLength`. Rejects unless the response is 200.
   */
  async exchange(
    { method, url, headers, body }: PreparedRequest,
    streamed?: { readonly contentLength: number; readonly pieces: Iterable<Buffer> },
  ): Promise<Exchange> {
    const contentLength = streamed?.contentLength ?? body?.length;
    const start = performance.now();
    const outgoing = request(url, {
      method,
      agent: this.#agent,
      headers: { ...headers, ...(contentLength === undefined ? {} : { "content-length": contentLength }) },
    });
    const answered = new Promise<Exchange>((resolve, reject) => {
      outgoing.once("error", reject);
      outgoing.once("response", (response) => {
        let bytes = 0;
        let text = "";
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (response.statusCode !== 200) text += chunk.toString("utf8");
        });
        response.once("error", reject);
        response.once("end", () => {
          if (response.statusCode === 200) resolve({ ms: performance.now() - start, bytes });
          else reject(new Error(`${method} ${url}: ${response.statusCode} ${text}`));
        });
      });
    });
    for (const piece of streamed?.pieces ?? []) {
      // An error response ends the request early, so the rest of the body is not sent.
      if (!outgoing.write(piece)) await Promise.race([once(outgoing, "drain"), answered]);
    }
    outgoing.end(body);
    return answered;
  }

  close(): void {
    this.#agent.destroy();
  }
}
