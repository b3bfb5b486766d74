import { describe, expect, it } from "vitest";

import { utf8 } from "../../../src/bytes/text.ts";
import {
  checkCompletionConditions,
  chooseParts,
  etagOfParts,
  parseCompletion,
  PART_MIN_BYTES,
  readPartNumber,
  readUploadId,
} from "../../../src/protocol/objects/multipart.ts";
import { parseQuery } from "../../../src/protocol/core/query.ts";
import { md5Hex } from "../../support/digests.ts";
import { completionOf } from "../../support/multipart.ts";
import { errorOf } from "./support.ts";

describe("an upload's id and a part's number", () => {
  it("are read from the query", () => {
    expect(readUploadId(parseQuery("uploadId=abc"))).toBe("abc");
    expect(["1", "10000", "00001"].map((number) => readPartNumber(parseQuery(`partNumber=${number}`)))).toEqual([
      1, 10_000, 1,
    ]);
  });

  it("are rejected when invalid", () => {
    expect(errorOf(() => readUploadId(parseQuery("uploadId="))).code).toBe("NoSuchUpload");
    for (const query of ["", "partNumber=", "partNumber=0", "partNumber=10001", "partNumber=-1", "partNumber=1.0"]) {
      expect(errorOf(() => readPartNumber(parseQuery(query))).code, query).toBe("InvalidArgument");
    }
  });
});

describe("a completion's document", () => {
  const parse = (document: string) => parseCompletion(utf8(document), "id");

  it("lists parts with their unquoted ETags and their checksums", () => {
    const document = completionOf([
      { partNumber: 1, etag: '"a"', checksums: { ChecksumCRC32: " AAAA " } },
      { partNumber: 7, etag: "b" },
      { partNumber: 10_000, etag: "&quot;c&quot;", checksums: { ChecksumSHA1: "" } },
    ]);
    expect(parse(document)).toEqual([
      { partNumber: 1, etag: "a", checksums: new Map([["ChecksumCRC32", "AAAA"]]) },
      { partNumber: 7, etag: "b", checksums: new Map() },
      { partNumber: 10_000, etag: "c", checksums: new Map() },
    ]);
  });

  it("accepts 10,000 parts and no more", () => {
    const parts = Array.from({ length: 10_001 }, (_, index) => ({ partNumber: index + 1, etag: "a" }));
    expect(parse(completionOf(parts.slice(0, 10_000)))).toHaveLength(10_000);
    expect(errorOf(() => parse(completionOf(parts))).code).toBe("MalformedXML");
  });

  it.each([
    ["", "MalformedXML"],
    ["<CompleteMultipartUpload/>", "InvalidRequest"],
    ["<CompleteMultipartUpload><Part/></CompleteMultipartUpload>", "MalformedXML"],
    [completionOf([{ partNumber: -1, etag: "a" }]), "MalformedXML"],
    [completionOf([{ partNumber: 0, etag: "a" }]), "InvalidPartOrder"],
    [
      completionOf([
        { partNumber: 2, etag: "a" },
        { partNumber: 1, etag: "a" },
      ]),
      "InvalidPartOrder",
    ],
    [completionOf([{ partNumber: 1, etag: "a", checksums: { ChecksumMD4: "x" } }]), "MalformedXML"],
  ])("%s is refused with %s", (document, code) => {
    expect(errorOf(() => parse(document)).code).toBe(code);
  });
});

