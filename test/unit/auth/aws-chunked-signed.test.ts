// The aws-chunked decoder with signed chunks that are altered, moved, missing or unsigned.
import { describe, expect, it } from "vitest";

import { ACCESS_KEY_ID, byteStreamOf, caught, concat, randomOf, sha256 } from "./support.ts";
import { GOOD, SEED, SIGNED, decode, decodeStream, encode, signChunks, type Chunk } from "./aws-chunked-fixture.ts";

describe("a signed body", () => {
  it("does not verify with any single bit of any byte flipped", async () => {
    for (const [name, body, envelope] of GOOD.filter(([, , { signature }]) => signature !== undefined)) {
      for (let at = 0; at < body.length; at += 1) {
        for (const bit of [1, 2, 16]) {
          const tampered = body.slice();
          tampered[at] = (tampered[at] ?? 0) ^ bit;
          const error = await caught(() => decode(tampered, envelope));
          expect([400, 403], `${name} ${at} ${bit}`).toContain(error.status);
        }
      }
    }
  });

  const A = new Uint8Array(8192).fill(0x61);
  const B = new Uint8Array(8192).fill(0x62);

  it.each([
    ["changed data", (chunks: readonly Chunk[]) => chunks.with(0, { ...must(chunks[0]), data: B })],
    ["its chunks in another order", ([first, second, last]: readonly Chunk[]) => [second, first, last]],
    ["a chunk replayed", ([first, , last]: readonly Chunk[]) => [first, first, last]],
    [
      "the second chunk's signature on the first",
      ([first, second, last]: readonly Chunk[]) => [{ line: must(second).line, data: must(first).data }, second, last],
    ],
    [
      "a signature of 63 digits",
      ([first, ...rest]: readonly Chunk[]) => [{ ...must(first), line: must(first).line.slice(0, -1) }, ...rest],
    ],
    [
      "a signature of no digits",
      ([first, ...rest]: readonly Chunk[]) => [{ ...must(first), line: "2000;chunk-signature=" }, ...rest],
    ],
    [
      "a signature that is no digits",
      ([first, ...rest]: readonly Chunk[]) => [
        { ...must(first), line: `2000;chunk-signature=${"é".repeat(32)}` },
        ...rest,
      ],
    ],
    [
      "a last chunk of another body",
      ([first, second]: readonly Chunk[]) => [
        first,
        second,
        { line: `0;chunk-signature=${SEED}`, data: new Uint8Array(0) },
      ],
    ],
  ])("answers 403 SignatureDoesNotMatch to %s", async (_name, change) => {
    const { chunks } = await signChunks([A, B]);
    const body = encode(change(chunks).map(must));
    const error = await caught(() => decode(body, { ...SIGNED, length: 16_384 }));
    expect([error.code, error.status]).toEqual(["SignatureDoesNotMatch", 403]);
    expect(error.fields["AWSAccessKeyId"]).toBe(ACCESS_KEY_ID);
    expect(error.fields["StringToSign"]).toMatch(/^AWS4-HMAC-SHA256-PAYLOAD\n20130524T000000Z\n/);
  });

  it("returns 403 SignatureDoesNotMatch for a missing chunk", async () => {
    const { chunks } = await signChunks([A, B]);
    const error = await caught(() => decode(encode(chunks.slice(1)), { ...SIGNED, length: 8192 }));
    expect(error.code).toBe("SignatureDoesNotMatch");
  });

  it.each([
    "2000",
    "2000;chunk-signature",
    "2000;",
    "2000;signature=0",
    "2000;Chunk-Signature=0",
    "2000 ;chunk-signature=0",
  ])("returns 400 IncompleteBody for the size line %j", async (line) => {
    const { chunks } = await signChunks([A]);
    const body = encode([{ line, data: A }, must(chunks[1])]);
    expect((await caught(() => decode(body, { ...SIGNED, length: 8192 }))).code).toBe("IncompleteBody");
  });

  it.each([
    [[1], undefined],
    [[8192, 1], undefined],
    [[8192, 8191], undefined],
    [[8191, 1], { Chunk: 2, BadChunkSize: 8191 }],
    [[1, 8192], { Chunk: 2, BadChunkSize: 1 }],
    [[8192, 9000, 5, 8192], { Chunk: 4, BadChunkSize: 5 }],
  ])("with chunks of %j bytes is checked against the minimum of 8192", async (sizes, fields) => {
    const { chunks } = await signChunks(sizes.map((size) => new Uint8Array(size)));
    const length = sizes.reduce((sum, size) => sum + size, 0);
    if (fields === undefined) {
      expect((await decode(encode(chunks), { ...SIGNED, length })).payload.length).toBe(length);
      return;
    }
    const error = await caught(() => decode(encode(chunks), { ...SIGNED, length }));
    expect([error.code, error.status, error.fields]).toEqual(["InvalidChunkSizeError", 400, fields]);
    expect(error.message).toBe("Only the last chunk is allowed to have a size less than 8192 bytes");
  });

  it("with chunks larger than a piece is decoded in network-sized pieces", async () => {
    const random = randomOf(3);
    const payloads = [1_000_000, 8192, 700_001].map((size) => new Uint8Array(size).map(() => random(256)));
    const { chunks } = await signChunks(payloads);
    const { payload } = await decodeStream(byteStreamOf(encode(chunks)), { ...SIGNED, length: 1_708_193 });
    expect(await sha256(payload)).toBe(await sha256(concat(payloads)));
  });
});

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("missing");
  return value;
}
