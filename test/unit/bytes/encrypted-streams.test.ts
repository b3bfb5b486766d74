import { beforeAll, describe, expect, it } from "vitest";

import { FRAME_BYTES, FrameLayout, SALT_BYTES, type Span } from "../../../src/bytes/frame-layout.ts";
import { FrameCipher } from "../../../src/bytes/encrypted-frames.ts";
import { EncryptingWriter, writeDecrypted, type EncryptedPiece } from "../../../src/bytes/encrypted-streams.ts";
import { noise, sha256Hex, utf8 } from "../../support/digests.ts";
import { chunks, Seeded } from "./seeded.ts";

const SECRET = noise(32, 7);
const OTHER_SECRET = noise(32, 8);
const TAG_BYTES = 16;
const ENCRYPTED_FRAME_BYTES = FRAME_BYTES + TAG_BYTES;
const BODY = noise(5 * FRAME_BYTES + 777, 9);

const LENGTHS = [0, 1, 15, 1000, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 2 * FRAME_BYTES, BODY.length];

/** The stream that a reader of an encrypted range gets. */
function decryptedStream(
  piece: EncryptedPiece,
  secret: Uint8Array,
  layout: FrameLayout,
  range: Span,
): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(range.length);
  const writer = writable.getWriter();
  writeDecrypted(piece, secret, layout, range, writer).then(
    () => writer.close(),
    (error: unknown) => writer.abort(error).catch(() => undefined),
  );
  return readable;
}

/** Reads a stream to its end; rejects when it breaks off. */
async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Response(stream).bytes();
}

async function encrypt(body: Uint8Array, sizes: readonly number[] = [body.length]): Promise<Uint8Array> {
  const cipher = await FrameCipher.fresh(SECRET, new FrameLayout(body.length));
  const { readable, writable } = new FixedLengthStream(cipher.layout.encryptedLength);
  const encrypted = collect(readable);
  const writer = new EncryptingWriter(writable.getWriter(), cipher);
  const buffer = new Uint8Array(body.length);
  for (const piece of chunks(body, sizes)) {
    // The caller reuses its memory at once.
    buffer.set(piece);
    await writer.write(buffer.subarray(0, piece.length));
    buffer.fill(0xee, 0, piece.length);
  }
  await writer.close();
  return encrypted;
}

interface Opening {
  readonly secret?: Uint8Array;
  readonly length: number;
  readonly offset?: number;
  readonly count?: number;
  /** Pieces in which the encrypted bytes arrive; undefined: as a byte stream. */
  readonly sizes?: readonly number[] | undefined;
}