describe("the parts that a completion chooses", () => {
  const upload = { uploadId: "id", checksumAlgorithm: undefined, checksumType: undefined };
  const part = (partNumber: number, size: number, etag = "a") => ({
    partNumber,
    etag,
    size,
    checksumAlgorithm: "CRC32" as const,
    checksum: "AAAAAA==",
  });
  const byNumber = (...parts: ReturnType<typeof part>[]) => new Map(parts.map((item) => [item.partNumber, item]));
  const listed = (partNumber: number, etag = "a", checksums: Readonly<Record<string, string>> = {}) => ({
    partNumber,
    etag,
    checksums: new Map(Object.entries(checksums)),
  });

  it("are the listed ones, all but the last of at least 5 MiB", () => {
    const uploaded = byNumber(part(1, PART_MIN_BYTES), part(2, 1), part(3, 0));
    expect(chooseParts(upload, [listed(1), listed(3)], uploaded)).toEqual([uploaded.get(1), uploaded.get(3)]);
    const error = errorOf(() => chooseParts(upload, [listed(1), listed(2), listed(3)], uploaded));
    expect([error.code, error.fields]).toEqual([
      "EntityTooSmall",
      { ProposedSize: 1, MinSizeAllowed: PART_MIN_BYTES, PartNumber: 2, ETag: "a" },
    ]);
    const small = byNumber(part(1, PART_MIN_BYTES - 1), part(2, 1));
    expect(errorOf(() => chooseParts(upload, [listed(1), listed(2)], small)).code).toBe("EntityTooSmall");
  });

  it("must exist, with their ETags", () => {
    for (const item of [listed(2), listed(1, "b")]) {
      expect(errorOf(() => chooseParts(upload, [item], byNumber(part(1, 1)))).fields).toEqual({
        UploadId: "id",
        PartNumber: item.partNumber,
        ETag: item.etag,
      });
    }
  });

  it("must have the listed checksums, when these are known", () => {
    const composite = { uploadId: "id", checksumAlgorithm: "CRC32", checksumType: "COMPOSITE" } as const;
    const known = byNumber(part(1, 1));
    const unknown = new Map([[1, { ...part(1, 1), checksumAlgorithm: undefined, checksum: undefined }]]);
    const good = listed(1, "a", { ChecksumCRC32: "AAAAAA==" });
    const wrong = listed(1, "a", { ChecksumCRC32: "BAAAAA==" });
    const other = listed(1, "a", { ChecksumSHA1: "x" });
    expect(chooseParts(composite, [good], known)).toHaveLength(1);
    for (const item of [listed(1), wrong, other]) expect(chooseParts(composite, [item], unknown)).toHaveLength(1);
    for (const item of [listed(1), other]) {
      expect(errorOf(() => chooseParts(composite, [item], known)).code).toBe("InvalidRequest");
    }
    for (const of of [composite, upload]) {
      expect(errorOf(() => chooseParts(of, [wrong], known)).code).toBe("BadDigest");
    }
    for (const item of [listed(1), other]) expect(chooseParts(upload, [item], known)).toHaveLength(1);
  });
});

it("the ETag of a multipart object is the MD5 of the parts' MD5s and their number", async () => {
  const etags = ["a", "b"].map((text) => md5Hex(text));
  const joined = Uint8Array.from(etags.join("").match(/../g) ?? [], (hex) => Number(`0x${hex}`));
  expect(await etagOfParts(etags.map((etag) => ({ etag })))).toBe(`${md5Hex(joined)}-2`);
});

describe("a completion's conditions", () => {
  const current = { versionId: "v", etag: "e", size: 1, modifiedAt: 0 };

  it.each([
    ["none", {}, "old", current, "v", undefined],
    ["none wanted and none there", { ifNoneMatch: "*" }, null, undefined, null, undefined],
    ["none wanted over an earlier marker", { ifNoneMatch: "*" }, "m", undefined, "m", undefined],
    ["none wanted and one there", { ifNoneMatch: "*" }, "v", current, "v", "PreconditionFailed"],
    ["none wanted, one put meanwhile", { ifNoneMatch: "*" }, null, current, "v", "PreconditionFailed"],
    ["none wanted, one deleted meanwhile", { ifNoneMatch: "*" }, "v", undefined, null, "ConditionalRequestConflict"],
    ["the wanted one", { ifMatch: "e" }, "v", current, "v", undefined],
    ["another one", { ifMatch: "f" }, "v", current, "v", "PreconditionFailed"],
    ["the wanted one, put meanwhile", { ifMatch: "e" }, "u", current, "v", "ConditionalRequestConflict"],
    ["the wanted one, deleted meanwhile", { ifMatch: "e" }, "v", undefined, null, "NoSuchKey"],
  ] as const)("%s", (_name, conditions, initialHead, subject, head, code) => {
    const check = () => checkCompletionConditions(conditions, "k", initialHead, subject, head);
    if (code === undefined) expect(check).not.toThrow();
    else expect(errorOf(check).code).toBe(code);
  });
});
