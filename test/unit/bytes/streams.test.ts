import { afterEach, describe, expect, it, vi } from "vitest";

import { digest } from "../../../src/bytes/digest.ts";
import { toBase64 } from "../../../src/bytes/hex-base64.ts";
import { LONG_PIECE_BYTES } from "../../../src/bytes/long-pieces.ts";
import { DelayedWriter, PIECE_BYTES, PieceReader } from "../../../src/bytes/streams.ts";
import { chunks, Seeded } from "./seeded.ts";

const BODY = new Seeded(31).bytes(3 * PIECE_BYTES + 12_345);

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

/** Compares without printing megabytes on a difference. */
async function expectSameBytes(actual: Uint8Array, wanted: Uint8Array): Promise<void> {
  expect(actual.length).toBe(wanted.length);
  expect(toBase64(await digest("SHA-256", actual))).toBe(toBase64(await digest("SHA-256", wanted)));
}

const SIZES = [
  ["of one byte", [1], 3000],
  ["of uneven sizes", [1, 4096, 3, 70_000], BODY.length],
  ["of exactly a piece", [PIECE_BYTES], BODY.length],
  ["of a byte less than a piece", [PIECE_BYTES - 1], BODY.length],
  ["of a byte more than a piece", [PIECE_BYTES + 1], BODY.length],
  ["of all at once", [BODY.length], BODY.length],
] as const;

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
    const reader = new PieceReader(byteStream(chunks(BODY, [10_000]), BODY.length));
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
    const readers = Array.from({ length: 40 }, () => new PieceReader(byteStream([BODY], BODY.length), BODY.length));
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
    const next = new PieceReader(byteStream([BODY], BODY.length), BODY.length);
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

/** What a reader of a stream has received so far, and how the stream ended for it. */
class StreamRecorder {
  #length = 0;
  readonly #pieces: Uint8Array[] = [];
  readonly ended: Promise<"complete" | "broken">;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.ended = this.#watch(stream);
  }

  get length(): number {
    return this.#length;
  }

  bytes(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  async #watch(stream: ReadableStream<Uint8Array>): Promise<"complete" | "broken"> {
    const reader = stream.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return "complete";
        this.#pieces.push(value.slice());
        this.#length += value.length;
      }
    } catch {
      return "broken";
    }
  }
}

/** Lets all pending tasks run. */
async function runPendingTasks(): Promise<void> {
  await scheduler.wait(20);
}

const LENGTHS = [0, 1, 1000, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES, BODY.length];

