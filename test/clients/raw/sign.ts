// SigV4 for requests that are sent by hand, byte for byte: nothing normalises the path or adds a header on the way.
import { createHmac } from "node:crypto";
import { hashBytes } from "../hashes.ts";
import type { Credentials } from "../site.ts";

export interface RequestToSign {
  readonly method: string;
  /** The host that the request is sent to, with its port. */
  readonly host: string;
  /** Path and query as they go out: percent-encoded already, in the form that is signed. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The value of x-amz-content-sha256. */
  readonly payload?: string;
  readonly credentials: Credentials;
  readonly region: string;
  readonly now?: Date;
}

export interface SignedRequest {
  /** The request line and all headers, up to and with the empty line. */
  readonly head: string;
  readonly signature: string;
  /** Signs texts with the request's key: for what follows in signed chunks. */
  readonly sign: (text: string) => string;
  readonly scope: string;
  readonly amzDate: string;
}

/** Signs a request and writes its head. Headers named in `unsigned` go out without being signed. */
export function signRequest(request: RequestToSign, unsigned: Readonly<Record<string, string>> = {}): SignedRequest {
  const { method, host, target, headers = {}, payload = "UNSIGNED-PAYLOAD", credentials, region } = request;
  const amzDate = (request.now ?? new Date()).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const date = amzDate.slice(0, 8);
  const scope = `${date}/${region}/s3/aws4_request`;
  const [path = "", query = ""] = target.split("?");
  const signed = new Map(
    Object.entries({ ...headers, host, "x-amz-content-sha256": payload, "x-amz-date": amzDate })
      .map(([name, value]) => [name.toLowerCase(), value.trim().replaceAll(/ +/g, " ")] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const names = [...signed.keys()].join(";");
  const canonicalHeaders = [...signed].map(([name, value]) => `${name}:${value}\n`).join("");
  const canonical = [method, path, canonicalQuery(query), canonicalHeaders, names, payload].join("\n");
  const key = [date, region, "s3", "aws4_request"].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${credentials.secretAccessKey}`,
  );
  const sign = (text: string): string => hmac(key, text).toString("hex");
  const signature = sign(`AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${hashBytes("sha256", canonical)}`);
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope},SignedHeaders=${names},Signature=${signature}`;
  const lines = Object.entries({ ...Object.fromEntries(signed), authorization, ...unsigned });
  const head = `${method} ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return { head, signature, sign, scope, amzDate };
}

function canonicalQuery(query: string): string {
  return query
    .split("&")
    .filter((parameter) => parameter !== "")
    .map((parameter) => (parameter.includes("=") ? parameter : `${parameter}=`))
    .sort()
    .join("&");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
