// The aws-chunked decoder with split, truncated, overlong and tampered bodies in all three forms.
import { describe, expect, it } from "vitest";

import { readAwsChunked, type ChunkedEnvelope } from "../../../src/auth/body/aws-chunked.ts";
import type { VerifiedSignature } from "../../../src/auth/sigv4/claim.ts";
import { signingKey } from "../../../src/auth/sigv4/signature.ts";
import { PieceReader } from "../../../src/bytes/streams.ts";
import {
  ACCESS_KEY_ID,
  bytesOf,
  byteStreamOf,
  caught,
  concat,
  cut,
  EMPTY_SHA256,
  randomOf,
  SECRET_ACCESS_KEY,
  sha256,
  signText,
  streamOf,
  textOf,
} from "./support.ts";

const SCOPE = { date: "20130524", region: "us-east-1", service: "s3" };
const AMZ_DATE = "20130524T000000Z";
const SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
const CRC32 = "x-amz-checksum-crc32";

const SIGNATURE: VerifiedSignature = {
  accessKeyId: ACCESS_KEY_ID,
  scope: SCOPE,
  amzDate: AMZ_DATE,
  signature: SEED,
  signingKey: await signingKey(SECRET_ACCESS_KEY, SCOPE),
};

const UNSIGNED = { trailerNames: [], hasTrailers: true, signature: undefined };
const SIGNED = { trailerNames: [], hasTrailers: false, signature: SIGNATURE };
const SIGNED_TRAILER = { trailerNames: [CRC32], hasTrailers: true, signature: SIGNATURE };

/** A chunk as it is sent: its size line and its data. */
interface Chunk {
  readonly line: string;
  readonly data: Uint8Array;
}

/** Signs chunks as a client does, the empty one last; a trailer signature follows at the end. */
async function signChunks(payloads: readonly Uint8Array[], trailers?: string) {
  const chunks: Chunk[] = [];
  let previous = SEED;
  const head = `${AMZ_DATE}\n20130524/us-east-1/s3/aws4_request`;
  for (const data of [...payloads, new Uint8Array(0)]) {
    const text = `AWS4-HMAC-SHA256-PAYLOAD\n${head}\n${previous}\n${EMPTY_SHA256}\n${await sha256(data)}`;
    previous = await signText(text, "20130524");
    chunks.push({ line: `${data.length.toString(16)};chunk-signature=${previous}`, data });
  }
  const digest = await sha256(bytesOf(trailers ?? ""));
  const trailerSignature = await signText(`AWS4-HMAC-SHA256-TRAILER\n${head}\n${previous}\n${digest}`, "20130524");
  return { chunks, trailerSignature };
}

/** The bytes of chunks and of what follows the last size line. */
function encode(chunks: readonly Chunk[], end = "\r\n"): Uint8Array {
  const parts = chunks.flatMap(({ line, data }) =>
    data.length === 0 ? [bytesOf(`${line}\r\n`)] : [bytesOf(`${line}\r\n`), data, bytesOf("\r\n")],
  );
  return concat([...parts, bytesOf(end)]);
}

async function decode(body: Uint8Array | readonly Uint8Array[], envelope: ChunkedEnvelope) {
  return decodeStream(streamOf(body instanceof Uint8Array ? [body] : body), envelope);
}

async function decodeStream(stream: ReadableStream<Uint8Array>, envelope: ChunkedEnvelope) {
  const pieces: Uint8Array[] = [];
  const trailers = await readAwsChunked(new PieceReader(stream), envelope, async (piece) => {
    expect(piece.length).toBeGreaterThan(0);
    // The piece is only valid until this resolves.
    await Promise.resolve();
    pieces.push(piece.slice());
  });
  return { payload: concat(pieces), trailers: Object.fromEntries(trailers) };
}

const HELLO = `6\r\nhello \r\n5\r\nworld\r\n0\r\n${CRC32}:DUoRhQ==\r\n\r\n`;
const HELLO_ENVELOPE: ChunkedEnvelope = { ...UNSIGNED, length: 11, trailerNames: [CRC32] };

