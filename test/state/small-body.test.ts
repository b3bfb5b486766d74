import { describe, expect, it } from "vitest";

import type { IncomingBody } from "../../src/protocol/core/incoming-body.ts";
import { readSmallBody } from "../../src/state/blobs/small-body.ts";
import { noise } from "../support/digests.ts";

function plainBody(length: number, plain: ReadableStream<Uint8Array>): IncomingBody {
  const deliver = () => Promise.reject(new Error("a plain body is not delivered"));
  return { length, sha256: undefined, trailerNames: [], plain, deliver };
}

function streamOf(pieces: readonly Uint8Array[], failure?: Error): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      if (failure === undefined) controller.close();
      else controller.error(failure);
    },
  });
}

describe("a small plain body", () => {
  it.each([[0], [1], [1000, 24], [65_536, 65_536]])("of pieces of %j bytes is read whole", async (...sizes) => {
    const pieces = sizes.map((size, index) => noise(size, index + 1)).filter(({ length }) => length > 0);
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const { bytes, trailers } = await readSmallBody(plainBody(length, streamOf(pieces)));
    expect(Buffer.from(bytes).equals(Buffer.concat(pieces))).toBe(true);
    expect(trailers.size).toBe(0);
  });

  it.each([
    ["shorter", streamOf([noise(999)])],
    ["longer", streamOf([noise(1000), noise(1)])],
    ["empty", streamOf([])],
    ["broken off", streamOf([noise(500)], new Error("the client is gone"))],
    ["broken off at its end", streamOf([noise(1000)], new Error("the client is gone"))],
  ])("that is %s is incomplete", async (_, stream) => {
    await expect(readSmallBody(plainBody(1000, stream))).rejects.toMatchObject({ code: "IncompleteBody" });
  });
});

describe("a small body in an envelope", () => {
  it("is collected from pieces that are reused, and has its trailers", async () => {
    const expected = noise(5000);
    const trailers = new Map([["x-amz-checksum-crc32", "AAAAAA=="]]);
    const deliver: IncomingBody["deliver"] = async (take) => {
      const piece = new Uint8Array(1000);
      for (let start = 0; start < expected.length; start += piece.length) {
        piece.set(expected.subarray(start, start + piece.length));
        await take(piece);
        piece.fill(0);
      }
      return trailers;
    };
    const body = { length: 5000, sha256: undefined, trailerNames: [], plain: undefined, deliver };
    const read = await readSmallBody(body);
    expect(read.bytes).toEqual(expected);
    expect(read.trailers).toBe(trailers);
  });

  it("fails with the decoder's own error", async () => {
    const deliver = () => Promise.reject(new Error("a malformed chunk"));
    const body = { length: 5, sha256: undefined, trailerNames: [], plain: undefined, deliver };
    await expect(readSmallBody(body)).rejects.toThrow("a malformed chunk");
  });
});
