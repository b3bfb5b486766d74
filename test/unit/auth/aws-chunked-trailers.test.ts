// The aws-chunked decoder with malformed, duplicate, signed and missing trailers.
import { describe, expect, it } from "vitest";

import type { ChunkedEnvelope } from "../../../src/auth/body/aws-chunked.ts";
import { bytesOf, caught, concat, cut } from "./support.ts";
import { CRC32, SEED, SIGNED_TRAILER, UNSIGNED, decode, encode, signChunks } from "./aws-chunked-fixture.ts";

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
