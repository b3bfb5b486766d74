// Customers' encryption keys as requests send them, and bucket encryption configurations.
import { createHash } from "node:crypto";

import { send } from "./client.ts";
import { md5Base64, noise, utf8 } from "./digests.ts";

type Headers = Readonly<Record<string, string>>;

/** A key of 32 bytes, the same for the same seed, in base64. */
export function customerKey(seed: number): string {
  return btoa(String.fromCharCode(...noise(32, 1000 + seed)));
}

/** The headers of a key. */
export function keyHeaders(key: string, prefix = "x-amz-server-side-encryption-customer-"): Headers {
  const md5 = createHash("md5").update(Buffer.from(key, "base64")).digest("base64");
  return { [`${prefix}algorithm`]: "AES256", [`${prefix}key`]: key, [`${prefix}key-md5`]: md5 };
}

/** The headers of the key of a copy's source. */
export function sourceKeyHeaders(key: string): Headers {
  return keyHeaders(key, "x-amz-copy-source-server-side-encryption-customer-");
}

/** The encryption headers of a response. */
export function shownEncryption(response: Response): Headers {
  return Object.fromEntries(
    Array.from(response.headers).filter(([name]) => name.startsWith("x-amz-server-side-encryption")),
  );
}

/** The expected encryption headers for an object with this key; without a key, for every other object. */
export function encryptionShownFor(key: string | undefined): Headers {
  if (key === undefined) return { "x-amz-server-side-encryption": "AES256" };
  const { "x-amz-server-side-encryption-customer-key": _, ...shown } = keyHeaders(key);
  return shown;
}

/** A document that sets AES256 as the default, with more elements in its rule. */
export function encryptionDocument(more = ""): string {
  const byDefault =
    "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>";
  return `<ServerSideEncryptionConfiguration><Rule>${byDefault}${more}</Rule></ServerSideEncryptionConfiguration>`;
}

/** Blocks customers' keys in a bucket. */
export const BLOCKED = "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>";

/** Puts a bucket's encryption configuration. */
export async function putEncryption(bucket: string, body: string): Promise<Response> {
  return send("PUT", `/${bucket}?encryption`, { body, headers: { "content-md5": md5Base64(utf8(body)) } });
}
