import { describe, expect, it } from "vitest";

import { openBody } from "../../../src/auth/body/open-body.ts";
import { digest } from "../../../src/bytes/digest.ts";
import { toBase64, toHex } from "../../../src/bytes/hex-base64.ts";
import { utf8 } from "../../../src/bytes/text.ts";
import {
  DOCUMENT_MAX_BYTES,
  parseDocument,
  readDocument,
  singleChildren,
} from "../../../src/protocol/core/document-body.ts";
import { chunks } from "../bytes/seeded.ts";
import { expectError, expectRefusal, rejectionOf, requestFor } from "./support.ts";

const DOCUMENT = utf8("<Delete><Object><Key>a</Key></Object></Delete>");

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly payloadHash?: string;
}

/** Reads a document of a request, as an operation does. */
function read({ headers = {}, body = DOCUMENT, payloadHash = "UNSIGNED-PAYLOAD" }: Sent) {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of chunks(body, [7, 1, 100_000])) controller.enqueue(piece);
      controller.close();
    },
  });
  const measured = { "content-length": String(body.length), ...headers };
  const request = { ...requestFor("POST", "/bucket?delete", measured), body: stream };
  return readDocument(request, openBody(request, payloadHash, undefined));
}

/** The document in an unsigned aws-chunked envelope that ends in a trailer. */
function withTrailer(name: string, value: string, announced = name): Sent {
  const text = new TextDecoder().decode(DOCUMENT);
  return {
    headers: { "x-amz-trailer": announced, "x-amz-decoded-content-length": String(DOCUMENT.length) },
    body: utf8(`${DOCUMENT.length.toString(16)}\r\n${text}\r\n0\r\n${name}:${value}\r\n\r\n`),
    payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  };
}

const md5 = async (bytes: Uint8Array) => toBase64(await digest("MD5", bytes));
const crc32 = async (bytes: Uint8Array) => toBase64(await digest("crc32", bytes));
const sha256 = async (bytes: Uint8Array) => toHex(await digest("SHA-256", bytes));

