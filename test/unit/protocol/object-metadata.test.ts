import { describe, expect, it } from "vitest";

import { fromBase64 } from "../../../src/bytes/hex-base64.ts";
import { decodeUtf8, utf8Length } from "../../../src/bytes/text.ts";
import {
  metadataHeaders,
  readMetadata,
  readResponseOverrides,
  type ObjectMetadata,
} from "../../../src/protocol/objects/object-metadata.ts";
import { errorOf, expectError, presignedPutWith, putWith, requestFor, expectRefusal } from "./support.ts";

const NONE: ObjectMetadata = { contentType: undefined, systemMetadata: {}, userMetadata: {} };

describe("an upload's metadata", () => {
  it("is empty without headers", () => {
    expect(readMetadata(putWith({}))).toEqual(NONE);
    expect(readMetadata(putWith({ "content-type": "", "cache-control": "", "content-length": "5" }))).toEqual(NONE);
  });

  it("contains the system headers that S3 stores, and the user's", () => {
    const headers = {
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "max-age=60, public",
      "Content-Disposition": 'attachment; filename="a b.txt"',
      "Content-Encoding": "gzip",
      "Content-Language": "de, en",
      Expires: "Thu, 01 Dec 2026 16:00:00 GMT",
      "X-Amz-Meta-Colour": "Blue",
      "x-amz-meta-a.b_c": "1",
      "x-amz-metadata-directive": "REPLACE",
      "x-amz-storage-class": "STANDARD",
      "Content-Location": "elsewhere",
      "User-Agent": "test",
    };
    expect(readMetadata(putWith(headers))).toEqual({
      contentType: "text/plain; charset=utf-8",
      systemMetadata: {
        "cache-control": "max-age=60, public",
        "content-disposition": 'attachment; filename="a b.txt"',
        "content-encoding": "gzip",
        "content-language": "de, en",
        expires: "Thu, 01 Dec 2026 16:00:00 GMT",
      },
      userMetadata: { colour: "Blue", "a.b_c": "1" },
    });
  });

  it("is also read from a presigned query, x-amz-* headers only", () => {
    const request = presignedPutWith("X-Amz-Meta-A=b%20c&x-amz-meta-d=%C3%A9&content-type=text%2Fhtml&expires=x");
    expect(readMetadata(request)).toEqual({ ...NONE, userMetadata: { a: "b c", d: "é" } });
  });

  it.each([
    ["aws-chunked", undefined],
    ["AWS-Chunked", undefined],
    ["aws-chunked,", undefined],
    ["aws-chunked,aws-chunked", undefined],
    ["gzip,aws-chunked", "gzip"],
    ["aws-chunked, gzip", "gzip"],
    ["gzip, aws-chunked, br", "gzip, br"],
    ["deflate, gzip", "deflate, gzip"],
    ["gzip", "gzip"],
    ["gzip, br", "gzip, br"],
    ["x-aws-chunked", "x-aws-chunked"],
  ])("does not count aws-chunked to the encoding: %s is stored as %s", (sent, stored) => {
    const { systemMetadata } = readMetadata(putWith({ "content-encoding": sent }));
    expect(systemMetadata).toEqual(stored === undefined ? {} : { "content-encoding": stored });
  });

  it.each([
    ["of one header", { "x-amz-meta-a": "v".repeat(2047) }, { "x-amz-meta-a": "v".repeat(2048) }, 2049],
    [
      "of many headers",
      Object.fromEntries(Array.from({ length: 256 }, (_, index) => [`x-amz-meta-${1000 + index}`, "four"])),
      Object.fromEntries(Array.from({ length: 257 }, (_, index) => [`x-amz-meta-${1000 + index}`, "four"])),
      2056,
    ],
    ["of names alone", { [`x-amz-meta-${"n".repeat(2048)}`]: "" }, { [`x-amz-meta-${"n".repeat(2049)}`]: "" }, 2049],
  ])("holds 2048 bytes of names and values and not one more: %s", (_what, most, tooMuch, size) => {
    const { userMetadata } = readMetadata(putWith(most));
    const stored = Object.entries(userMetadata).reduce((sum, pair) => sum + utf8Length(pair.join("")), 0);
    expect(stored).toBe(2048);
    const fields = { Size: size, MaxSizeAllowed: 2048 };
    expectRefusal(() => readMetadata(putWith(tooMuch)), "MetadataTooLarge", 400, { fields });
  });

  it("has the same limit in a presigned query", () => {
    const most = presignedPutWith(`x-amz-meta-a=${"v".repeat(1000)}&x-amz-meta-bc=${"%C3%A9".repeat(522)}v`);
    expect(Object.keys(readMetadata(most).userMetadata)).toEqual(["a", "bc"]);
    const tooMuch = presignedPutWith(`x-amz-meta-a=${"v".repeat(1000)}&x-amz-meta-bc=${"%C3%A9".repeat(523)}`);
    const fields = { Size: 2049, MaxSizeAllowed: 2048 };
    expectRefusal(() => readMetadata(tooMuch), "MetadataTooLarge", 400, { fields });
  });

  it("has a limit of 8192 bytes of system headers", () => {
    const name = "cache-control".length;
    expect(() => readMetadata(putWith({ "cache-control": "v".repeat(8192 - name) }))).not.toThrow();
    for (const headers of [
      { "cache-control": "v".repeat(8193 - name) },
      { "cache-control": "v".repeat(8192 - name), "content-type": "x" },
      { "content-type": "x".repeat(8193) },
    ]) {
      expectRefusal(() => readMetadata(putWith(headers)), "MetadataTooLarge", 400);
    }
  });

  it("can have the names of JavaScript's object properties", () => {
    const sent = { "x-amz-meta-__proto__": "1", "x-amz-meta-constructor": "2", "x-amz-meta-tostring": "3" };
    for (const request of [
      putWith(sent),
      presignedPutWith("x-amz-meta-__proto__=1&x-amz-meta-constructor=2&x-amz-meta-toString=3"),
    ]) {
      const metadata = readMetadata(request);
      expect(new Map(Object.entries(metadata.userMetadata))).toEqual(
        new Map([
          ["__proto__", "1"],
          ["constructor", "2"],
          ["tostring", "3"],
        ]),
      );
      expect(Object.getPrototypeOf(metadata.userMetadata)).toBe(Object.prototype);
      expect(metadataHeaders(metadata)).toMatchObject(sent);
      expect(JSON.parse(JSON.stringify(metadata.userMetadata))).toEqual(metadata.userMetadata);
    }
    expect(Reflect.get({}, "1")).toBeUndefined();
  });

  it.each(["a%20b", "a%3Ab", "a%0D%0Ab", "a%00", "a%2Fb", "%C3%A9", "a%22b", ""])(
    "rejects a presigned name that no header can have: %j",
    (name) => {
      const error = errorOf(() => readMetadata(presignedPutWith(`x-amz-meta-${name}=v`)));
      expectError(error, "InvalidArgument", 400);
    },
  );
});

