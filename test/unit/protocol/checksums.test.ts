import { describe, expect, it } from "vitest";

import { digest } from "../../../src/bytes/digest.ts";
import { fromBase64, toBase64 } from "../../../src/bytes/hex-base64.ts";
import { utf8 } from "../../../src/bytes/text.ts";
import {
  checkChecksum,
  checkContentMd5,
  checksumElement,
  checksumHeader,
  checksumHeaders,
  DEFAULT_ALGORITHM,
  digestAlgorithm,
  readChecksums,
  readDigest,
  type ChecksumAlgorithm,
} from "../../../src/protocol/core/checksums.ts";
import { errorOf, expectError, presignedPutWith, putWith, expectRefusal } from "./support.ts";

/** Each algorithm's header, element and published value of "123456789". */
const ALGORITHMS: readonly (readonly [ChecksumAlgorithm, string, string, string])[] = [
  ["CRC32", "x-amz-checksum-crc32", "ChecksumCRC32", "y/Q5Jg=="],
  ["CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C", "4waSgw=="],
  ["CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME", "rosUhgp5mIg="],
  ["MD5", "x-amz-checksum-md5", "ChecksumMD5", "JfnnlDI7RTiF9RgfG2JNCw=="],
  ["SHA1", "x-amz-checksum-sha1", "ChecksumSHA1", "98O8HYCOBHMq32eZZczDTKeuNEE="],
  ["SHA256", "x-amz-checksum-sha256", "ChecksumSHA256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="],
  [
    "SHA512",
    "x-amz-checksum-sha512",
    "ChecksumSHA512",
    "2eZ2LdHI6vbWGzxhkvxAjU1tXxF20MKRabwk5xw/J0rSf81YEbMT1oH35V7ALXPUmclUVba1u1A6z1dPuo/+hQ==",
  ],
  ["XXHASH128", "x-amz-checksum-xxhash128", "ChecksumXXHASH128", "MxGUd+3l3NXpcWQnaB1YYA=="],
  ["XXHASH3", "x-amz-checksum-xxhash3", "ChecksumXXHASH3", "ctyxi2ehff8="],
  ["XXHASH64", "x-amz-checksum-xxhash64", "ChecksumXXHASH64", "jLhB20DmroM="],
];
const MD5 = "JfnnlDI7RTiF9RgfG2JNCw==";
const NOTHING = { algorithm: undefined, expected: undefined, isInTrailer: false, contentMd5: undefined };

const UNSUPPORTED =
  "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512, XXHASH128, XXHASH3, XXHASH64]";
const TWO = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
const NAME_ALONE =
  "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.";

function refusal(headers: Readonly<Record<string, string>>, trailers: readonly string[] = []) {
  return errorOf(() => readChecksums(putWith(headers), trailers));
}

