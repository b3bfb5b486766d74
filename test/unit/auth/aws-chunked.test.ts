// The aws-chunked decoder with split, truncated and overlong bodies in all three forms, and with very small chunks.
import { describe, expect, it } from "vitest";

import { readAwsChunked } from "../../../src/auth/body/aws-chunked.ts";
import { PieceReader } from "../../../src/bytes/streams.ts";
import { bytesOf, byteStreamOf, caught, concat, cut, randomOf, streamOf, textOf } from "./support.ts";
import { CRC32, GOOD, UNSIGNED, decode, decodeStream } from "./aws-chunked-fixture.ts";

describe.each(GOOD)("a body %s", (name, body, envelope, payload) => {
  const trailers = envelope.trailerNames.length > 0 ? { [CRC32]: "DUoRhQ==" } : {};

  it("is decoded in one piece, byte by byte, and split at every byte", async () => {
    const cuts = Array.from({ length: body.length + 1 }, (_, at) => cut(body, at));
    for (const pieces of [[body], Array.from(body, (byte) => Uint8Array.of(byte)), ...cuts]) {
      const decoded = await decode(pieces, envelope);
      expect(textOf([decoded.payload])).toBe(payload);
      expect(decoded.trailers).toEqual(trailers);
    }
  });

  it("is decoded when split at two random places, with empty pieces between", async () => {
    const random = randomOf(7);
    for (let round = 0; round < 200; round += 1) {
      const [first, second] = [random(body.length), random(body.length)].toSorted((a, b) => a - b);
      const [head, middle, tail] = cut(body, first ?? 0, second ?? 0);
      const pieces = [head, middle, tail].flatMap((piece) => (piece === undefined ? [] : [piece, new Uint8Array(0)]));
      expect(textOf([(await decode(pieces, envelope)).payload])).toBe(payload);
    }
  });

  it("is decoded in network-sized pieces", async () => {
    expect(textOf([(await decodeStream(byteStreamOf(body), envelope)).payload])).toBe(payload);
  });

  it("returns 400 IncompleteBody when it ends or breaks off early at any byte", async () => {
    // Of minio-go's two empty lines after unsigned trailers, one suffices.
    const least = name.includes("unsigned in minio-go") ? body.length - 2 : body.length;
    for (let length = 0; length < body.length; length += 1) {
      const pieces = [body.subarray(0, length)];
      if (length !== least) {
        const error = await caught(() => decode(pieces, envelope));
        expect([error.code, error.status], `${length}`).toEqual(["IncompleteBody", 400]);
      }
      const broken = await caught(() => decodeStream(streamOf(pieces, new Error("reset")), envelope));
      expect(broken.code).toBe("IncompleteBody");
    }
    const late = await caught(() => decodeStream(streamOf([body], new Error("reset")), envelope));
    expect(late.code).toBe("IncompleteBody");
  });

  it.each(["x", "0\r\n\r\n", "\r\n\r\n\r\n", "\n", "\r\nx"])(
    "returns 400 IncompleteBody with %j after its end",
    async (more) => {
      const error = await caught(() => decode([body, bytesOf(more)], envelope));
      expect([error.code, error.status]).toEqual(["IncompleteBody", 400]);
    },
  );

  it.each([1, -1, 1000, 6e12])(
    "returns 400 IncompleteBody when it was announced %i bytes longer",
    async (difference) => {
      const length = envelope.length + difference;
      if (length < 0) return;
      const error = await caught(() => decode(body, { ...envelope, length }));
      expect([error.code, error.status]).toEqual(["IncompleteBody", 400]);
    },
  );
});

describe("a body of very small chunks", () => {
  /** A payload in chunks of alternating sizes. */
  function inChunks(payload: Uint8Array, sizes: readonly number[]): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let at = 0, turn = 0; at < payload.length; turn += 1) {
      const data = payload.subarray(at, at + (sizes[turn % sizes.length] ?? 1));
      parts.push(bytesOf(`${data.length.toString(16)}\r\n`), data, bytesOf("\r\n"));
      at += data.length;
    }
    return concat([...parts, bytesOf("0\r\n\r\n")]);
  }

  it.each([[[1]], [[1, 2, 3]], [[1, 5000]], [[4096, 4097, 1]], [[10, 70_000, 10]]])(
    "of %j bytes is read intact for any split",
    async (sizes) => {
      const payload = Uint8Array.from({ length: 20_000 }, (_, index) => (index * 7) % 256);
      const body = inChunks(payload, sizes);
      for (const cut of [1, 7, 1000, 65_536]) {
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < body.length; at += cut) pieces.push(body.slice(at, at + cut));
        const { payload: read } = await decode(pieces, { ...UNSIGNED, length: payload.length });
        expect(read.length).toBe(payload.length);
        expect(read.every((byte, index) => byte === payload[index])).toBe(true);
      }
    },
  );

  it("is passed on in large pieces, not chunk by chunk", async () => {
    const payload = new Uint8Array(200_000).fill(120);
    const body = inChunks(payload, [1]);
    const { readable, writable } = new FixedLengthStream(body.length);
    const writer = writable.getWriter();
    const writing = writer.write(body).then(async () => writer.close());
    let taken = 0;
    let length = 0;
    await readAwsChunked(new PieceReader(readable), { ...UNSIGNED, length: payload.length }, (piece) => {
      taken += 1;
      length += piece.length;
      return Promise.resolve();
    });
    await writing;
    expect(length).toBe(payload.length);
    // Each piece of 64 KiB yields one, and a chunk split by its end yields another.
    expect(taken).toBeLessThan((3 * body.length) / (64 * 1024) + 10);
  });

  it.each([
    "00000000000000000001\r\nx\r\n",
    "1\r\nxy\r\n",
    "1\nx\r\n",
    "1\r\nx\n",
    "g\r\nx\r\n",
    "2\r\nx\r\n",
    "-1\r\nx\r\n",
  ])("is rejected when one of them is malformed: %j", async (chunk) => {
    const body = bytesOf(`1\r\na\r\n${chunk}1\r\nb\r\n0\r\n\r\n`);
    await expect(decode(body, { ...UNSIGNED, length: 3 })).rejects.toThrow();
  });

  it("is rejected when they contain more than announced", async () => {
    const body = inChunks(new Uint8Array(100), [1]);
    await expect(decode(body, { ...UNSIGNED, length: 99 })).rejects.toThrow();
    await expect(decode(body, { ...UNSIGNED, length: 101 })).rejects.toThrow();
  });
});
