// DeleteObjects' documents and results.
import { expect } from "vitest";

import { send, type SendOptions } from "../support/client.ts";
import { md5Base64, utf8 } from "../support/digests.ts";
import { plain, readXml } from "../support/read-xml.ts";

export const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\r", "&#13;");
}

/** A document with keys, or objects of several fields, and other elements. */
export function document(objects: readonly (string | Readonly<Record<string, string>>)[], rest = ""): string {
  const entries = objects.map((object) => {
    const fields = typeof object === "string" ? { Key: object } : object;
    return `<Object>${Object.entries(fields)
      .map(([name, value]) => `<${name}>${escape(value)}</${name}>`)
      .join("")}</Object>`;
  });
  return `<Delete xmlns="${NAMESPACE}">${entries.join("")}${rest}</Delete>`;
}

export function post(
  bucket: string,
  body: string | Uint8Array,
  headers: SendOptions["headers"] = {},
): Promise<Response> {
  const bytes = typeof body === "string" ? utf8(body) : body;
  return send("POST", `/${bucket}?delete`, { body: bytes, headers: { "content-md5": md5Base64(bytes), ...headers } });
}

/** Sends a document and returns the elements of the result with their names. */
export async function results(bucket: string, body: string): Promise<[string, unknown][]> {
  const response = await post(bucket, body);
  expect(response.status).toBe(200);
  return readXml(await response.text()).children.map((child) => [child.name, plain(child)]);
}

export const deleted = (key: string): [string, unknown] => ["Deleted", { Key: key }];
