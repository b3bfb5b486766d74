// Annotations, as clients put and read them.
import { expect } from "vitest";

import { send } from "./client.ts";
import { freshBucket, putAll } from "./fresh-bucket.ts";
import { childrenOf, readXml, textOf } from "./read-xml.ts";

/** The address of an annotation; `at` is bucket and key. */
export function annotationTarget(at: string, name: string): string {
  return `/${at}?annotation&annotationName=${encodeURIComponent(name)}`;
}

/** Puts an annotation. */
export async function annotate(at: string, name: string, body: string | Uint8Array, query = ""): Promise<Response> {
  const response = await send("PUT", `${annotationTarget(at, name)}${query}`, { body });
  expect(response.status, await response.clone().text()).toBe(200);
  return response;
}

/** The payload, or the status of a refusal. */
export async function payloadOf(at: string, name: string, query = ""): Promise<string | number> {
  const response = await send("GET", `${annotationTarget(at, name)}${query}`);
  return response.status === 200 ? response.text() : response.status;
}

/** The names on a page, and the token of the next. */
export async function namesOf(at: string, query = ""): Promise<{ names: string[]; next: string | undefined }> {
  const response = await send("GET", `/${at}?annotation${query}`);
  expect(response.status).toBe(200);
  const root = readXml(await response.text());
  const [list] = childrenOf(root, "Annotations");
  const names = (list?.children ?? []).map((entry) => textOf(entry, "AnnotationName") ?? "");
  expect(textOf(root, "AnnotationCount")).toBe(String(names.length));
  return { names, next: textOf(root, "NextContinuationToken") };
}

/** A bucket with the object `k`. */
export async function annotatedBucket(): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, { k: "text" });
  return bucket;
}