/** Small valid bodies of every form. */
async function goodBodies(): Promise<readonly (readonly [string, Uint8Array, ChunkedEnvelope, string])[]> {
  const payload = "hello world";
  const trailers = `${CRC32}:DUoRhQ==\n`;
  const plain = await signChunks([bytesOf(payload)]);
  const trailing = await signChunks([bytesOf(payload)], trailers);
  const end = `x-amz-trailer-signature:${trailing.trailerSignature}\r\n\r\n`;
  const signedTrailer = { ...SIGNED_TRAILER, length: 11 };
  return [
    ["unsigned", bytesOf(HELLO), HELLO_ENVELOPE, payload],
    ["unsigned without trailers", bytesOf("b\r\nhello world\r\n0\r\n\r\n"), { ...UNSIGNED, length: 11 }, payload],
    ["unsigned and empty", bytesOf("0\r\n\r\n"), { ...UNSIGNED, length: 0 }, ""],
    [
      "unsigned in minio-go's spelling",
      bytesOf(`B\r\nhello world\r\n0\r\n${trailers}\r\n\r\n`),
      HELLO_ENVELOPE,
      payload,
    ],
    ["signed", encode(plain.chunks), { ...SIGNED, length: 11 }, payload],
    ["signed with trailers", encode(trailing.chunks, `${CRC32}:DUoRhQ==\r\n${end}`), signedTrailer, payload],
    [
      "signed with trailers in minio-go's spelling",
      encode(trailing.chunks, `${trailers}\r\n${end}`),
      signedTrailer,
      payload,
    ],
  ];
}
const GOOD = await goodBodies();

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

describe("an unsigned body", () => {
  const SIZES: readonly string[] = [
    "zz",
    "-10000",
    "-1",
    "+5",
    "0x5",
    "5h",
    " 5",
    "5 ",
    "",
    ";",
    "5;x=y",
    "５",
    "1e1",
    "5.0",
    "ffffffffffffffff",
    "10000000000000005",
    "00000000000000005",
    "20000000000005",
    "c",
    `5${" ".repeat(130)}`,
    "0".repeat(129),
    "5".repeat(100_000),
  ];

  it.each(SIZES.map((size) => [size.length > 40 ? `${size.length} characters` : size, size]))(
    "returns 400 IncompleteBody for the size %j",
    async (_name, size) => {
      const body = bytesOf(`${size}\r\nhello\r\n0\r\n\r\n`);
      for (const pieces of [[body], cut(body, 1), cut(body, 3, 7)]) {
        const error = await caught(() => decode(pieces, { ...UNSIGNED, length: 11 }));
        expect([error.code, error.status]).toEqual(["IncompleteBody", 400]);
      }
    },
  );

  it.each([
    ["a size line that ends in a line feed alone", "5\nhello\r\n0\r\n\r\n"],
    ["a size line that ends in a carriage return alone", "5\rhello\r\n0\r\n\r\n"],
    ["data that ends in a line feed alone", "5\r\nhello\n0\r\n\r\n"],
    ["data with no line end", "5\r\nhello0\r\n\r\n"],
    ["data longer than its size", "4\r\nhello\r\n0\r\n\r\n"],
    ["data shorter than its size", "6\r\nhello\r\n0\r\n\r\n"],
    ["no size at all", "hello"],
    ["a second end", "5\r\nhello\r\n0\r\n\r\n0\r\n\r\n"],
    ["an HTML page", "<html>\r\n</html>\r\n"],
  ])("answers 400 IncompleteBody to %s", async (_name, body) => {
    const error = await caught(() => decode(bytesOf(body), { ...UNSIGNED, length: 5 }));
    expect([error.code, error.status]).toEqual(["IncompleteBody", 400]);
  });

  it.each(["5", "05", "0000000000000005"])("accepts the size %s", async (size) => {
    const { payload } = await decode(bytesOf(`${size}\r\nhello\r\n0\r\n\r\n`), { ...UNSIGNED, length: 5 });
    expect(textOf([payload])).toBe("hello");
  });

  it("accepts chunks of six bytes, as the JavaScript SDK sends them", async () => {
    const body = bytesOf(`${"6\r\n012345\r\n".repeat(5000)}0\r\n\r\n`);
    const { payload } = await decodeStream(byteStreamOf(body), { ...UNSIGNED, length: 30_000 });
    expect(textOf([payload])).toBe("012345".repeat(5000));
  });

  it("is passed on as views of the received pieces", async () => {
    const piece = bytesOf("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n");
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(piece);
        controller.close();
      },
    });
    const offsets: number[] = [];
    await readAwsChunked(new PieceReader(stream), { ...UNSIGNED, length: 10 }, async (view) => {
      expect(view.buffer).toBe(piece.buffer);
      offsets.push(view.byteOffset);
    });
    expect(offsets).toEqual([3, 13]);
  });

  it("throws its consumer's error and cancels the stream", async () => {
    const cancelled: unknown[] = [];
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(bytesOf("5\r\nhello\r\n"));
      },
      cancel(reason) {
        cancelled.push(reason);
      },
    });
    const failure = new Error("store is full");
    const reading = readAwsChunked(new PieceReader(stream), { ...UNSIGNED, length: 50 }, async () => {
      throw failure;
    });
    await expect(reading).rejects.toBe(failure);
    expect(cancelled).toHaveLength(1);
  });
});

