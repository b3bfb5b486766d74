// Lifecycle configurations as clients set them.
import { expect } from "vitest";

import { send, type SendOptions } from "./client.ts";
import { md5Base64, utf8 } from "./digests.ts";
import { metadata } from "./metadata.ts";

/** A rule's elements in the given order, after an empty Filter and a Status unless they are given. */
export function rule(content: string, { id = "", filter = "<Filter/>", status = "Enabled" } = {}): string {
  const named = id === "" ? "" : `<ID>${id}</ID>`;
  return `<Rule>${named}${filter}<Status>${status}</Status>${content}</Rule>`;
}

/** A filter by a prefix alone. */
export function prefixed(prefix: string): { filter: string } {
  return { filter: `<Filter><Prefix>${prefix}</Prefix></Filter>` };
}

/** The expiration of current versions after the given number of days. */
export function expiresAfter(days: number | string): string {
  return `<Expiration><Days>${days}</Days></Expiration>`;
}

/** The document of rules. */
export function lifecycleOf(...rules: readonly string[]): string {
  return `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rules.join("")}</LifecycleConfiguration>`;
}

/** Puts a document with its MD5. */
export function sendLifecycle(
  bucket: string,
  body: string,
  headers: NonNullable<SendOptions["headers"]> = {},
): Promise<Response> {
  return send("PUT", `/${bucket}?lifecycle`, { body, headers: { "content-md5": md5Base64(utf8(body)), ...headers } });
}

/** Sets rules. */
export async function putLifecycle(bucket: string, ...rules: readonly string[]): Promise<void> {
  const response = await sendLifecycle(bucket, lifecycleOf(...rules));
  expect(response.status, await response.text()).toBe(200);
}

/** Deletes the rules of all buckets. */
export async function clearRules(): Promise<void> {
  await metadata.prepare("UPDATE buckets SET lifecycle = NULL").run();
}

export const DAY_MS = 86_400_000;

/** Midnight UTC, the given number of days after today's. */
export function midnight(days: number, from = Date.now()): number {
  return (Math.floor(from / DAY_MS) + days) * DAY_MS;
}
