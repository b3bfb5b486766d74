import { afterEach, describe, expect, it, vi } from "vitest";

import { LONG_PIECE_BYTES, LongPieces } from "../../../src/bytes/long-pieces.ts";
import { PIECE_BYTES, PieceReader } from "../../../src/bytes/streams.ts";
import { BODY, expectSameBytes, SIZES } from "./sample-body.ts";
import { chunks } from "./seeded.ts";

/** A stream made by JavaScript that is no byte stream. */
function plainStream(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
}

/** A byte stream, like the runtime's bodies; the result of the writing end is not awaited. */
function byteStream(pieces: readonly Uint8Array[], length: number, end: "close" | "abort" = "close") {
  const { readable, writable } = new FixedLengthStream(length);
  const writing = (async () => {
    const writer = writable.getWriter();
    writer.closed.catch(() => undefined);
    for (const piece of pieces) await writer.write(piece);
    await (end === "close" ? writer.close() : writer.abort(new Error("sender went away")));
  })();
  writing.catch(() => undefined);
  return readable;
}

async function readAll(reader: PieceReader): Promise<Uint8Array> {
  const read: number[][] = [];
  let length = 0;
  for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) {
    length += piece.length;
    read.push(Array.from(piece));
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of read) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Stops the clock, so that no stream is slow, whatever else the machine does. */
function stopClock(): void {
  vi.spyOn(Date, "now").mockReturnValue(Date.now());
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("PieceReader", () => {
  it.each(SIZES)("passes a byte stream on intact from chunks %s", async (_what, sizes, length) => {
    const body = BODY.slice(0, length);
    await expectSameBytes(await readAll(new PieceReader(byteStream(chunks(body, sizes), length))), body);
  });

  it.each(SIZES)("passes a stream made by JavaScript on intact from chunks %s", async (_what, sizes, length) => {
    const body = BODY.slice(0, length);
    await expectSameBytes(await readAll(new PieceReader(plainStream(chunks(body, sizes)))), body);
  });

  it("collects small chunks of a byte stream into full pieces", async () => {
    stopClock();
    const reader = new PieceReader(byteStream(chunks(BODY, [10_000]), BODY.length), undefined, new LongPieces());
    const lengths: number[] = [];
    for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) lengths.push(piece.length);
    const first = [4096, 4 * 4096];
    const rest = BODY.length - 5 * 4096 - PIECE_BYTES;
    expect(lengths).toEqual([...first, PIECE_BYTES, rest]);
    expect(rest).toBeGreaterThan(PIECE_BYTES);
    expect(rest).toBeLessThan(LONG_PIECE_BYTES);
  });

  it("reads some streams in long pieces, and all others in short ones", async () => {
    stopClock();
    const longPieces = new LongPieces();
    const newReader = () => new PieceReader(byteStream([BODY], BODY.length), BODY.length, longPieces);
    const readers = Array.from({ length: 40 }, newReader);
    const largest = new Map(readers.map((reader) => [reader, 0]));
    for (let turn = 0; turn < 4; turn += 1) {
      for (const reader of readers) {
        const piece = await reader.read();
        largest.set(reader, Math.max(largest.get(reader) ?? 0, piece?.length ?? 0));
      }
    }
    const long = readers.filter((reader) => (largest.get(reader) ?? 0) > PIECE_BYTES);
    expect(long.length).toBeGreaterThan(0);
    expect(long.length).toBeLessThan(readers.length);
    for (const reader of readers) reader.cancel();
    const next = newReader();
    const lengths: number[] = [];
    for (let piece = await next.read(); piece !== undefined; piece = await next.read()) lengths.push(piece.length);
    expect(Math.max(...lengths)).toBeGreaterThan(PIECE_BYTES);
  });

  it("allocates memory as bytes arrive, and never more than announced", async () => {
    for (const [announced, arriving, most] of [
      [3, 0, 3],
      [3, 3, 3],
      [5000, 4096, 4096],
      [1_000_000_000, 0, 4096],
      [1_000_000_000, 4000, 4096],
      [1_000_000_000, 4096, 4 * 4096],
      [1_000_000_000, 80_000, PIECE_BYTES],
      [1_000_000_000, 1_000_000, LONG_PIECE_BYTES],
      [undefined, 100, 4096],
    ] as const) {
      const bytes = new Uint8Array(arriving);
      const reader = new PieceReader(byteStream([bytes], announced ?? arriving + 1), announced);
      for (let read = 0; arriving - read >= reader.bufferBytes && arriving > read;) {
        read += (await reader.read())?.length ?? 0;
      }
      // The pending read waits for bytes that never arrive.
      expect(reader.bufferBytes, `${announced} announced, ${arriving} arrived`).toBeLessThanOrEqual(most);
      reader.cancel();
    }
  });

  it("keeps small buffers for a slow stream, also when it comes in bursts, and grows for a fast one", async () => {
    const burst = new Uint8Array(32 * 1024);
    for (const [pauseMs, least, most] of [
      [120, 16 * 1024, 16 * 1024],
      [0, PIECE_BYTES, LONG_PIECE_BYTES],
    ] as const) {
      const { readable, writable } = new FixedLengthStream(8 * burst.length);
      const reader = new PieceReader(readable, 8 * burst.length);
      const writer = writable.getWriter();
      const written = (async () => {
        for (let sent = 0; sent < 8; sent += 1) {
          await new Promise((resolve) => setTimeout(resolve, pauseMs));
          await writer.write(burst);
        }
        await writer.close();
      })();
      let largest = 0;
      let total = 0;
      for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) {
        total += piece.length;
        largest = Math.max(largest, piece.length);
      }
      await written;
      expect(total).toBe(8 * burst.length);
      expect(largest).toBeGreaterThanOrEqual(least);
      expect(largest).toBeLessThanOrEqual(most);
    }
  });

  it("omits the stack frames of its stream's error", async () => {
    const failure = new Error("sender went away");
    let isFormatted = false;
    Object.defineProperty(failure, "stack", {
      get() {
        isFormatted = true;
        return "stack";
      },
    });
    const reader = new PieceReader(new ReadableStream({ pull: (controller) => controller.error(failure) }));
    await expect(reader.read()).rejects.toBe(failure);
    expect(isFormatted).toBe(true);
  });

  it("ends at once on an empty stream, and stays at the end", async () => {
    for (const stream of [byteStream([], 0), plainStream([])]) {
      const reader = new PieceReader(stream);
      expect(await reader.read()).toBeUndefined();
      expect(await reader.read()).toBeUndefined();
    }
  });

  it("reads a body of the runtime", async () => {
    const { body } = new Response(BODY);
    if (body === null) throw new Error("no body");
    await expectSameBytes(await readAll(new PieceReader(body)), BODY);
  });

  it("rejects when the sender disconnects, and never reports an end", async () => {
    const reader = new PieceReader(byteStream([BODY.slice(0, 1000)], 2000, "abort"));
    await expect(readAll(reader)).rejects.toThrow();
    const broken = new PieceReader(
      new ReadableStream({ pull: (controller) => controller.error(new Error("sender went away")) }),
    );
    await expect(broken.read()).rejects.toThrow("sender went away");
  });

  it("cancels the sender when it stops early", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(10)),
      cancel: () => resolve("cancelled"),
    });
    const reader = new PieceReader(stream);
    expect((await reader.read())?.length).toBe(10);
    reader.cancel();
    expect(await promise).toBe("cancelled");

    const { readable, writable } = new FixedLengthStream(BODY.length);
    const writer = writable.getWriter();
    writer.closed.catch(() => undefined);
    new PieceReader(readable).cancel();
    await expect(writer.write(BODY)).rejects.toThrow();
  });
});
