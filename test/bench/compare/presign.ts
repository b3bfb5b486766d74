// Signs requests in their queries (AWS Signature Version 4) with Node's own HMAC: a signature takes microseconds, and the
// implementation is not the one that is measured.
import { createHash, createHmac } from "node:crypto";
import type { WireRequest } from "./connection.ts";

export interface SigningKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A request before it is signed. The key and the query's values contain only characters that URLs leave alone. */
export interface UnsignedRequest {
  readonly method: string;
  /** Path with bucket and key. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Headers with lower-case names; all are signed. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | undefined;
}

const REGION = "us-east-1";
const EXPIRES_SECONDS = 86_400;

const signingKeys = new Map<string, Buffer>();

/** The bytes of a presigned request. */
export function presigned(
  endpoint: URL,
  { accessKeyId, secretAccessKey }: SigningKey,
  request: UnsignedRequest,
): WireRequest {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = `${time.slice(0, 8)}/${REGION}/s3/aws4_request`;
  const headers: Record<string, string> = { host: endpoint.host, ...request.headers };
  const names = Object.keys(headers).sort();
  const query = queryOf({
    ...request.query,
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${accessKeyId}/${scope}`,
    "X-Amz-Date": time,
    "X-Amz-Expires": String(EXPIRES_SECONDS),
    "X-Amz-SignedHeaders": names.join(";"),
  });
  const canonical = [
    request.method,
    request.path,
    query,
    ...names.map((name) => `${name}:${headers[name] ?? ""}`),
    "",
    names.join(";"),
    headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD",
  ].join("\n");
  const hash = createHash("sha256").update(canonical).digest("hex");
  const signature = createHmac("sha256", signingKey(secretAccessKey, scope))
    .update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash}`)
    .digest("hex");
  return wireRequest(request.method, `${request.path}?${query}&X-Amz-Signature=${signature}`, headers, request.body);
}

/** The bytes of a request without a signature. */
export function unsigned(endpoint: URL, { method, path, query, headers, body }: UnsignedRequest): WireRequest {
  const target = query === undefined ? path : `${path}?${queryOf(query)}`;
  return wireRequest(method, target, { host: endpoint.host, ...headers }, body);
}

function wireRequest(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer | undefined,
): WireRequest {
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`;
  if (body !== undefined || method === "PUT" || method === "POST") head += `content-length: ${body?.length ?? 0}\r\n`;
  return { method, head: Buffer.from(`${head}\r\n`), body };
}

function queryOf(parameters: Readonly<Record<string, string>>): string {
  return Object.keys(parameters)
    .sort()
    .map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(parameters[name] ?? "")}`)
    .join("&");
}

function signingKey(secret: string, scope: string): Buffer {
  const cached = signingKeys.get(`${secret} ${scope}`);
  if (cached !== undefined) return cached;
  let key = Buffer.from(`AWS4${secret}`);
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  signingKeys.set(`${secret} ${scope}`, key);
  return key;
}
