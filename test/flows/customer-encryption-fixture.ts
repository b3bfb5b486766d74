// SSE-C keys, and requests on objects that are encrypted with them.
import { env } from "cloudflare:workers";
import { expect } from "vitest";

import { send, type SendOptions } from "../support/client.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { storedStateOf } from "../support/stored-state.ts";

export const KEY = customerKey(1);
export const WITH_KEY = keyHeaders(KEY);

export async function put(
  bucket: string,
  key: string,
  body: string | Uint8Array,
  headers: SendOptions["headers"] = WITH_KEY,
) {
  const response = await send("PUT", `/${bucket}/${key}`, { body, headers });
  expect(response.status).toBe(200);
  return response;
}

export async function get(bucket: string, key: string, headers: SendOptions["headers"] = WITH_KEY): Promise<Response> {
  return send("GET", `/${bucket}/${key}`, { headers });
}

/** The single blob of an object, read directly from R2. */
export async function blobOf(
  bucket: string,
  key: string,
): Promise<{ readonly blobId: string; readonly bytes: Uint8Array }> {
  const blobId = (await storedStateOf(bucket)).objects[key]?.blob_id ?? "";
  const blob = await env.BLOBS.get(blobId);
  return { blobId, bytes: (await blob?.bytes()) ?? new Uint8Array() };
}