/** Decrypts a range of the encrypted bytes from exactly the frames that contain it. */
async function decrypt(
  encrypted: Uint8Array,
  { secret = SECRET, length, offset = 0, count = length - offset, sizes }: Opening,
): Promise<Uint8Array> {
  const layout = new FrameLayout(length);
  const range = { offset, length: count };
  const { first, encrypted: span } = layout.framesOf(range);
  const stream = streamOf(encrypted.slice(span.offset, span.offset + span.length), sizes);
  const salt = first === 0 ? undefined : encrypted.slice(0, SALT_BYTES);
  return collect(decryptedStream({ stream, salt }, secret, layout, range));
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

describe("encrypted bytes", () => {
  it.each(LENGTHS)("of %i bytes decrypt to the plaintext and have the layout's length", async (length) => {
    const body = BODY.slice(0, length);
    const encrypted = await encrypt(body);
    expect(encrypted.length).toBe(new FrameLayout(length).encryptedLength);
    expect(encrypted.length).toBe(SALT_BYTES + length + TAG_BYTES * Math.max(1, Math.ceil(length / FRAME_BYTES)));
    if (length > 0) expectSame(await decrypt(encrypted, { length }), body);
  });

  it("do not depend on the sizes of the pieces that are written and read", async () => {
    for (const sizes of [[1000], [FRAME_BYTES], [FRAME_BYTES - 1, 1, 2], [262_144], [70_000, 10], [31, 1, 32]]) {
      expectSame(await decrypt(await encrypt(BODY, sizes), { length: BODY.length, sizes: sizes.toReversed() }), BODY);
    }
  });

  it("reveal nothing of the plaintext", async () => {
    const text = utf8("the same sentence over and over. ".repeat(5000));
    const encrypted = await encrypt(text);
    expect(new TextDecoder("latin1").decode(encrypted)).not.toContain("sentence");
    const frames = chunks(encrypted, [ENCRYPTED_FRAME_BYTES]).map((frame) => sha256Hex(frame));
    expect(new Set(frames).size).toBe(frames.length);
  });

  it("differ each time the same plaintext is encrypted", async () => {
    const [here, there] = [await encrypt(BODY), await encrypt(BODY)];
    const other = new Set(chunks(there, [16]).map(String));
    expect(chunks(here, [16]).filter((block) => other.has(String(block)))).toEqual([]);
  });
});

describe("a range of encrypted bytes", () => {
  it("decrypts to the same range of the plaintext, for any range and length", async () => {
    const seeded = new Seeded(20_261_121);
    const edges = [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 2 * FRAME_BYTES, 3 * FRAME_BYTES];
    for (let round = 0; round < 120; round += 1) {
      const length = 1 + (round % 3 === 0 ? seeded.pick(edges) : seeded.below(BODY.length - 1));
      const body = BODY.slice(0, length);
      const encrypted = await encrypt(body);
      for (let turn = 0; turn < 4; turn += 1) {
        const offset = Math.min(turn % 2 === 0 ? seeded.pick(edges) : seeded.below(length), length - 1);
        const count = 1 + (turn < 2 ? seeded.below(length - offset) : seeded.below(Math.min(20, length - offset)));
        const sizes = turn === 3 ? [1 + seeded.below(100_000)] : undefined;
        const decrypted = await decrypt(encrypted, { length, offset, count, sizes });
        expectSame(decrypted, body.slice(offset, offset + count));
      }
    }
  });

  it("is in exactly the frames that it touches", () => {
    const layout = new FrameLayout(BODY.length);
    const framesOf = (offset: number, length: number) => {
      const { first, last, encrypted } = layout.framesOf({ offset, length });
      return [first, last, encrypted.offset, encrypted.length];
    };
    const [one, salt] = [ENCRYPTED_FRAME_BYTES, SALT_BYTES];
    expect(framesOf(0, 1)).toEqual([0, 0, 0, salt + one]);
    expect(framesOf(FRAME_BYTES - 1, 1)).toEqual([0, 0, 0, salt + one]);
    expect(framesOf(FRAME_BYTES - 1, 2)).toEqual([0, 1, 0, salt + 2 * one]);
    expect(framesOf(FRAME_BYTES, FRAME_BYTES)).toEqual([1, 1, salt + one, one]);
    expect(framesOf(BODY.length - 1, 1)).toEqual([5, 5, salt + 5 * one, 777 + TAG_BYTES]);
    expect(framesOf(0, BODY.length)).toEqual([0, 5, 0, layout.encryptedLength]);
  });
});

describe("changed encrypted bytes", () => {
  const length = 2 * FRAME_BYTES + 300;
  const body = BODY.slice(0, length);
  let encrypted: Uint8Array = new Uint8Array();
  beforeAll(async () => {
    encrypted = await encrypt(body);
  });

  const frameOf = (whole: Uint8Array, number: number): Uint8Array =>
    whole.slice(SALT_BYTES + number * ENCRYPTED_FRAME_BYTES, SALT_BYTES + (number + 1) * ENCRYPTED_FRAME_BYTES);
  const frame = (number: number): Uint8Array => frameOf(encrypted, number);
  const salt = (): Uint8Array => encrypted.slice(0, SALT_BYTES);
  const join = (...parts: readonly Uint8Array[]): Promise<Uint8Array> => new Response(new Blob([...parts])).bytes();

  it("do not decrypt with any one bit changed", async () => {
    const seeded = new Seeded(4);
    const places = [
      0,
      SALT_BYTES - 1,
      SALT_BYTES,
      FRAME_BYTES,
      ENCRYPTED_FRAME_BYTES,
      encrypted.length - 17,
      encrypted.length - 1,
    ];
    for (let round = 0; round < 60; round += 1) {
      const place = places[round] ?? seeded.below(encrypted.length);
      const spoilt = encrypted.slice();
      spoilt[place] = (spoilt[place] ?? 0) ^ (1 << seeded.below(8));
      await expect(decrypt(spoilt, { length }), `byte ${place}`).rejects.toThrow();
      // A range is as safe: it reads and verifies exactly the frames that it touches.
      const touched = Math.max(0, Math.floor((place - SALT_BYTES) / ENCRYPTED_FRAME_BYTES)) * FRAME_BYTES;
      await expect(decrypt(spoilt, { length, offset: touched, count: 1 })).rejects.toThrow();
    }
  });

  it("do not decrypt with frames exchanged, repeated or from another body", async () => {
    await expect(decrypt(await join(salt(), frame(1), frame(0), frame(2)), { length })).rejects.toThrow();
    await expect(decrypt(await join(salt(), frame(0), frame(0), frame(2)), { length })).rejects.toThrow();
    const elsewhere = await encrypt(body);
    await expect(decrypt(await join(salt(), elsewhere.slice(SALT_BYTES)), { length })).rejects.toThrow();
    const swapped = await join(salt(), frame(0), frameOf(elsewhere, 1), frame(2));
    await expect(decrypt(swapped, { length })).rejects.toThrow();
    expectSame(await decrypt(await join(salt(), frame(0), frame(1), frame(2)), { length }), body);
  });

  it("do not decrypt if they are cut off, at a frame's end or within it, for any announced length", async () => {
    const ends = [0, 1, SALT_BYTES, SALT_BYTES + 1, SALT_BYTES + ENCRYPTED_FRAME_BYTES, encrypted.length - 1];
    for (const end of ends)
      await expect(decrypt(encrypted.slice(0, end), { length }), `${end} bytes`).rejects.toThrow();
    // Not even when the row's length was changed to match.
    await expect(decrypt(await join(salt(), frame(0)), { length: FRAME_BYTES })).rejects.toThrow();
    await expect(decrypt(await join(salt(), frame(0), frame(1)), { length: 2 * FRAME_BYTES })).rejects.toThrow();
  });

  it("do not decrypt with more bytes at their end", async () => {
    const longer = await join(encrypted, frame(0));
    const piece = { stream: streamOf(longer, undefined), salt: undefined };
    await expect(
      collect(decryptedStream(piece, SECRET, new FrameLayout(length), { offset: 0, length })),
    ).rejects.toThrow();
    await expect(decrypt(longer, { length: length + FRAME_BYTES })).rejects.toThrow();
  });

  it("do not decrypt with another secret", async () => {
    await expect(decrypt(encrypted, { length, secret: OTHER_SECRET })).rejects.toThrow();
    await expect(decrypt(encrypted, { length, secret: OTHER_SECRET, offset: FRAME_BYTES })).rejects.toThrow();
  });

  it("yield no wrong byte before they abort", async () => {
    const spoilt = await join(salt(), frame(0), frame(2), frame(1));
    const piece = { stream: streamOf(spoilt, undefined), salt: undefined };
    const reader = decryptedStream(piece, SECRET, new FrameLayout(length), { offset: 0, length }).getReader();
    const seen: Uint8Array[] = [];
    const reading = async (): Promise<void> => {
      for (let result = await reader.read(); !result.done; result = await reader.read())
        seen.push(result.value.slice());
    };
    await expect(reading()).rejects.toThrow();
    expectSame(await join(...seen), body.slice(0, FRAME_BYTES));
  });
});

describe("EncryptingWriter", () => {
  it("completes no output of fewer or more bytes than announced", async () => {
    for (const [announced, written] of [
      [1000, 999],
      [1000, 1001],
      [FRAME_BYTES + 1, FRAME_BYTES],
      [0, 1],
      [1, 0],
    ] as const) {
      const cipher = await FrameCipher.fresh(SECRET, new FrameLayout(announced));
      const { readable, writable } = new FixedLengthStream(cipher.layout.encryptedLength);
      const ended = collect(readable).then(
        () => "complete",
        () => "broken",
      );
      const writer = new EncryptingWriter(writable.getWriter(), cipher);
      const writing = async (): Promise<void> => {
        await writer.write(BODY.subarray(0, written));
        await writer.close();
      };
      await expect(writing(), `${written} of ${announced}`).rejects.toThrow();
      await writer.abort(new Error("given up"));
      expect(await ended).toBe("broken");
    }
  });

  it("rejects when its reader cancels", async () => {
    const cipher = await FrameCipher.fresh(SECRET, new FrameLayout(BODY.length));
    const { readable, writable } = new FixedLengthStream(cipher.layout.encryptedLength);
    const writer = new EncryptingWriter(writable.getWriter(), cipher);
    writer.closed.catch(() => undefined);
    await readable.cancel(new Error("enough"));
    await expect(writer.write(BODY)).rejects.toThrow();
  });
});

describe("writeDecrypted", () => {
  it("cancels the encrypted bytes when its reader cancels", async () => {
    const encrypted = await encrypt(BODY);
    let isCancelled = false;
    let sent = 0;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(encrypted.slice(sent, sent + ENCRYPTED_FRAME_BYTES));
        sent += ENCRYPTED_FRAME_BYTES;
      },
      cancel() {
        isCancelled = true;
      },
    });
    const piece = { stream: source, salt: undefined };
    const range = { offset: 0, length: BODY.length };
    const reader = decryptedStream(piece, SECRET, new FrameLayout(BODY.length), range).getReader();
    await reader.read();
    await reader.cancel(new Error("enough"));
    await scheduler.wait(20);
    expect(isCancelled).toBe(true);
    expect(sent).toBeLessThan(encrypted.length);
  });
});
