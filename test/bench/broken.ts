// Requests that break off: uploads of every kind whose client disconnects in the middle of the body, and downloads that
// are left unread. Each is a raw request on a connection of its own.
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { AwsV4Signer } from "aws4fetch";
import { CREDENTIALS } from "./signer.ts";

/** A request, and the part of its body that is sent before the client disconnects. */
export interface BrokenRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly sent: Buffer;
}

/** The bucket and the upload that the requests address. */
export interface Subject {
  /** A bucket to which anonymous forms may upload, with objects `large` and, in several parts, `parts`. */
  readonly bucket: string;
  /** An open upload of the key `upload`. */
  readonly uploadId: string;
}

const LENGTH = 300_000;
const SENT = Buffer.alloc(100_000, "x");
const PATIENCE_MS = 10;
const ANSWER_MS = 2000;
const BOUNDARY = "boundary";

/** The headers of a signed request. */
export async function signedHeaders(
  url: string,
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
  service = "s3",
): Promise<Record<string, string>> {
  const payload: Record<string, string> = service === "s3" ? { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } : {};
  const signer = new AwsV4Signer({
    method,
    url: url + target,
    accessKeyId: CREDENTIALS.accessKeyId,
    secretAccessKey: CREDENTIALS.secretAccessKey,
    service,
    region: "us-east-1",
    headers: { ...payload, ...headers },
    ...(method === "POST" ? { body: "" } : {}),
  });
  const signed = await signer.sign();
  return Object.fromEntries(signed.headers);
}

/** One request of each kind. */
export async function brokenRequests(url: string, { bucket, uploadId }: Subject): Promise<BrokenRequest[]> {
  const put = `/${bucket}/broken`;
  const part = `/${bucket}/upload?partNumber=1&uploadId=${uploadId}`;
  const md5 = createHash("md5").update("").digest("base64");
  const sha256 = createHash("sha256").update("").digest();
  const key = Buffer.alloc(32, "k");
  const chunked = { "content-encoding": "aws-chunked", "x-amz-decoded-content-length": String(LENGTH) };
  const customerKey = {
    "x-amz-server-side-encryption-customer-algorithm": "AES256",
    "x-amz-server-side-encryption-customer-key": key.toString("base64"),
    "x-amz-server-side-encryption-customer-key-MD5": createHash("md5").update(key).digest("base64"),
  };
  const kinds: readonly [method: string, target: string, headers: Record<string, string>, sent: Buffer][] = [
    ["PUT", put, {}, SENT],
    ["PUT", put, { "x-amz-checksum-crc32": "AAAAAA==" }, SENT.subarray(0, 3)],
    ["PUT", put, { "x-amz-content-sha256": sha256.toString("hex") }, SENT],
    ["PUT", put, { "x-amz-checksum-sha256": sha256.toString("base64") }, SENT],
    ["PUT", put, customerKey, SENT],
    ["PUT", part, {}, SENT],
    [
      "PUT",
      put,
      {
        ...chunked,
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-trailer": "x-amz-checksum-crc32",
      },
      chunk("", SENT),
    ],
    [
      "PUT",
      part,
      { ...chunked, "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" },
      chunk(`;chunk-signature=${createHmac("sha256", "no").digest("hex")}`, SENT),
    ],
    ["POST", `/${bucket}?delete`, { "content-md5": md5 }, Buffer.from("<Delete>")],
    ["PUT", `/${bucket}?tagging`, { "content-md5": md5 }, Buffer.from("<Tagging>")],
  ];
  const requests: BrokenRequest[] = [];
  for (const [method, target, headers, sent] of kinds) {
    const signed = await signedHeaders(url, method, target, headers);
    requests.push({ method, target, headers: { ...signed, "content-length": String(LENGTH) }, sent });
  }
  const iam = await signedHeaders(url, "POST", "/", {}, "iam");
  requests.push({
    method: "POST",
    target: "/",
    headers: { ...iam, "content-length": "1000" },
    sent: Buffer.from("Action="),
  });
  for (const sent of [form(bucket, undefined), form(bucket, SENT)]) {
    const headers = {
      "content-type": `multipart/form-data; boundary=${BOUNDARY}`,
      "content-length": String(LENGTH),
    };
    requests.push({ method: "POST", target: `/${bucket}`, headers, sent });
  }
  for (const [name, headers] of [
    ["large", {}],
    ["parts", {}],
    ["sealed", customerKey],
  ] as const) {
    const target = `/${bucket}/${name}`;
    requests.push({
      method: "GET",
      target,
      headers: await signedHeaders(url, "GET", target, headers),
      sent: Buffer.alloc(0),
    });
  }
  return requests;
}

function chunk(extension: string, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${LENGTH.toString(16)}${extension}\r\n`), data]);
}

function field(name: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"`;
}

/** The beginning of a form: in the middle of its fields, or of its file. */
function form(bucket: string, file: Buffer | undefined): Buffer {
  const fields = `${field("key")}\r\n\r\nform-of-${bucket}\r\n`;
  if (file === undefined) return Buffer.from(fields);
  return Buffer.concat([Buffer.from(`${fields}${field("file")}; filename="f"\r\n\r\n`), file]);
}

/** Sends a request, waits until some of it was processed, and disconnects. */
export async function breakOff(url: string, { method, target, headers, sent }: BrokenRequest): Promise<void> {
  const socket = await openConnection(url);
  // The server may disconnect first.
  socket.on("error", () => undefined);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${target} HTTP/1.1\r\nhost: ${new URL(url).host}\r\n${lines.join("")}\r\n`);
  socket.write(sent);
  if (method === "GET") await Promise.race([once(socket, "data"), once(socket, "close"), pause(ANSWER_MS)]);
  await pause(PATIENCE_MS);
  socket.destroy();
}

/** A connection on which a request can stay unfinished. */
export async function openConnection(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, "connect");
  return socket;
}
