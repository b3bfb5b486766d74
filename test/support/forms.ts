// Forms as browsers send them: the body with its policy and signature, computed by node's own crypto.
import { createHmac } from "node:crypto";

import { anonymous, deliver, ROOT, type RequestScope } from "./client.ts";

/** A part: its name, its content, and for a file the client's file name. */
export type FormPart = readonly [name: string, content: string | Uint8Array, filename?: string | undefined];

export const BOUNDARY = "----CairnTestFormBoundaryx7A2";

/** The body of a form. */
export function formOf(parts: readonly FormPart[], { boundary = BOUNDARY } = {}): Uint8Array {
  const encoder = new TextEncoder();
  const pieces = parts.flatMap(([name, content, filename]) => {
    const file = filename === undefined ? "" : `; filename="${filename}"\r\nContent-Type: image/x-of-the-part`;
    return [
      encoder.encode(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`),
      typeof content === "string" ? encoder.encode(content) : content,
      encoder.encode("\r\n"),
    ];
  });
  pieces.push(encoder.encode(`--${boundary}--\r\n`));
  const body = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    body.set(piece, at);
    at += piece.length;
  }
  return body;
}

/** Overrides of how a form is signed. */
export interface Signing {
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** Milliseconds since the epoch. */
  readonly signedAt?: number;
  readonly expiresAt?: number;
  readonly region?: string;
}

/** The fields that authenticate a form with these conditions. */
export function signPolicy(conditions: readonly unknown[], signing: Signing = {}): Record<string, string> {
  const { credentials = ROOT, signedAt = Date.now(), region = "us-east-1" } = signing;
  const { expiresAt = signedAt + 3_600_000 } = signing;
  const { accessKeyId, secretAccessKey, sessionToken } = { sessionToken: undefined, ...credentials };
  const date = new Date(signedAt).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const day = date.slice(0, 8);
  const fields: Record<string, string> = {
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${accessKeyId}/${day}/${region}/s3/aws4_request`,
    "x-amz-date": date,
    ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }),
  };
  const ofSignature = Object.entries(fields).map(([name, value]) => ({ [name]: value }));
  const policy = Buffer.from(
    JSON.stringify({ expiration: new Date(expiresAt).toISOString(), conditions: [...conditions, ...ofSignature] }),
  ).toString("base64");
  let key: string | Buffer = `AWS4${secretAccessKey}`;
  for (const part of [day, region, "s3", "aws4_request"]) key = createHmac("sha256", key).update(part).digest();
  return { ...fields, policy, "x-amz-signature": createHmac("sha256", key).update(policy).digest("hex") };
}

/** Sends a form as a browser does. */
export async function sendForm(
  bucket: string,
  body: Uint8Array | ReadableStream<Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
  scope: RequestScope = {},
): Promise<Response> {
  const contentType = `multipart/form-data; boundary=${BOUNDARY}`;
  const request = anonymous("POST", `/${bucket}`, { body, headers: { "content-type": contentType, ...headers } });
  return deliver(request, scope);
}

/**
 * Sends a form with an exact policy: one condition for the bucket and one for each field. @param more additional
 * conditions
 */
export async function post(
  bucket: string,
  fields: Readonly<Record<string, string>>,
  file: string | Uint8Array,
  more: readonly unknown[] = [],
): Promise<Response> {
  const conditions = [{ bucket }, ...Object.entries(fields).map(([name, value]) => ({ [name]: value })), ...more];
  return sendForm(
    bucket,
    formOf([...Object.entries({ ...fields, ...signPolicy(conditions) }), ["file", file, "f.bin"]]),
  );
}
