import { beforeAll, describe, expect, it } from "vitest";

import { FRAME_BYTES, FrameLayout, SALT_BYTES, type Span } from "../../../src/bytes/frame-layout.ts";
import { FrameCipher } from "../../../src/bytes/sealed-frames.ts";
import { SealingWriter, sendOpened, type SealedPiece } from "../../../src/bytes/sealed-streams.ts";
import { noise, sha256Hex, utf8 } from "../../support/digests.ts";
import { chunks, Seeded } from "./seeded.ts";

const SECRET = noise(32, 7);
const OTHER_SECRET = noise(32, 8);
const TAG_BYTES = 16;
const SEALED_FRAME_BYTES = FRAME_BYTES + TAG_BYTES;
const BODY = noise(5 * FRAME_BYTES + 777, 9);

const LENGTHS = [0, 1, 15, 1000, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 2 * FRAME_BYTES, BODY.length];

/** What a reader gets of a range of sealed bytes. */
function openSealed(
  piece: SealedPiece,
  secret: Uint8Array,
  layout: FrameLayout,
  range: Span,
): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(range.length);
  const writer = writable.getWriter();
  sendOpened(piece, secret, layout, range, writer).then(
    () => writer.close(),
    (error: unknown) => writer.abort(error).catch(() => undefined),
  );
  return readable;
}

/** Reads a stream to its end; rejects where it breaks off. */
async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Response(stream).bytes();
}

async function seal(body: Uint8Array, sizes: readonly number[] = [body.length]): Promise<Uint8Array> {
  const cipher = await FrameCipher.fresh(SECRET, new FrameLayout(body.length));
  const { readable, writable } = new FixedLengthStream(cipher.layout.sealedLength);
  const sealed = collect(readable);
  const writer = new SealingWriter(writable.getWriter(), cipher);
  const buffer = new Uint8Array(body.length);
  for (const piece of chunks(body, sizes)) {
    // The caller reuses its memory at once.
    buffer.set(piece);
    await writer.write(buffer.subarray(0, piece.length));
    buffer.fill(0xee, 0, piece.length);
  }
  await writer.close();
  return sealed;
}

interface Opening {
  readonly secret?: Uint8Array;
  readonly length: number;
  readonly offset?: number;
  readonly count?: number;
  /** Pieces in which the sealed bytes arrive; undefined: as a byte stream. */
  readonly sizes?: readonly number[] | undefined;
}

/** Opens a range of the sealed bytes, fetching just the frames that hold it. */
async function open(
  sealed: Uint8Array,
  { secret = SECRET, length, offset = 0, count = length - offset, sizes }: Opening,
): Promise<Uint8Array> {
  const layout = new FrameLayout(length);
  const range = { offset, length: count };
  const { first, sealed: span } = layout.framesOf(range);
  const stream = streamOf(sealed.slice(span.offset, span.offset + span.length), sizes);
  const salt = first === 0 ? undefined : sealed.slice(0, SALT_BYTES);
  return collect(openSealed({ stream, salt }, secret, layout, range));
}

