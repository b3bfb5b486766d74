// Reads through the edge cache in tests.
import { expect, vi } from "vitest";

import { send, type RequestScope, type SendOptions } from "./client.ts";
import { r2With } from "./faults.ts";
import { PATIENCE } from "./quick.ts";
import { drawnUuid } from "./seed.ts";

/** A blob store that fails every read. */
export const NO_BLOBS = { BLOBS: r2With({ get: () => Promise.reject(new Error("the blob store was asked")) }) };

/** A response whose body was read. */
export interface ReadAnswer {
  readonly response: Response;
  readonly status: number;
  /** X-Cache. */
  readonly cache: string | null;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Reads a response to its end. */
export async function readAnswer(response: Response): Promise<ReadAnswer> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const text = bytes.length > 100_000 ? "" : new TextDecoder().decode(bytes);
  return { response, status: response.status, cache: response.headers.get("x-cache"), bytes, text };
}

/** Sends a signed GET and reads the response to its end. */
export async function get(target: string, options: SendOptions = {}, scope: RequestScope = {}): Promise<ReadAnswer> {
  return readAnswer(await send("GET", target, options, scope));
}

/** Reads until the bytes come from the cache: a larger piece is stored shortly after its reader has it. */
export async function untilHit(
  target: string,
  options: SendOptions = {},
  scope: RequestScope = {},
): Promise<ReadAnswer> {
  return vi.waitFor(async () => {
    const answer = await get(target, options, scope);
    expect(answer.cache).toBe("HIT");
    return answer;
  }, PATIENCE);
}

/** A scope whose cache no other test has filled. */
export function freshLocation(name: string = drawnUuid()): RequestScope {
  return { EDGE_CACHE_NAMESPACE: `location-${name}` };
}