describe("returned metadata", () => {
  it("has a content type, S3's default when none was stored", () => {
    expect(metadataHeaders(NONE)).toEqual({ "content-type": "binary/octet-stream" });
  });

  it("contains the stored headers", () => {
    const metadata = {
      contentType: "text/plain",
      systemMetadata: { "cache-control": "no-store", expires: "never" },
      userMetadata: { a: "b", c: "" },
    };
    expect(metadataHeaders(metadata)).toEqual({
      "content-type": "text/plain",
      "cache-control": "no-store",
      expires: "never",
      "x-amz-meta-a": "b",
      "x-amz-meta-c": "",
    });
  });

  it.each(["é", "\u{1f600}", "a\u00a0b", "naïve – ‘quoted’", "\u007f", "a\u0001b", "a\0b"])(
    "encodes user metadata outside ASCII as an RFC 2047 encoded word: %j",
    (value) => {
      const headers = metadataHeaders({ contentType: undefined, systemMetadata: {}, userMetadata: { a: value } });
      const [, encoded = ""] = /^=\?UTF-8\?B\?([A-Za-z0-9+/=]+)\?=$/.exec(headers["x-amz-meta-a"] ?? "") ?? [];
      expect(decodeUtf8(fromBase64(encoded) ?? new Uint8Array())).toBe(value);
    },
  );

  it("contains system metadata literally", () => {
    const systemMetadata = { "content-disposition": 'attachment; filename="naïve – ‘quoted’ 😀.txt"' };
    const headers = metadataHeaders({ contentType: "text/x-é", systemMetadata, userMetadata: {} });
    expect(headers).toEqual({ "content-type": "text/x-é", ...systemMetadata });
    expect(() => new Headers(headers)).not.toThrow();
  });

  it("escapes every value of a presigned query that would end its header", () => {
    const request = presignedPutWith("x-amz-meta-a=x%0D%0ASet-Cookie:%20y&x-amz-meta-b=x%0Ay&x-amz-meta-c=x%0Dy");
    const headers = metadataHeaders(readMetadata(request));
    expect(Object.keys(headers)).toEqual(["content-type", "x-amz-meta-a", "x-amz-meta-b", "x-amz-meta-c"]);
    for (const value of Object.values(headers)) expect(value).toMatch(/^[\u0020-\u007e]*$/);
    expect(() => new Headers(headers)).not.toThrow();
  });
});

describe("response-* parameters", () => {
  const read = (query: string) => readResponseOverrides(requestFor("GET", `/bucket/key?${query}`));

  it("set the headers that S3 allows, and no other", () => {
    const query = [
      "response-content-type=text%2Fhtml",
      "response-content-language=de",
      "response-expires=never",
      "response-cache-control=no-store",
      "response-content-disposition=attachment;%20filename%3D%22a+b%22",
      "response-content-encoding=br",
      "response-set-cookie=x",
      "Response-Content-Type=x",
      "versionId=null",
    ].join("&");
    expect(read(query)).toEqual({
      "content-type": "text/html",
      "content-language": "de",
      expires: "never",
      "cache-control": "no-store",
      "content-disposition": 'attachment; filename="a b"',
      "content-encoding": "br",
    });
    expect(read("prefix=x")).toEqual({});
  });

  it("accept ISO-8859-1", () => {
    expect(read("response-content-disposition=caf%C3%A9%09%C2%A0%C3%BF")).toEqual({
      "content-disposition": "café\t\u00a0ÿ",
    });
  });

  it.each([
    "x%0D%0ASet-Cookie:%20a",
    "x%0Ay",
    "x%0Dy",
    "%00",
    "%01",
    "%1F",
    "%7F",
    "%C2%85",
    "%E2%82%AC",
    "%F0%9F%98%80",
    "%E5%98%8D%E5%98%8A",
    "%C4%8D%C4%8A",
  ])("reject %s, which no header can contain", (value) => {
    for (const name of ["response-content-disposition", "response-content-type", "response-expires"]) {
      expectRefusal(() => read(`${name}=${value}`), "InvalidArgument", 400, {
        message: "Header value cannot be represented using ISO-8859-1.",
      });
    }
  });
});
