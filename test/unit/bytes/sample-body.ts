// A body of several pieces, the chunks in which it may arrive, and its comparison.
import { expect } from "vitest";

import { digest } from "../../../src/bytes/digest.ts";
import { toBase64 } from "../../../src/bytes/hex-base64.ts";
import { PIECE_BYTES } from "../../../src/bytes/streams.ts";
import { Seeded } from "./seeded.ts";

export const BODY = new Seeded(31).bytes(3 * PIECE_BYTES + 12_345);

/** Names, sizes of chunks and the lengths of the body that arrives in them. */
export const SIZES = [
  ["of one byte", [1], 3000],
  ["of uneven sizes", [1, 4096, 3, 70_000], BODY.length],
  ["of exactly a piece", [PIECE_BYTES], BODY.length],
  ["of a byte less than a piece", [PIECE_BYTES - 1], BODY.length],
  ["of a byte more than a piece", [PIECE_BYTES + 1], BODY.length],
  ["of all at once", [BODY.length], BODY.length],
] as const;

/** Compares without printing megabytes on a difference. */
export async function expectSameBytes(actual: Uint8Array, wanted: Uint8Array): Promise<void> {
  expect(actual.length).toBe(wanted.length);
  expect(toBase64(await digest("SHA-256", actual))).toBe(toBase64(await digest("SHA-256", wanted)));
}
