import { describe, expect, it } from "vitest";

import { readStorageClass, refuseUnsupportedHeaders } from "../../../src/protocol/objects/upload-headers.ts";
import { expectRefusal, presignedPutWith, putWith } from "./support.ts";

describe("a storage class", () => {
  it("is STANDARD by default", () => expect(readStorageClass(putWith({}))).toBe("STANDARD"));

  it.each(["STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"])(
    "can be %s, presigned or not",
    (value) => {
      expect(readStorageClass(putWith({ "x-amz-storage-class": value }))).toBe(value);
      expect(readStorageClass(presignedPutWith(`x-amz-storage-class=${value}`))).toBe(value);
    },
  );

  it.each(["GLACIER", "DEEP_ARCHIVE"])("is the instantly readable archive class when %s is requested", (value) => {
    expect(readStorageClass(putWith({ "x-amz-storage-class": value }))).toBe("GLACIER_IR");
    expect(readStorageClass(presignedPutWith(`x-amz-storage-class=${value}`))).toBe("GLACIER_IR");
  });

  it.each(["", "standard", "glacier", "OUTPOSTS", "FAST", "STANDARD, STANDARD", "__proto__"])(
    "is rejected: %j",
    (value) =>
      expectRefusal(() => readStorageClass(putWith({ "x-amz-storage-class": value })), "InvalidStorageClass", 400, {
        fields: { StorageClassRequested: value },
      }),
  );
});

describe("headers that request unsupported features", () => {
  it.each([
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-context",
  ])("are refused and not ignored, presigned or not: %s", (name) => {
    for (const value of ["x", ""]) {
      const fields = { Header: name };
      expectRefusal(() => refuseUnsupportedHeaders(putWith({ [name]: value })), "NotImplemented", 501, { fields });
      const presigned = presignedPutWith(`${name.toUpperCase()}=${value}`);
      expectRefusal(() => refuseUnsupportedHeaders(presigned), "NotImplemented", 501, { fields });
    }
  });

  it.each([
    {},
    { "x-amz-server-side-encryption": "AES256" },
    { "x-amz-server-side-encryption-customer-algorithm": "AES256" },
    { "x-amz-acl": "private", "x-amz-meta-copy-source": "x", "x-amz-storage-class": "STANDARD" },
    { "x-amz-sdk-checksum-algorithm": "CRC32", "x-amz-decoded-content-length": "5" },
  ])("are not these: %j", (headers) => expect(() => refuseUnsupportedHeaders(putWith(headers))).not.toThrow());

  it.each(["aws:kms", "aws:kms:dsse", "aws:fsx"])("can request the encryption %s, which is not implemented", (value) =>
    expectRefusal(
      () => refuseUnsupportedHeaders(putWith({ "x-amz-server-side-encryption": value })),
      "NotImplemented",
      501,
      { fields: { Header: "x-amz-server-side-encryption" } },
    ),
  );

  it.each(["aes256", "AES128", "", "none"])("can request the encryption %j, which is unknown", (value) =>
    expectRefusal(
      () => refuseUnsupportedHeaders(putWith({ "x-amz-server-side-encryption": value })),
      "InvalidArgument",
      400,
      { fields: { ArgumentName: "x-amz-server-side-encryption", ArgumentValue: value } },
    ),
  );
});
