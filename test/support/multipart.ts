// Multipart uploads as clients send them.
import { expect } from "vitest";

import { send, type SendOptions } from "./client.ts";
import { noise } from "./digests.ts";
import { readXml, textOf } from "./read-xml.ts";

/** The minimum size of a part that is not the last. */
export const PART_MIN_BYTES = 5 * 1024 ** 2;

/** A part as a completion lists it. */
export interface ListedPart {
  readonly partNumber: number;
  /** As it appears in the document, quotes included. */
  readonly etag: string;
  /** Elements such as ChecksumCRC32. */
  readonly checksums?: Readonly<Record<string, string>>;
}

type Headers = NonNullable<SendOptions["headers"]>;

/** Begins an upload and returns its id. */
export async function createUpload(bucket: string, key: string, headers: Headers = {}): Promise<string> {
  const response = await send("POST", `/${bucket}/${encodeURIComponent(key)}?uploads`, { headers });
  expect(response.status).toBe(200);
  return textOf(readXml(await response.text()), "UploadId") ?? "";
}

/** Sends a part. */
export function sendPart(
  bucket: string,
  key: string,
  uploadId: string,
  partNumber: number | string,
  body: string | Uint8Array,
  headers: Headers = {},
): Promise<Response> {
  const target = `/${bucket}/${encodeURIComponent(key)}?partNumber=${partNumber}&uploadId=${uploadId}`;
  return send("PUT", target, { body, headers });
}

/** Uploads a part and returns its entry for a completion. */
export async function putPart(
  bucket: string,
  key: string,
  uploadId: string,
  partNumber: number,
  body: string | Uint8Array,
  headers: Headers = {},
): Promise<ListedPart> {
  const response = await sendPart(bucket, key, uploadId, partNumber, body, headers);
  expect(response.status).toBe(200);
  const checksums: Record<string, string> = {};
  for (const [name, value] of response.headers) {
    const algorithm = /^x-amz-checksum-(?!type$)(\w+)$/.exec(name)?.[1];
    if (algorithm !== undefined) checksums[`Checksum${algorithm.toUpperCase()}`] = value;
  }
  return { partNumber, etag: response.headers.get("etag") ?? "", checksums };
}

/** A completion's document. */
export function completionOf(parts: readonly ListedPart[]): string {
  const listed = parts.map(({ partNumber, etag, checksums = {} }) => {
    const elements = Object.entries(checksums).map(([name, value]) => `<${name}>${value}</${name}>`);
    return `<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag>${elements.join("")}</Part>`;
  });
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${listed.join("")}</CompleteMultipartUpload>`;
}

/** Sends a completion. */
export function sendCompletion(
  bucket: string,
  key: string,
  uploadId: string,
  parts: readonly ListedPart[] | string,
  headers: Headers = {},
): Promise<Response> {
  const body = typeof parts === "string" ? parts : completionOf(parts);
  return send("POST", `/${bucket}/${encodeURIComponent(key)}?uploadId=${uploadId}`, { body, headers });
}

/** Creates an object of parts numbered from 1, and returns the response to its completion. */
export async function uploadInParts(
  bucket: string,
  key: string,
  bodies: readonly (string | Uint8Array)[],
  headers: Headers = {},
): Promise<Response> {
  const uploadId = await createUpload(bucket, key, headers);
  const parts: ListedPart[] = [];
  for (const [index, body] of bodies.entries()) parts.push(await putPart(bucket, key, uploadId, index + 1, body));
  const ofKey = Object.entries(headers).filter(([name]) => name.startsWith("x-amz-server-side-encryption-customer-"));
  const response = await sendCompletion(bucket, key, uploadId, parts, Object.fromEntries(ofKey));
  expect(response.status).toBe(200);
  return response;
}

/** The bytes of a part that need not be the last, the same for the same seed. */
export function largePart(seed: number, extra = 0): Uint8Array {
  const key = `${seed}/${extra}`;
  const known = LARGE_PARTS.get(key) ?? noise(PART_MIN_BYTES + extra, seed);
  LARGE_PARTS.set(key, known);
  return known;
}

const LARGE_PARTS = new Map<string, Uint8Array>();

/** Concatenates bytes. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let length = 0;
  for (const part of parts) {
    whole.set(part, length);
    length += part.length;
  }
  return whole;
}
