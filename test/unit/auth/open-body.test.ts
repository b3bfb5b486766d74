// The announced length and envelope of a body, and what happens when a plain body is truncated.
import { describe, expect, it } from "vitest";

import { openBody } from "../../../src/auth/body/open-body.ts";
import { parsePayloadHash } from "../../../src/auth/sigv4/payload.ts";
import { signingKey } from "../../../src/auth/sigv4/signature.ts";
import type { S3Request } from "../../../src/protocol/core/s3-request.ts";
import {
  ACCESS_KEY_ID,
  bytesOf,
  byteStreamOf,
  caught,
  concat,
  EMPTY_SHA256,
  requestOf,
  SECRET_ACCESS_KEY,
  streamOf,
  textOf,
} from "./support.ts";

const UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const STREAMING = [UNSIGNED_TRAILER, SIGNED_CHUNKS, `${SIGNED_CHUNKS}-TRAILER`];
const SCOPE = { date: "20130524", region: "us-east-1", service: "s3" };
const SIGNATURE = {
  accessKeyId: ACCESS_KEY_ID,
  scope: SCOPE,
  amzDate: "20130524T000000Z",
  signature: "0".repeat(64),
  signingKey: await signingKey(SECRET_ACCESS_KEY, SCOPE),
};

function upload(headers: Record<string, string>, body: ReadableStream<Uint8Array> | null, query = ""): S3Request {
  return requestOf(`https://s3.example.com/b/k${query}`, { method: "PUT", headers, body });
}

async function textOfBody(request: S3Request, payloadHash: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  await openBody(request, payloadHash, SIGNATURE).deliver(async (piece) => {
    pieces.push(piece.slice());
  });
  return textOf([concat(pieces)]);
}

describe("parsePayloadHash", () => {
  it.each([
    ["UNSIGNED-PAYLOAD", { kind: "unsigned" }],
    [UNSIGNED_TRAILER, { kind: "chunked", signed: false, trailer: true }],
    [SIGNED_CHUNKS, { kind: "chunked", signed: true, trailer: false }],
    [`${SIGNED_CHUNKS}-TRAILER`, { kind: "chunked", signed: true, trailer: true }],
    [EMPTY_SHA256, { kind: "sha256", hex: EMPTY_SHA256 }],
    [EMPTY_SHA256.toUpperCase(), { kind: "sha256", hex: EMPTY_SHA256 }],
  ])("reads %s", (value, expected) => {
    expect(parsePayloadHash(value)).toEqual(expected);
  });

  it.each([
    "",
    "unsigned-payload",
    EMPTY_SHA256.slice(1),
    `${EMPTY_SHA256}0`,
    "g".repeat(64),
    "STREAMING-UNSIGNED-PAYLOAD",
    "required",
    "__proto__",
  ])("returns 400 InvalidArgument for %j", async (value) => {
    const error = await caught(() => parsePayloadHash(value));
    expect([error.code, error.status]).toEqual(["InvalidArgument", 400]);
    expect(error.fields).toEqual({ ArgumentName: "x-amz-content-sha256", ArgumentValue: value });
  });

  it.each(["STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"])(
    "returns 501 NotImplemented for %s",
    async (value) => {
      const error = await caught(() => parsePayloadHash(value));
      expect([error.code, error.status, error.fields]).toEqual([
        "NotImplemented",
        501,
        { Header: "x-amz-content-sha256" },
      ]);
    },
  );
});

