// Signs requests and sends them. A request without a response, or with one that leaves its outcome open, has no status.
import { AwsV4Signer } from "aws4fetch";
import type { Credentials } from "../../scripts/project/credentials.ts";

export interface Answer {
  /** Undefined when the outcome is unknown. */
  readonly status: number | undefined;
  readonly headers: Headers;
  readonly body: Buffer;
}

const REQUEST_TIMEOUT_MS = 30_000;

/** Sends requests to one endpoint. */
export class Requests {
  /** How many were answered. */
  answered = 0;
  readonly #url: string;
  readonly #credentials: Credentials;

  constructor(url: string, credentials: Credentials) {
    this.#url = url;
    this.#credentials = credentials;
  }

  async send(
    method: string,
    target: string,
    headers: Readonly<Record<string, string>> = {},
    body?: Buffer | string,
  ): Promise<Answer> {
    const signed = await new AwsV4Signer({
      method,
      url: this.#url + target,
      headers: { ...headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
      ...this.#credentials,
      service: "s3",
      region: "us-east-1",
      allHeaders: true,
    }).sign();
    try {
      const response = await fetch(signed.url, {
        method,
        headers: signed.headers,
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : new Uint8Array(body) }),
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      this.answered += 1;
      return { status: response.status >= 500 ? undefined : response.status, headers: response.headers, body: bytes };
    } catch {
      return { status: undefined, headers: new Headers(), body: Buffer.alloc(0) };
    }
  }
}
