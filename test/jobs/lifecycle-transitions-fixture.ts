// Transition rules, and the storage class, blob and bytes of an object.
import { env } from "cloudflare:workers";
import { expect } from "vitest";

import { digest } from "../../src/bytes/digest.ts";
import { toHex } from "../../src/bytes/hex-base64.ts";
import { send } from "../support/client.ts";
import { bucketId } from "../support/stored-state.ts";
import { largePart } from "../support/multipart.ts";

export const movesAfter = (days: number, storageClass = "STANDARD_IA"): string =>
  `<Transition><Days>${days}</Days><StorageClass>${storageClass}</StorageClass></Transition>`;
export const ANY_SIZE = { filter: "<Filter><ObjectSizeLessThan>1099511627776000</ObjectSizeLessThan></Filter>" };
export const PARTS = [largePart(1), largePart(2, 12_345), new TextEncoder().encode("the last part")];

export async function classOf(bucket: string, key: string, versionId = ""): Promise<string> {
  const query = versionId === "" ? "" : `?versionId=${versionId}`;
  const response = await send("HEAD", `/${bucket}/${key}${query}`);
  expect(response.status).toBe(200);
  return response.headers.get("x-amz-storage-class") ?? "STANDARD";
}

export async function blobOf(bucket: string, key: string): Promise<string | null> {
  const row = await env.DB.prepare("SELECT blob_id FROM objects WHERE bucket_id = ? AND key = ?")
    .bind(await bucketId(bucket), key)
    .first<{ blob_id: string | null }>();
  return row?.blob_id ?? null;
}

/** Everything that a reader sees of an object except its storage class. */
export async function seen(bucket: string, key: string): Promise<unknown> {
  const response = await send("GET", `/${bucket}/${key}`, { headers: { "x-amz-checksum-mode": "ENABLED" } });
  const headers = Array.from(response.headers).filter(
    ([name]) => !/^(x-amz-(request-id|id-2|storage-class|expiration)|date|server-timing|x-cache|age)$/.test(name),
  );
  const bytes = await response.arrayBuffer();
  return { status: response.status, headers, length: bytes.byteLength, hash: await hashOf(bytes) };
}

export async function hashOf(bytes: ArrayBuffer | Uint8Array = new Uint8Array()): Promise<string> {
  return toHex(await digest("SHA-256", new Uint8Array(bytes)));
}