function streamOf(bytes: Uint8Array, sizes: readonly number[] | undefined): ReadableStream<Uint8Array> {
  if (sizes === undefined) return new Response(bytes).body ?? new ReadableStream();
  const pieces = chunks(bytes, sizes).values();
  return new ReadableStream({
    pull(controller) {
      const next = pieces.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
  });
}

function expectSame(actual: Uint8Array, expected: Uint8Array): void {
  expect({ length: actual.length, sha256: sha256Hex(actual) }).toEqual({
    length: expected.length,
    sha256: sha256Hex(expected),
  });
}

describe("sealed bytes", () => {
  it.each(LENGTHS)("of %i bytes open to what was sealed, and are as long as was said", async (length) => {
    const body = BODY.slice(0, length);
    const sealed = await seal(body);
    expect(sealed.length).toBe(new FrameLayout(length).sealedLength);
    expect(sealed.length).toBe(SALT_BYTES + length + TAG_BYTES * Math.max(1, Math.ceil(length / FRAME_BYTES)));
    if (length > 0) expectSame(await open(sealed, { length }), body);
  });

  it("do not depend on the pieces they were written and read in", async () => {
    for (const sizes of [[1000], [FRAME_BYTES], [FRAME_BYTES - 1, 1, 2], [262_144], [70_000, 10], [31, 1, 32]]) {
      expectSame(await open(await seal(BODY, sizes), { length: BODY.length, sizes: sizes.toReversed() }), BODY);
    }
  });

  it("show nothing of what was sealed", async () => {
    const text = utf8("the same sentence over and over. ".repeat(5000));
    const sealed = await seal(text);
    expect(new TextDecoder("latin1").decode(sealed)).not.toContain("sentence");
    const frames = chunks(sealed, [SEALED_FRAME_BYTES]).map((frame) => sha256Hex(frame));
    expect(new Set(frames).size).toBe(frames.length);
  });

  it("are others each time the same is sealed", async () => {
    const [here, there] = [await seal(BODY), await seal(BODY)];
    const other = new Set(chunks(there, [16]).map(String));
    expect(chunks(here, [16]).filter((block) => other.has(String(block)))).toEqual([]);
  });
});

describe("a range of sealed bytes", () => {
  it("is that range of what was sealed, whatever the range and the length", async () => {
    const seeded = new Seeded(20_261_121);
    const edges = [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 2 * FRAME_BYTES, 3 * FRAME_BYTES];
    for (let round = 0; round < 120; round += 1) {
      const length = 1 + (round % 3 === 0 ? seeded.pick(edges) : seeded.below(BODY.length - 1));
      const body = BODY.slice(0, length);
      const sealed = await seal(body);
      for (let turn = 0; turn < 4; turn += 1) {
        const offset = Math.min(turn % 2 === 0 ? seeded.pick(edges) : seeded.below(length), length - 1);
        const count = 1 + (turn < 2 ? seeded.below(length - offset) : seeded.below(Math.min(20, length - offset)));
        const sizes = turn === 3 ? [1 + seeded.below(100_000)] : undefined;
        const opened = await open(sealed, { length, offset, count, sizes });
        expectSame(opened, body.slice(offset, offset + count));
      }
    }
  });

  it("is held by just the frames that it touches", () => {
    const layout = new FrameLayout(BODY.length);
    const framesOf = (offset: number, length: number) => {
      const { first, last, sealed } = layout.framesOf({ offset, length });
      return [first, last, sealed.offset, sealed.length];
    };
    const [one, salt] = [SEALED_FRAME_BYTES, SALT_BYTES];
    expect(framesOf(0, 1)).toEqual([0, 0, 0, salt + one]);
    expect(framesOf(FRAME_BYTES - 1, 1)).toEqual([0, 0, 0, salt + one]);
    expect(framesOf(FRAME_BYTES - 1, 2)).toEqual([0, 1, 0, salt + 2 * one]);
    expect(framesOf(FRAME_BYTES, FRAME_BYTES)).toEqual([1, 1, salt + one, one]);
    expect(framesOf(BODY.length - 1, 1)).toEqual([5, 5, salt + 5 * one, 777 + TAG_BYTES]);
    expect(framesOf(0, BODY.length)).toEqual([0, 5, 0, layout.sealedLength]);
  });
});

describe("sealed bytes that are not as they were sealed", () => {
  const length = 2 * FRAME_BYTES + 300;
  const body = BODY.slice(0, length);
  let sealed: Uint8Array = new Uint8Array();
  beforeAll(async () => {
    sealed = await seal(body);
  });

  const frameOf = (whole: Uint8Array, number: number): Uint8Array =>
    whole.slice(SALT_BYTES + number * SEALED_FRAME_BYTES, SALT_BYTES + (number + 1) * SEALED_FRAME_BYTES);
  const frame = (number: number): Uint8Array => frameOf(sealed, number);
  const salt = (): Uint8Array => sealed.slice(0, SALT_BYTES);
  const join = (...parts: readonly Uint8Array[]): Promise<Uint8Array> => new Response(new Blob([...parts])).bytes();

  it("do not open with any one bit changed", async () => {
    const seeded = new Seeded(4);
    const places = [
      0,
      SALT_BYTES - 1,
      SALT_BYTES,
      FRAME_BYTES,
      SEALED_FRAME_BYTES,
      sealed.length - 17,
      sealed.length - 1,
    ];
    for (let round = 0; round < 60; round += 1) {
      const place = places[round] ?? seeded.below(sealed.length);
      const spoilt = sealed.slice();
      spoilt[place] = (spoilt[place] ?? 0) ^ (1 << seeded.below(8));
      await expect(open(spoilt, { length }), `byte ${place}`).rejects.toThrow();
      // A range is as safe: the frames that it touches open or do not, and no others are asked for.
      const touched = Math.max(0, Math.floor((place - SALT_BYTES) / SEALED_FRAME_BYTES)) * FRAME_BYTES;
      await expect(open(spoilt, { length, offset: touched, count: 1 })).rejects.toThrow();
    }
  });

  it("do not open with frames exchanged, repeated or from elsewhere", async () => {
    await expect(open(await join(salt(), frame(1), frame(0), frame(2)), { length })).rejects.toThrow();
    await expect(open(await join(salt(), frame(0), frame(0), frame(2)), { length })).rejects.toThrow();
    const elsewhere = await seal(body);
    await expect(open(await join(salt(), elsewhere.slice(SALT_BYTES)), { length })).rejects.toThrow();
    const swapped = await join(salt(), frame(0), frameOf(elsewhere, 1), frame(2));
    await expect(open(swapped, { length })).rejects.toThrow();
    expectSame(await open(await join(salt(), frame(0), frame(1), frame(2)), { length }), body);
  });

  it("do not open cut off, at a frame's end or within it, whoever says how long they were", async () => {
    const ends = [0, 1, SALT_BYTES, SALT_BYTES + 1, SALT_BYTES + SEALED_FRAME_BYTES, sealed.length - 1];
    for (const end of ends) await expect(open(sealed.slice(0, end), { length }), `${end} bytes`).rejects.toThrow();
    // Not even where the row that tells the length was cut to match.
    await expect(open(await join(salt(), frame(0)), { length: FRAME_BYTES })).rejects.toThrow();
    await expect(open(await join(salt(), frame(0), frame(1)), { length: 2 * FRAME_BYTES })).rejects.toThrow();
  });

  it("do not open with more bytes at their end", async () => {
    const longer = await join(sealed, frame(0));
    const piece = { stream: streamOf(longer, undefined), salt: undefined };
    await expect(collect(openSealed(piece, SECRET, new FrameLayout(length), { offset: 0, length }))).rejects.toThrow();
    await expect(open(longer, { length: length + FRAME_BYTES })).rejects.toThrow();
  });

  it("do not open with another secret", async () => {
    await expect(open(sealed, { length, secret: OTHER_SECRET })).rejects.toThrow();
    await expect(open(sealed, { length, secret: OTHER_SECRET, offset: FRAME_BYTES })).rejects.toThrow();
  });

  it("yield no wrong byte before they break off", async () => {
    const spoilt = await join(salt(), frame(0), frame(2), frame(1));
    const piece = { stream: streamOf(spoilt, undefined), salt: undefined };
    const reader = openSealed(piece, SECRET, new FrameLayout(length), { offset: 0, length }).getReader();
    const seen: Uint8Array[] = [];
    const reading = async (): Promise<void> => {
      for (let result = await reader.read(); !result.done; result = await reader.read())
        seen.push(result.value.slice());
    };
    await expect(reading()).rejects.toThrow();
    expectSame(await join(...seen), body.slice(0, FRAME_BYTES));
  });
});

describe("what seals", () => {
  it("makes no whole of fewer or more bytes than were announced", async () => {
    for (const [announced, written] of [
      [1000, 999],
      [1000, 1001],
      [FRAME_BYTES + 1, FRAME_BYTES],
      [0, 1],
      [1, 0],
    ] as const) {
      const cipher = await FrameCipher.fresh(SECRET, new FrameLayout(announced));
      const { readable, writable } = new FixedLengthStream(cipher.layout.sealedLength);
      const ended = collect(readable).then(
        () => "complete",
        () => "broken",
      );
      const writer = new SealingWriter(writable.getWriter(), cipher);
      const writing = async (): Promise<void> => {
        await writer.write(BODY.subarray(0, written));
        await writer.close();
      };
      await expect(writing(), `${written} of ${announced}`).rejects.toThrow();
      await writer.abort(new Error("given up"));
      expect(await ended).toBe("broken");
    }
  });

  it("is told where its reader stops", async () => {
    const cipher = await FrameCipher.fresh(SECRET, new FrameLayout(BODY.length));
    const { readable, writable } = new FixedLengthStream(cipher.layout.sealedLength);
    const writer = new SealingWriter(writable.getWriter(), cipher);
    writer.closed.catch(() => undefined);
    await readable.cancel(new Error("enough"));
    await expect(writer.write(BODY)).rejects.toThrow();
  });
});

describe("what opens", () => {
  it("lets the sealed bytes go where its reader stops", async () => {
    const sealed = await seal(BODY);
    let isCancelled = false;
    let sent = 0;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(sealed.slice(sent, sent + SEALED_FRAME_BYTES));
        sent += SEALED_FRAME_BYTES;
      },
      cancel() {
        isCancelled = true;
      },
    });
    const piece = { stream: source, salt: undefined };
    const range = { offset: 0, length: BODY.length };
    const reader = openSealed(piece, SECRET, new FrameLayout(BODY.length), range).getReader();
    await reader.read();
    await reader.cancel(new Error("enough"));
    await scheduler.wait(20);
    expect(isCancelled).toBe(true);
    expect(sent).toBeLessThan(sealed.length);
  });
});