describe("trailers", () => {
  const NAMES = { ...UNSIGNED, length: 0, trailerNames: [CRC32] };
  const BAD: readonly (readonly [name: string, trailers: string, envelope: ChunkedEnvelope])[] = [
    ["that were announced and are missing", "\r\n", NAMES],
    [
      "of which one of two is missing",
      `${CRC32}:a\r\n\r\n`,
      { ...NAMES, trailerNames: [CRC32, "x-amz-checksum-sha1"] },
    ],
    ["that were not announced", `${CRC32}:a\r\n\r\n`, { ...NAMES, trailerNames: [] }],
    ["of another name", "x-amz-checksum-sha1:a\r\n\r\n", NAMES],
    ["beside one of another name", `${CRC32}:a\r\nx-amz-acl:public-read\r\n\r\n`, NAMES],
    ["given twice", `${CRC32}:a\r\n${CRC32}:a\r\n\r\n`, NAMES],
    ["without a colon", `${CRC32}=a\r\n\r\n`, NAMES],
    ["without a name", ":a\r\n\r\n", NAMES],
    ["with a signature in an unsigned body", `${CRC32}:a\r\nx-amz-trailer-signature:${SEED}\r\n\r\n`, NAMES],
    ["that are another chunk", "5\r\nhello\r\n\r\n", NAMES],
    ["named like a property of Object", "__proto__:a\r\n\r\n", NAMES],
    ["of more than 8 KiB", `${CRC32}:${"a".repeat(8200)}\r\n\r\n`, NAMES],
    ["that never end", `${CRC32}:${"a".repeat(100_000)}`, NAMES],
    ["in a form that has none", `${CRC32}:a\r\n\r\n`, { ...NAMES, hasTrailers: false, trailerNames: [] }],
    ["announced in a form that has none", "\r\n", { ...NAMES, hasTrailers: false }],
  ];

  it.each(BAD)("%s return 400 MalformedTrailerError", async (_name, trailers, envelope) => {
    const body = bytesOf(`0\r\n${trailers}`);
    for (const pieces of [[body], cut(body, 4), cut(body, 5, 9)]) {
      const error = await caught(() => decode(pieces, envelope));
      expect([error.code, error.status]).toEqual(["MalformedTrailerError", 400]);
    }
  });

  it("that are not UTF-8 return 400 MalformedTrailerError", async () => {
    const body = concat([bytesOf(`0\r\n${CRC32}:`), Uint8Array.of(0xff), bytesOf("\r\n\r\n")]);
    expect((await caught(() => decode(body, NAMES))).code).toBe("MalformedTrailerError");
  });

  it.each([
    ["in capitals and with spaces", `X-Amz-Checksum-CRC32 :  a b \r\n\r\n`, "a b"],
    ["that end in line feeds", `${CRC32}:a\n\n`, "a"],
    ["with an empty value", `${CRC32}:\r\n\r\n`, ""],
    ["with colons in the value", `${CRC32}:a:b\r\n\r\n`, "a:b"],
  ])("%s are read", async (_name, trailers, value) => {
    expect((await decode(bytesOf(`0\r\n${trailers}`), NAMES)).trailers).toEqual({ [CRC32]: value });
  });

  it("are accepted in any order", async () => {
    const envelope = { ...NAMES, trailerNames: [CRC32, "x-amz-checksum-sha1"] };
    const body = bytesOf(`0\r\nx-amz-checksum-sha1:b\r\n${CRC32}:a\r\n\r\n`);
    expect((await decode(body, envelope)).trailers).toEqual({ [CRC32]: "a", "x-amz-checksum-sha1": "b" });
  });

  const SIGNED_NAMES = { ...SIGNED_TRAILER, length: 0 };

  it.each([
    ["with another value", (signature: string) => `${CRC32}:b\r\nx-amz-trailer-signature:${signature}\r\n\r\n`],
    ["with another signature", (_signature: string) => `${CRC32}:a\r\nx-amz-trailer-signature:${SEED}\r\n\r\n`],
    ["with an empty signature", (_signature: string) => `${CRC32}:a\r\nx-amz-trailer-signature:\r\n\r\n`],
    [
      "with a short signature",
      (signature: string) => `${CRC32}:a\r\nx-amz-trailer-signature:${signature.slice(1)}\r\n\r\n`,
    ],
  ])("that are signed, %s, answer 403 SignatureDoesNotMatch", async (_name, write) => {
    const { chunks, trailerSignature } = await signChunks([], `${CRC32}:a\n`);
    const error = await caught(() => decode(encode(chunks, write(trailerSignature)), SIGNED_NAMES));
    expect([error.code, error.status]).toEqual(["SignatureDoesNotMatch", 403]);
    expect(error.fields["StringToSign"]).toMatch(/^AWS4-HMAC-SHA256-TRAILER\n/);
  });

  it.each([
    ["after their signature", (signature: string) => `x-amz-trailer-signature:${signature}\r\n${CRC32}:a\r\n\r\n`],
    ["missing with their signature", (_signature: string) => "\r\n"],
    ["missing before their signature", (signature: string) => `x-amz-trailer-signature:${signature}\r\n\r\n`],
    [
      "signed twice",
      (signature: string) =>
        `${CRC32}:a\r\nx-amz-trailer-signature:${signature}\r\nx-amz-trailer-signature:${signature}\r\n\r\n`,
    ],
  ])("that are signed, %s, answer 400 MalformedTrailerError", async (_name, write) => {
    const { chunks, trailerSignature } = await signChunks([], `${CRC32}:a\n`);
    const error = await caught(() => decode(encode(chunks, write(trailerSignature)), SIGNED_NAMES));
    expect([error.code, error.status]).toEqual(["MalformedTrailerError", 400]);
  });

  it("without the signature that their form requires return 400 IncompleteBody", async () => {
    const { chunks } = await signChunks([], `${CRC32}:a\n`);
    const unsigned = await caught(() => decode(encode(chunks, `${CRC32}:a\r\n\r\n`), SIGNED_NAMES));
    expect([unsigned.code, unsigned.status]).toEqual(["IncompleteBody", 400]);
    const none = await caught(() => decode(encode(chunks), { ...SIGNED_NAMES, trailerNames: [] }));
    expect([none.code, none.status]).toEqual(["IncompleteBody", 400]);
  });
});

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("missing");
  return value;
}

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
    // Each piece of 64 KiB gives one, and the chunk that its end splits another.
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