describe("a plain body", () => {
  it("is the request's own stream, with its length and its hash", async () => {
    const body = byteStreamOf(bytesOf("hello"));
    const opened = openBody(upload({ "content-length": "5" }, body), EMPTY_SHA256, SIGNATURE);
    expect(opened.length).toBe(5);
    expect(opened.plain).toBe(body);
    expect(opened.trailerNames).toEqual([]);
    expect(opened.sha256?.length).toBe(32);
    expect(opened.sha256?.[0]).toBe(0xe3);
    expect(openBody(upload({ "content-length": "5" }, body), "UNSIGNED-PAYLOAD", undefined).sha256).toBeUndefined();
  });

  it("is passed on whole, from either kind of stream", async () => {
    const request = upload({ "content-length": "5" }, byteStreamOf(bytesOf("hello")));
    expect(await textOfBody(request, "UNSIGNED-PAYLOAD")).toBe("hello");
    const pieces = ["he", "", "l", "lo"].map(bytesOf);
    expect(await textOfBody(upload({ "content-length": "5" }, streamOf(pieces)), "UNSIGNED-PAYLOAD")).toBe("hello");
  });

  it("is accepted with an equal x-amz-decoded-content-length", async () => {
    const headers = { "content-length": "5", "x-amz-decoded-content-length": "5" };
    expect(await textOfBody(upload(headers, streamOf([bytesOf("hello")])), "UNSIGNED-PAYLOAD")).toBe("hello");
  });

  it.each([{}, { "content-length": "0" }])("is empty when there is none (%j)", async (headers) => {
    const opened = openBody(upload(headers, null), "UNSIGNED-PAYLOAD", undefined);
    expect([opened.length, opened.plain]).toEqual([0, undefined]);
    const delivered: Uint8Array[] = [];
    expect((await opened.deliver(async (piece) => void delivered.push(piece))).size).toBe(0);
    expect(delivered).toEqual([]);
  });

  it("is empty when its stream is", async () => {
    expect(await textOfBody(upload({ "content-length": "0" }, streamOf([])), "UNSIGNED-PAYLOAD")).toBe("");
  });

  it.each([
    ["no length", {}],
    ["chunks of HTTP", { "transfer-encoding": "chunked" }],
    ["chunks of HTTP beside a length", { "transfer-encoding": "chunked", "content-length": "5" }],
  ])("returns 411 MissingContentLength for %s", async (_name, headers) => {
    const request = upload(headers, streamOf([bytesOf("hello")]));
    const error = await caught(() => openBody(request, "UNSIGNED-PAYLOAD", SIGNATURE));
    expect([error.code, error.status]).toEqual(["MissingContentLength", 411]);
  });

  it.each(["-1", "+1", "1e3", "0x5", "5, 5", "five", "5.0", "5 5", "", "9".repeat(16), "9".repeat(400)])(
    "returns 400 InvalidArgument for Content-Length: %s",
    async (length) => {
      const request = upload({ "content-length": length }, streamOf([bytesOf("hello")]));
      const error = await caught(() => openBody(request, "UNSIGNED-PAYLOAD", SIGNATURE));
      expect([error.code, error.status]).toEqual(["InvalidArgument", 400]);
      expect(error.fields).toEqual({ ArgumentName: "Content-Length", ArgumentValue: length });
    },
  );

  it.each([
    ["ends early", "5000", ["hello"], undefined],
    ["breaks off", "5000", ["hello"], new Error("reset")],
    ["breaks off after its last byte", "5", ["hello"], new Error("reset")],
    ["is too long", "4", ["hello"], undefined],
    ["continues in another piece", "5", ["hello", "!"], undefined],
    ["never comes", "5", [], undefined],
  ])("that %s answers 400 IncompleteBody", async (_name, length, pieces, failure) => {
    const request = upload({ "content-length": length }, streamOf(pieces.map(bytesOf), failure));
    const error = await caught(() => textOfBody(request, "UNSIGNED-PAYLOAD"));
    expect([error.code, error.status]).toEqual(["IncompleteBody", 400]);
  });

  it("with a length and no stream returns 400 IncompleteBody", async () => {
    const error = await caught(() => textOfBody(upload({ "content-length": "5" }, null), "UNSIGNED-PAYLOAD"));
    expect(error.code).toBe("IncompleteBody");
  });

  it("throws its consumer's error", async () => {
    const opened = openBody(upload({ "content-length": "5" }, streamOf([bytesOf("hello")])), EMPTY_SHA256, SIGNATURE);
    const failure = new Error("store is full");
    await expect(
      opened.deliver(async () => {
        throw failure;
      }),
    ).rejects.toBe(failure);
  });
});