describe("a document", () => {
  it("is read whole, for any split", async () => {
    expect(await read({})).toEqual(DOCUMENT);
    expect(await read({ body: new Uint8Array() })).toEqual(new Uint8Array());
    const large = utf8("x".repeat(DOCUMENT_MAX_BYTES));
    const whole = await read({ body: large });
    expect(whole.length).toBe(2_097_152);
    expect(await sha256(whole)).toBe(await sha256(large));
  });

  it("over 2 MiB is rejected before a byte of it is read", async () => {
    let isRead = false;
    const body = new ReadableStream<Uint8Array>(
      {
        pull() {
          isRead = true;
        },
      },
      { highWaterMark: 0 },
    );
    const request = { ...requestFor("POST", "/bucket?delete", { "content-length": "2097153" }), body };
    const error = await rejectionOf(readDocument(request, openBody(request, "UNSIGNED-PAYLOAD", undefined)));
    expectError(error, "MalformedXML", 400);
    expect(isRead).toBe(false);
  });

  it("needs no digest, and can have several", async () => {
    expect(await read({})).toEqual(DOCUMENT);
    const contentMd5 = { "content-md5": await md5(DOCUMENT) };
    const checksum = { "x-amz-checksum-crc32": await crc32(DOCUMENT) };
    for (const headers of [contentMd5, checksum, { ...contentMd5, ...checksum }]) {
      expect(await read({ headers })).toEqual(DOCUMENT);
    }
    expect(await read(withTrailer("x-amz-checksum-crc32", await crc32(DOCUMENT)))).toEqual(DOCUMENT);
  });

  it("is verified with every digest that is sent", async () => {
    const other = utf8("<Delete/>");
    const wrongMd5 = await rejectionOf(read({ headers: { "content-md5": await md5(other) } }));
    expectError(wrongMd5, "BadDigest", 400, {
      fields: { ExpectedDigest: await md5(other), CalculatedDigest: await md5(DOCUMENT) },
    });
    const wrongCrc = await rejectionOf(read({ headers: { "x-amz-checksum-crc32": await crc32(other) } }));
    expectError(wrongCrc, "BadDigest", 400, {
      message: "The CRC32 you specified did not match the calculated checksum.",
    });
    const wrongHash = await rejectionOf(read({ payloadHash: await sha256(other) }));
    expectError(wrongHash, "XAmzContentSHA256Mismatch", 400, {
      fields: {
        ClientComputedContentSHA256: await sha256(other),
        S3ComputedContentSHA256: await sha256(DOCUMENT),
      },
    });
    expect(await read({ payloadHash: await sha256(DOCUMENT) })).toEqual(DOCUMENT);
  });

  it("is rejected if one of several digests is wrong", async () => {
    const other = utf8("<Delete/>");
    for (const headers of [
      { "content-md5": await md5(DOCUMENT), "x-amz-checksum-crc32": await crc32(other) },
      { "content-md5": await md5(other), "x-amz-checksum-crc32": await crc32(DOCUMENT) },
    ]) {
      expectError(await rejectionOf(read({ headers })), "BadDigest", 400);
    }
    const mixed = { headers: { "content-md5": await md5(DOCUMENT) }, payloadHash: await sha256(other) };
    expectError(await rejectionOf(read(mixed)), "XAmzContentSHA256Mismatch", 400);
  });

  it("is verified by a checksum in its trailer", async () => {
    expect(await read(withTrailer("x-amz-checksum-crc32", await crc32(DOCUMENT)))).toEqual(DOCUMENT);
    const wrong = withTrailer("x-amz-checksum-crc32", await crc32(utf8("<Delete/>")));
    expectError(await rejectionOf(read(wrong)), "BadDigest", 400);
    const malformed = withTrailer("x-amz-checksum-crc32", "x");
    expectError(await rejectionOf(read(malformed)), "InvalidRequest", 400);
  });

  it("is rejected when its digest is malformed", async () => {
    expectError(await rejectionOf(read({ headers: { "content-md5": "x" } })), "InvalidDigest", 400);
    expectError(await rejectionOf(read({ headers: { "x-amz-checksum-crc32": "x" } })), "InvalidRequest", 400);
  });

  it("is rejected when fewer or more bytes arrive than announced", async () => {
    for (const length of [DOCUMENT.length - 1, DOCUMENT.length + 1]) {
      const error = await rejectionOf(read({ headers: { "content-length": String(length) } }));
      expectError(error, "IncompleteBody", 400);
    }
  });
});

describe("a document's root", () => {
  it("must have its name", () => {
    expect(parseDocument(DOCUMENT, "Delete").children).toHaveLength(1);
    for (const [document, name] of [
      [DOCUMENT, "delete"],
      [DOCUMENT, "Object"],
      [utf8("<Delete"), "Delete"],
      [new Uint8Array(), "Delete"],
      [utf8("<?xml version='1.0'?>"), "Delete"],
    ] as const) {
      expectRefusal(() => parseDocument(document, name), "MalformedXML", 400);
    }
  });
});

describe("the children of a node", () => {
  const node = (content: string) => parseDocument(utf8(`<R>${content}</R>`), "R");

  it("are found by name", () => {
    const found = singleChildren(node("<A>1</A> <B/>"), ["A", "B", "C"]);
    expect(Array.from(found, ([name, { text }]) => [name, text])).toEqual([
      ["A", "1"],
      ["B", ""],
    ]);
    expect(found.get("C")).toBeUndefined();
    expect(singleChildren(node(""), ["A"]).size).toBe(0);
  });

  it.each(["<A/><A/>", "<A>1</A><B/><A>1</A>", "<D/>", "<a/>", "<A/><hasOwnProperty/>"])(
    "are required exactly once: %s is rejected",
    (content) => expectRefusal(() => singleChildren(node(content), ["A", "B"]), "MalformedXML", 400),
  );
});
