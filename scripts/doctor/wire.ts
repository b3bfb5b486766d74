// Sends requests as they are: the target is put on the wire byte for byte, without a URL parser that tidies it, and the
// signature is computed here, so that what an edge changes on the way shows as a signature that does not match.
import { createHash, createHmac } from "node:crypto";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";

const TIMEOUT_MS = 30_000;

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface WireRequest {
  readonly method: string;
  /** `/path?query` as it goes out; the path is its own canonical form. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Sends `Expect: 100-continue` and waits for it. */
  readonly expectsContinue?: boolean;
  readonly isUnsigned?: boolean;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As it came, compressed or not. */
  readonly body: Buffer;
  readonly wasContinued: boolean;
}

/** One endpoint, addressed path-style. */
export class Wire {
  readonly #url: URL;
  readonly #credentials: Credentials;
  readonly #region: string;

  constructor(url: string, credentials: Credentials, region: string) {
    this.#url = new URL(url);
    this.#credentials = credentials;
    this.#region = region;
  }

  async send(request: WireRequest): Promise<WireAnswer> {
    const headers: Record<string, string> = { host: this.#url.host, ...request.headers };
    if (request.isUnsigned !== true) this.#sign(request, headers);
    // Of one hop, and signed by no client.
    if (request.expectsContinue === true) headers["expect"] = "100-continue";
    if (request.body !== undefined) headers["content-length"] = String(request.body.length);
    return this.#exchange(request, headers);
  }

  #exchange(
    { method, target, body, expectsContinue }: WireRequest,
    headers: Record<string, string>,
  ): Promise<WireAnswer> {
    const { protocol, hostname, port } = this.#url;
    const start = protocol === "https:" ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      let wasContinued = false;
      const outgoing = start(
        { method, path: target, headers, hostname: hostname.replace(/^\[|\]$/g, ""), port, timeout: TIMEOUT_MS },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.on("error", reject);
          incoming.on("end", () =>
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body: Buffer.concat(chunks),
              wasContinued,
            }),
          );
        },
      );
      outgoing.on("error", reject);
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
      if (expectsContinue !== true) {
        outgoing.end(body);
        return;
      }
      outgoing.on("continue", () => {
        wasContinued = true;
        outgoing.end(body);
      });
      outgoing.flushHeaders();
    });
  }

  /** Signs all headers that are given, by SigV4. */
  #sign({ method, target, body }: WireRequest, headers: Record<string, string>): void {
    const { accessKeyId, secretAccessKey, sessionToken } = this.#credentials;
    const now = new Date().toISOString().replaceAll(/\.\d+|[:-]/g, "");
    headers["x-amz-date"] = now;
    headers["x-amz-content-sha256"] = sha256(body ?? "");
    if (sessionToken !== undefined) headers["x-amz-security-token"] = sessionToken;
    const names = Object.keys(headers).sort();
    const [path = "", query = ""] = target.split("?");
    const canonicalQuery =
      query === ""
        ? ""
        : query
            .split("&")
            .map((pair) => (pair.includes("=") ? pair : `${pair}=`))
            .sort()
            .join("&");
    const canonical = [
      method,
      path,
      canonicalQuery,
      ...names.map((name) => `${name}:${headers[name]?.trim()}`),
      "",
      names.join(";"),
      headers["x-amz-content-sha256"],
    ].join("\n");
    const scope = `${now.slice(0, 8)}/${this.#region}/s3/aws4_request`;
    const text = ["AWS4-HMAC-SHA256", now, scope, sha256(canonical)].join("\n");
    const key = scope
      .split("/")
      .reduce<Buffer | string>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`);
    const signature = hmac(key, text).toString("hex");
    headers["authorization"] =
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  }
}

function sha256(bytes: Buffer | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
