// Parts, uploads of them, and digests of the objects that they form.
import { expect } from "vitest";

import { checksum, md5Hex, utf8, type Algorithm } from "../support/digests.ts";
import { createUpload, joined, largePart, putPart, type ListedPart } from "../support/multipart.ts";
import { readXml, type Element } from "../support/read-xml.ts";

export const LARGE = largePart(1);
export const LARGER = largePart(2, 7);
export const LAST = utf8("the end");

/** The MD5 of the parts' MD5s, computed by node. */
export function etagOf(bodies: readonly Uint8Array[]): string {
  const md5s = bodies.map((body) => Uint8Array.from(md5Hex(body).match(/../g) ?? [], (hex) => Number(`0x${hex}`)));
  return `${md5Hex(joined(md5s))}-${bodies.length}`;
}

/** A digest over the raw bytes, computed outside of the Worker's streams. */
export function digestOf(algorithm: Algorithm, bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(atob(checksum(algorithm, bytes)), (character) => character.charCodeAt(0));
}

export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

export async function answerOf(response: Response): Promise<Element> {
  expect(response.status).toBe(200);
  return readXml(await response.text());
}

/** An upload with these parts, numbered from 1 by default. */
export async function uploadOf(
  bucket: string,
  bodies: readonly (string | Uint8Array)[],
  headers: Readonly<Record<string, string>> = {},
  numbers: readonly number[] = bodies.map((_, index) => index + 1),
): Promise<{ uploadId: string; parts: ListedPart[] }> {
  const uploadId = await createUpload(bucket, "k", headers);
  const parts: ListedPart[] = [];
  for (const [index, body] of bodies.entries()) {
    parts.push(await putPart(bucket, "k", uploadId, numbers[index] ?? 0, body));
  }
  return { uploadId, parts };
}
