// The aws-chunked decoder with unsigned chunks: malformed size lines and line ends.
import { describe, expect, it } from "vitest";

import { readAwsChunked } from "../../../src/auth/body/aws-chunked.ts";
import { PieceReader } from "../../../src/bytes/streams.ts";
import { bytesOf, byteStreamOf, caught, cut, textOf } from "./support.ts";
import { UNSIGNED, decode, decodeStream } from "./aws-chunked-fixture.ts";

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