describe.each(ALGORITHMS)("%s", (algorithm, header, elementName, value) => {
  it("has its header, its element and its digest", async () => {
    expect(checksumHeader(algorithm)).toBe(header);
    expect(checksumElement(algorithm)).toBe(elementName);
    expect(toBase64(await digest(digestAlgorithm(algorithm), utf8("123456789")))).toBe(value);
  });

  it("is announced by a header, with or without its name, in either case", () => {
    const expected = fromBase64(value);
    for (const name of [undefined, algorithm, algorithm.toLowerCase()]) {
      const headers = { [header]: value, ...(name === undefined ? {} : { "x-amz-sdk-checksum-algorithm": name }) };
      expect(readChecksums(putWith(headers), [])).toEqual({ ...NOTHING, algorithm, expected });
    }
  });

  it("is announced by a trailer, whose value arrives later", () => {
    for (const headers of [{}, { "x-amz-sdk-checksum-algorithm": algorithm }]) {
      expect(readChecksums(putWith(headers), [header])).toEqual({ ...NOTHING, algorithm, isInTrailer: true });
    }
  });

  it("accepts a digest of its own length in canonical base64 and no other", () => {
    const bytes = fromBase64(value) ?? new Uint8Array();
    expect(readDigest(algorithm, value)).toEqual(bytes);
    expect(readDigest(algorithm, ` ${value} `)).toEqual(bytes);
    const malformed = [
      "",
      "x",
      "AAAA",
      value.slice(0, -1),
      `${value}=`,
      `${value}, ${value}`,
      toBase64(bytes.slice(1)),
      toBase64(Uint8Array.of(...bytes, 0)),
      Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""),
      `${value}-1`,
    ];
    const message = `Value for ${header} header is invalid.`;
    for (const text of malformed) {
      expectRefusal(() => readDigest(algorithm, text), "InvalidRequest", 400, { message });
      expectError(refusal({ [header]: text }), "InvalidRequest", 400, { message });
    }
  });

  it("is compared with the computed one", () => {
    const bytes = fromBase64(value) ?? new Uint8Array();
    expect(() => checkChecksum(algorithm, bytes, bytes.slice())).not.toThrow();
    const other = bytes.slice();
    other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
    expectRefusal(() => checkChecksum(algorithm, bytes, other), "BadDigest", 400, {
      message: `The ${algorithm} you specified did not match the calculated checksum.`,
    });
  });

  it("is returned with its type", () => {
    expect(checksumHeaders({ algorithm, type: "FULL_OBJECT", value })).toEqual({
      [header]: value,
      "x-amz-checksum-type": "FULL_OBJECT",
    });
  });
});

describe("an upload's checksum", () => {
  it("is optional", () => {
    expect(readChecksums(putWith({}), [])).toEqual(NOTHING);
    expect(checksumHeaders(undefined)).toEqual({});
    expect(DEFAULT_ALGORITHM).toBe("CRC64NVME");
  });

  it("differs from headers that request or describe one", () => {
    const headers = {
      "x-amz-checksum-mode": "ENABLED",
      "x-amz-checksum-type": "FULL_OBJECT",
      "x-amz-checksum-algorithm": "CRC32",
    };
    expect(readChecksums(putWith(headers), ["x-amz-meta-note", "x-amz-trailer-signature"])).toEqual(NOTHING);
  });

  it("is never read from a presigned query, where it is that of an empty body", () => {
    const parameters = "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32";
    expect(readChecksums(presignedPutWith(parameters), [])).toEqual(NOTHING);
    const sent = presignedPutWith(parameters, { "x-amz-checksum-crc32": "y/Q5Jg==" });
    expect(readChecksums(sent, [])).toMatchObject({ algorithm: "CRC32", expected: fromBase64("y/Q5Jg==") });
  });

  it.each([
    ["two headers", { "x-amz-checksum-crc32": "y/Q5Jg==", "x-amz-checksum-crc32c": "4waSgw==" }, []],
    ["a header and a trailer", { "x-amz-checksum-crc32": "y/Q5Jg==" }, ["x-amz-checksum-sha256"]],
    ["a header and the same trailer", { "x-amz-checksum-crc32": "y/Q5Jg==" }, ["x-amz-checksum-crc32"]],
    ["two trailers", {}, ["x-amz-checksum-crc32", "x-amz-checksum-sha1"]],
    ["a known one and an unknown one", { "x-amz-checksum-crc32": "y/Q5Jg==", "x-amz-checksum-md4": MD5 }, []],
  ])("comes once: %s are refused", (_what, headers, trailers) =>
    expectError(refusal(headers, trailers), "InvalidRequest", 400, { message: TWO }),
  );

  it.each([
    "x-amz-checksum-sha384",
    "x-amz-checksum-md4",
    "x-amz-checksum-xxhash",
    "x-amz-checksum-xxhash32",
    "x-amz-checksum-",
    "x-amz-checksum-x",
  ])("of an unknown algorithm is rejected, in a header and in a trailer: %s", (name) => {
    expectError(refusal({ [name]: "AAAAAA==" }), "InvalidRequest", 400, { message: UNSUPPORTED });
    expectError(refusal({}, [name]), "InvalidRequest", 400, { message: UNSUPPORTED });
  });

  it.each(["SHA384", "XXHASH", "XXHASH32", "CRC16", "crc-32", "", "CRC32,SHA1", "__proto__"])(
    "rejects the unknown name %j",
    (name) => {
      const headers = { "x-amz-checksum-crc32": "y/Q5Jg==", "x-amz-sdk-checksum-algorithm": name };
      expectError(refusal(headers), "InvalidRequest", 400, { message: UNSUPPORTED });
    },
  );

  it("rejects a name without a value", () => {
    expectError(refusal({ "x-amz-sdk-checksum-algorithm": "CRC32" }), "InvalidRequest", 400, { message: NAME_ALONE });
    const withMd5 = { "x-amz-sdk-checksum-algorithm": "SHA256", "content-md5": MD5 };
    expectError(refusal(withMd5, ["x-amz-meta-a"]), "InvalidRequest", 400, { message: NAME_ALONE });
  });

  it("rejects a name that differs from the value's", () => {
    const message = "Value for x-amz-sdk-checksum-algorithm header is invalid.";
    const headers = { "x-amz-checksum-crc32": "y/Q5Jg==", "x-amz-sdk-checksum-algorithm": "SHA256" };
    expectError(refusal(headers), "InvalidRequest", 400, { message });
    const named = { "x-amz-sdk-checksum-algorithm": "CRC32C" };
    expectError(refusal(named, ["x-amz-checksum-crc32"]), "InvalidRequest", 400, { message });
  });

  it("rejects a duplicate header", () => {
    const headers = new Headers({ "x-amz-checksum-crc32": "y/Q5Jg==" });
    headers.append("x-amz-checksum-crc32", "y/Q5Jg==");
    expectRefusal(() => readChecksums({ ...putWith({}), headers }, []), "InvalidRequest", 400, {
      message: "Value for x-amz-checksum-crc32 header is invalid.",
    });
  });
});

