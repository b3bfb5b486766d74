import { describe, expect, it } from "vitest";

import { digest } from "../../../src/bytes/digest.ts";
import { DelayedWriter, PIECE_BYTES } from "../../../src/bytes/streams.ts";
import { BODY, expectSameBytes, SIZES } from "./sample-body.ts";
import { chunks } from "./seeded.ts";

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
