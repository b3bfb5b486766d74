// Appends as clients send them.
import { expect } from "vitest";

import { send, type RequestScope, type SendOptions } from "./client.ts";
import { expectBytes } from "./digests.ts";

export const OFFSET = "x-amz-write-offset-bytes";

type Headers = NonNullable<SendOptions["headers"]>;

/** Sends an append. */
export async function sendAppend(
  bucket: string,
  key: string,
  offset: number,
  body: string | Uint8Array,
  headers: Headers = {},
  scope: RequestScope = {},
): Promise<Response> {
  return send("PUT", `/${bucket}/${key}`, { body, headers: { ...headers, [OFFSET]: String(offset) } }, scope);
}

/** Appends pieces one after the other, each of which must succeed, and returns the last response. */
export async function appendAll(
  bucket: string,
  key: string,
  pieces: readonly (string | Uint8Array)[],
  headers: Headers = {},
  from = 0,
): Promise<Response> {
  let offset = from;
  let last: Response | undefined;
  for (const piece of pieces) {
    last = await sendAppend(bucket, key, offset, piece, headers);
    expect(last.status, await last.clone().text()).toBe(200);
    offset += piece.length;
    expect(last.headers.get("x-amz-object-size")).toBe(String(offset));
  }
  if (last === undefined) throw new Error("nothing to append");
  return last;
}

/** Asserts what a GET of the whole object and of some of its ranges answer. */
export async function expectContent(
  bucket: string,
  key: string,
  expected: Uint8Array,
  headers: Headers = {},
): Promise<void> {
  await expectBytes(await send("GET", `/${bucket}/${key}`, { headers }), expected);
  const end = expected.length - 1;
  for (const [first, last] of [
    [0, 0],
    [end, end],
    [Math.floor(end / 3), Math.ceil((2 * end) / 3)],
  ] as const) {
    const response = await send("GET", `/${bucket}/${key}`, {
      headers: { ...headers, range: `bytes=${first}-${last}` },
    });
    expect(response.status).toBe(206);
    await expectBytes(response, expected.subarray(first, last + 1));
  }
}
