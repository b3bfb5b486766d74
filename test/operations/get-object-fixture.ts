// An object to read, its ETag and its date.
import { expect } from "vitest";

import { send, type RequestScope, type SendOptions } from "../support/client.ts";
import { md5Hex, noise } from "../support/digests.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

export const BODY = noise(1000);
export const ETAG = md5Hex(BODY);

export async function objectOf(
  body: Uint8Array | string = BODY,
  headers: SendOptions["headers"] = {},
  scope: RequestScope = {},
): Promise<string> {
  const bucket = await freshBucket();
  expect((await send("PUT", `/${bucket}/k`, { body, headers }, scope)).status).toBe(200);
  return `/${bucket}/k`;
}

export function httpDate(time: number): string {
  return new Date(time).toUTCString();
}