describe("DelayedWriter", () => {
  it.each(SIZES)("passes bytes on intact and digests them, written in chunks %s", async (_what, sizes, length) => {
    const body = BODY.slice(0, length);
    const { readable, writable } = new FixedLengthStream(length);
    const recorder = new StreamRecorder(readable);
    const writer = new DelayedWriter(writable.getWriter(), ["crc32", "SHA-256"], length);
    const buffer = new Uint8Array(BODY.length);
    for (const piece of chunks(body, sizes)) {
      // The caller reuses its memory at once, as a reader of pieces does.
      buffer.set(piece);
      await writer.write(buffer.subarray(0, piece.length));
      buffer.fill(0xee, 0, piece.length);
    }
    expect(writer.total).toBe(length);
    const [crc32, sha256] = await writer.digests();
    await writer.finish();
    expect(await recorder.ended).toBe("complete");
    await expectSameBytes(recorder.bytes(), body);
    expect(crc32).toEqual(await digest("crc32", body));
    expect(sha256).toEqual(await digest("SHA-256", body));
  });

  it.each(LENGTHS)("holds the last of %i bytes back until it is finished", async (length) => {
    const body = BODY.slice(0, length);
    const { readable, writable } = new FixedLengthStream(length);
    const recorder = new StreamRecorder(readable);
    let isEnded = false;
    const ended = recorder.ended.finally(() => (isEnded = true));
    const writer = new DelayedWriter(writable.getWriter(), ["crc64nvme"], length);
    for (const piece of chunks(body, [100_000])) await writer.write(piece);
    const [checksum] = await writer.digests();
    await runPendingTasks();
    expect(checksum).toEqual(await digest("crc64nvme", body));
    if (length > 0) {
      expect(recorder.length).toBeLessThan(length);
      expect(isEnded).toBe(false);
    }
    await writer.finish();
    expect(await ended).toBe("complete");
    await expectSameBytes(recorder.bytes(), body);
  });

  it.each(LENGTHS.filter((length) => length > 0))(
    "never produces a complete stream of %i bytes once it is aborted, before or after its digests",
    async (length) => {
      for (const when of ["before", "after"]) {
        const { readable, writable } = new FixedLengthStream(length);
        const recorder = new StreamRecorder(readable);
        const writer = new DelayedWriter(writable.getWriter(), ["crc32"], length);
        for (const piece of chunks(BODY.slice(0, length), [50_000])) await writer.write(piece);
        if (when === "after") await writer.digests();
        writer.abort(new Error("upload refused"));
        expect(await recorder.ended).toBe("broken");
        expect(recorder.length).toBeLessThan(length);
      }
    },
  );

  it("produces no end of an aborted stream without an announced length", async () => {
    for (const length of [0, 1000, PIECE_BYTES + 1]) {
      const { readable, writable } = new IdentityTransformStream();
      const recorder = new StreamRecorder(readable);
      const writer = new DelayedWriter(writable.getWriter(), ["crc32"], length);
      await writer.write(BODY.slice(0, length));
      await writer.digests();
      writer.abort(new Error("upload refused"));
      expect(await recorder.ended).toBe("broken");
    }
  });

  it("produces no complete stream when its reader begins only after the abort", async () => {
    for (const length of [1000, PIECE_BYTES + 1]) {
      const { readable, writable } = new FixedLengthStream(length);
      const writer = new DelayedWriter(writable.getWriter(), ["crc32"], length);
      // Bytes beyond the buffer wait for the reader.
      const writing = writer.write(BODY.slice(0, length));
      writing.catch(() => undefined);
      await runPendingTasks();
      writer.abort(new Error("upload refused"));
      const recorder = new StreamRecorder(readable);
      expect(await recorder.ended).toBe("broken");
      expect(recorder.length).toBeLessThan(length);
    }
  });

  it("buffers exactly one piece while its reader does not read", async () => {
    const { readable, writable } = new FixedLengthStream(BODY.length);
    const writer = new DelayedWriter(writable.getWriter(), ["crc32"], BODY.length);
    for (let at = 0; at < PIECE_BYTES; at += 8192) await writer.write(BODY.subarray(at, at + 8192));
    let isTaken = false;
    const next = writer.write(BODY.subarray(PIECE_BYTES, PIECE_BYTES + 1)).then(() => (isTaken = true));
    await runPendingTasks();
    expect(isTaken).toBe(false);

    const recorder = new StreamRecorder(readable);
    await next;
    await writer.write(BODY.subarray(PIECE_BYTES + 1));
    await writer.finish();
    expect(await recorder.ended).toBe("complete");
    await expectSameBytes(recorder.bytes(), BODY);
  });

  it("rejects further writes when its reader stops early", async () => {
    const { readable, writable } = new FixedLengthStream(10 * PIECE_BYTES);
    const writer = new DelayedWriter(writable.getWriter(), ["crc32"], 10 * PIECE_BYTES);
    const write = async () => {
      for (let piece = 0; piece < 10; piece += 1) await writer.write(BODY.subarray(0, PIECE_BYTES));
    };
    const writing = write();
    writing.catch(() => undefined);
    const reader = readable.getReader();
    await reader.read();
    await reader.cancel(new Error("enough"));
    await expect(writing).rejects.toThrow();
    await expect(writer.finish()).rejects.toThrow();
    writer.abort(new Error("the caller also cancels"));
  });

  it("rejects at its end when its reader stopped before the last bytes", async () => {
    const { readable, writable } = new FixedLengthStream(1000);
    const writer = new DelayedWriter(writable.getWriter(), ["crc32"], 1000);
    await writer.write(BODY.subarray(0, 1000));
    await readable.cancel(new Error("enough"));
    await expect(writer.finish()).rejects.toThrow();
  });

  it("produces no complete stream of fewer or more bytes than announced", async () => {
    for (const announced of [1001, 999]) {
      const { readable, writable } = new FixedLengthStream(announced);
      const recorder = new StreamRecorder(readable);
      const writer = new DelayedWriter(writable.getWriter(), [], announced);
      await writer.write(BODY.subarray(0, 1000));
      // The runtime reports a missing byte to the reader only.
      await writer.finish().catch(() => undefined);
      expect(await recorder.ended).toBe("broken");
    }
  });

  it("works without any digest", async () => {
    const { readable, writable } = new FixedLengthStream(5);
    const recorder = new StreamRecorder(readable);
    const writer = new DelayedWriter(writable.getWriter(), [], 5);
    await writer.write(Uint8Array.of(1, 2, 3, 4, 5));
    expect(await writer.digests()).toEqual([]);
    await writer.finish();
    expect(await recorder.ended).toBe("complete");
    expect(recorder.bytes()).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
  });
});
