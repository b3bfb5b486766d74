import { describe, expect, it } from "vitest";

import {
  checkCompletionHeaders,
  checksumOfParts,
  defaultType,
  readUploadChecksum,
  withoutChecksums,
} from "../../../src/protocol/objects/multipart-checksums.ts";
import { ALGORITHMS, checksum, noise } from "../../support/digests.ts";
import { joined } from "../../support/multipart.ts";
import { errorOf, putWith } from "./support.ts";

const BODIES = [noise(1000, 1), noise(1, 2), noise(2345, 3)];
const decoded = (value: string): Uint8Array => Uint8Array.from(atob(value), (character) => character.charCodeAt(0));

describe("the checksum of parts", () => {
  it.each(ALGORITHMS)("%s, composite, is that of the parts' checksums and contains their number", async (algorithm) => {
    const parts = BODIES.map((body) => ({ size: body.length, checksum: checksum(algorithm, body) }));
    const expected = checksum(algorithm, joined(parts.map((part) => decoded(part.checksum))));
    expect(await checksumOfParts(algorithm, "COMPOSITE", parts)).toEqual({
      algorithm,
      type: "COMPOSITE",
      value: `${expected}-3`,
    });
  });

  it.each(["CRC32", "CRC32C", "CRC64NVME"] as const)(
    "%s, of the full object, is that of all bytes",
    async (algorithm) => {
      const parts = BODIES.map((body) => ({ size: body.length, checksum: checksum(algorithm, body) }));
      const value = checksum(algorithm, joined(BODIES));
      expect(await checksumOfParts(algorithm, "FULL_OBJECT", parts)).toEqual({ algorithm, type: "FULL_OBJECT", value });
    },
  );

  it("is unknown when a part's is, and for a full object always for a hash", async () => {
    const known = { size: 1, checksum: checksum("CRC32", noise(1)) };
    const unknown = { size: 1, checksum: undefined };
    for (const type of ["COMPOSITE", "FULL_OBJECT"] as const) {
      expect(await checksumOfParts("CRC32", type, [known, unknown])).toBeUndefined();
    }
    const hashed = { size: 1, checksum: checksum("SHA1", noise(1)) };
    expect(await checksumOfParts("SHA1", "FULL_OBJECT", [hashed])).toBeUndefined();
  });
});

describe("the checksum that an upload announces", () => {
  const read = (algorithm?: string, type?: string) =>
    readUploadChecksum(
      putWith({
        ...(algorithm === undefined ? {} : { "x-amz-checksum-algorithm": algorithm }),
        ...(type === undefined ? {} : { "x-amz-checksum-type": type }),
      }),
    );

  it("is none, or an algorithm with its default type or another valid one", () => {
    expect(read()).toEqual({ checksumAlgorithm: undefined, checksumType: undefined });
    for (const algorithm of ALGORITHMS) {
      const checksumType = algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
      expect(defaultType(algorithm)).toBe(checksumType);
      expect(read(algorithm.toLowerCase())).toEqual({ checksumAlgorithm: algorithm, checksumType });
    }
    expect(read("CRC32", "full_object").checksumType).toBe("FULL_OBJECT");
  });

  it.each([
    [undefined, "COMPOSITE"],
    ["CRC64NVME", "COMPOSITE"],
    ["SHA1", "FULL_OBJECT"],
    ["SHA256", "FULL_OBJECT"],
    ["SHA512", "FULL_OBJECT"],
    ["MD5", "FULL_OBJECT"],
    ["XXHASH64", "FULL_OBJECT"],
    ["XXHASH3", "FULL_OBJECT"],
    ["XXHASH128", "FULL_OBJECT"],
    ["CRC32", "NONE"],
    ["MD4", undefined],
  ])("is rejected: %s of type %s", (algorithm, type) => {
    expect(errorOf(() => read(algorithm, type)).code).toBe("InvalidRequest");
  });
});

describe("a completion's headers", () => {
  const upload = { checksumAlgorithm: "CRC32", checksumType: "COMPOSITE" } as const;
  const made = { algorithm: "CRC32", type: "COMPOSITE", value: "AAAAAA==-2" } as const;
  const check = (headers: Readonly<Record<string, string>>, of: typeof made | undefined = made) => {
    checkCompletionHeaders(putWith(headers), upload, 10, of);
  };

  it.each([
    {},
    { "x-amz-mp-object-size": "10" },
    { "x-amz-checksum-type": "composite" },
    { "x-amz-checksum-crc32": "AAAAAA==-2" },
    { "x-amz-checksum-crc32": "AAAAAA==" },
  ])("%j match the object", (headers) => {
    expect(() => check(headers)).not.toThrow();
  });

  it.each([
    [{ "x-amz-mp-object-size": "11" }, "InvalidRequest"],
    [{ "x-amz-mp-object-size": "" }, "InvalidRequest"],
    [{ "x-amz-checksum-type": "FULL_OBJECT" }, "InvalidRequest"],
    [{ "x-amz-checksum-crc32": "BAAAAA==" }, "BadDigest"],
    [{ "x-amz-checksum-sha1": "of another algorithm" }, "InvalidRequest"],
  ])("%j are refused with %s", (headers, code) => {
    expect(errorOf(() => check(headers)).code).toBe(code);
  });

  it("are not those of the document", () => {
    const request = putWith({
      "x-amz-checksum-crc32": "x",
      "x-amz-sdk-checksum-algorithm": "CRC32",
      "content-md5": "y",
    });
    expect(Object.fromEntries(withoutChecksums(request).headers)).toEqual({ "content-md5": "y" });
  });
});