describe("Content-MD5", () => {
  it("is read with any checksum, and without one", () => {
    const contentMd5 = fromBase64(MD5);
    expect(readChecksums(putWith({ "content-md5": MD5 }), [])).toEqual({ ...NOTHING, contentMd5 });
    const both = { "content-md5": MD5, "x-amz-checksum-crc32": "y/Q5Jg==" };
    expect(readChecksums(putWith(both), [])).toMatchObject({ algorithm: "CRC32", contentMd5 });
    expect(readChecksums(putWith({ "content-md5": MD5 }), ["x-amz-checksum-sha1"])).toMatchObject({
      algorithm: "SHA1",
      contentMd5,
    });
  });

  it.each(["", "x", "AAAA", "25f9e794323b453885f5181f1b624d0b", MD5.slice(0, -2), `${MD5}==`, `${MD5}, ${MD5}`])(
    "is rejected unless it is 16 bytes in base64: %j",
    (value) => {
      const fields = { "Content-MD5": value };
      expectError(refusal({ "content-md5": value }), "InvalidDigest", 400, { fields });
    },
  );

  it("is compared with the computed one, and the error contains both", async () => {
    const right = await digest("MD5", utf8("123456789"));
    const wrong = await digest("MD5", utf8("12345678"));
    expect(() => checkContentMd5(right, right.slice())).not.toThrow();
    expectRefusal(() => checkContentMd5(right, wrong), "BadDigest", 400, {
      fields: { ExpectedDigest: MD5, CalculatedDigest: toBase64(wrong) },
    });
  });

  it("is not read from a presigned query", () => {
    expect(readChecksums(presignedPutWith("content-md5=x"), [])).toEqual(NOTHING);
  });
});