describe("a body in chunks", () => {
  const HELLO = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
  const HEADERS = { "x-amz-decoded-content-length": "5", "x-amz-trailer": "x-amz-checksum-crc32" };

  it("has its announced decoded length, with any transfer framing", async () => {
    for (const headers of [{}, { "content-length": `${HELLO.length}` }, { "transfer-encoding": "chunked" }]) {
      const request = upload({ ...HEADERS, ...headers }, streamOf([bytesOf(HELLO)]));
      const opened = openBody(request, UNSIGNED_TRAILER, SIGNATURE);
      expect([opened.length, opened.plain, opened.sha256]).toEqual([5, undefined, undefined]);
      const pieces: Uint8Array[] = [];
      const trailers = await opened.deliver(async (piece) => void pieces.push(piece.slice()));
      expect(textOf(pieces)).toBe("hello");
      expect([...trailers]).toEqual([["x-amz-checksum-crc32", "NhCmhg=="]]);
    }
  });

  it("can be unsigned in an anonymous request", async () => {
    const opened = openBody(upload(HEADERS, streamOf([bytesOf(HELLO)])), UNSIGNED_TRAILER, undefined);
    expect((await opened.deliver(async () => undefined)).size).toBe(1);
  });

  it("reads its headers from a presigned query too", async () => {
    const query = "?x-amz-decoded-content-length=5&x-amz-trailer=x-amz-checksum-crc32&X-Amz-Signature=0";
    const opened = openBody(upload({}, streamOf([bytesOf(HELLO)]), query), UNSIGNED_TRAILER, SIGNATURE);
    expect([opened.length, opened.trailerNames]).toEqual([5, ["x-amz-checksum-crc32"]]);
  });

  it.each([
    ["x-amz-checksum-crc32", ["x-amz-checksum-crc32"]],
    [" X-Amz-Checksum-SHA1 ,x-a,, x-a", ["x-amz-checksum-sha1", "x-a"]],
    ["", []],
  ])("announces the trailers %j", (text, names) => {
    const request = upload({ ...HEADERS, "x-amz-trailer": text }, streamOf([]));
    expect(openBody(request, UNSIGNED_TRAILER, SIGNATURE).trailerNames).toEqual(names);
  });

  it.each(STREAMING)("returns 400 for %s without a body, at once", async (payloadHash) => {
    for (const headers of [{}, { "x-amz-decoded-content-length": "5" }, { "content-length": "0" }]) {
      const error = await caught(() => openBody(upload(headers, null), payloadHash, SIGNATURE));
      expect([error.code, error.status]).toEqual(["InvalidRequest", 400]);
    }
    const headers = { "x-amz-decoded-content-length": "0", "content-length": "0" };
    const empty = await caught(() => textOfBody(upload(headers, streamOf([])), payloadHash));
    expect([empty.code, empty.status]).toEqual(["IncompleteBody", 400]);
  });

  it.each(STREAMING)(
    "returns 411 MissingContentLength for %s without x-amz-decoded-content-length",
    async (payloadHash) => {
      const request = upload({ "content-length": "5" }, streamOf([bytesOf("hello")]));
      const error = await caught(() => openBody(request, payloadHash, SIGNATURE));
      expect([error.code, error.status]).toEqual(["MissingContentLength", 411]);
    },
  );

  it.each(["-1", "five", "1e3", "0x5", "5.5", "", "5, 5", "9007199254740992", "9".repeat(40)])(
    "returns 400 InvalidArgument for x-amz-decoded-content-length: %s",
    async (length) => {
      const request = upload({ "x-amz-decoded-content-length": length }, streamOf([bytesOf(HELLO)]));
      const error = await caught(() => openBody(request, UNSIGNED_TRAILER, SIGNATURE));
      expect([error.code, error.status]).toEqual(["InvalidArgument", 400]);
      expect(error.fields).toEqual({ ArgumentName: "x-amz-decoded-content-length", ArgumentValue: length });
    },
  );

  it.each([SIGNED_CHUNKS, `${SIGNED_CHUNKS}-TRAILER`])(
    "returns 400 InvalidRequest for %s in an anonymous request",
    async (payloadHash) => {
      const error = await caught(() => openBody(upload(HEADERS, streamOf([bytesOf(HELLO)])), payloadHash, undefined));
      expect([error.code, error.status]).toEqual(["InvalidRequest", 400]);
    },
  );

  it("is not treated as signed when it has no signatures", async () => {
    const request = upload({ "x-amz-decoded-content-length": "5" }, streamOf([bytesOf("5\r\nhello\r\n0\r\n\r\n")]));
    expect((await caught(() => textOfBody(request, SIGNED_CHUNKS))).code).toBe("IncompleteBody");
  });
});
