import { describe, expect, it } from "vitest";

import { requestHeader, requestHeadersWithPrefix } from "../../../src/protocol/core/s3-request.ts";
import { PRESIGNED, presignedPutWith, putWith, requestFor } from "./support.ts";

describe("a header", () => {
  it("is the one that was sent", () => {
    expect(requestHeader(putWith({ "X-Amz-Acl": "private" }), "x-amz-acl")).toBe("private");
    expect(requestHeader(putWith({ "Cache-Control": "no-store" }), "cache-control")).toBe("no-store");
    expect(requestHeader(putWith({ "x-amz-acl": "" }), "x-amz-acl")).toBe("");
    expect(requestHeader(putWith({}), "x-amz-acl")).toBeUndefined();
  });

  it.each([
    "x-amz-acl",
    "x-amz-meta-a",
    "x-amz-tagging",
    "x-amz-storage-class",
    "x-amz-server-side-encryption",
    "x-amz-copy-source",
    "x-amz-expected-bucket-owner",
    "x-amz-security-token",
    "x-amz-checksum-algorithm",
    "x-amz-checksum-mode",
    "x-amz-checksum-type",
  ])("%s acts from the query of a presigned request, in any case", (name) => {
    expect(requestHeader(presignedPutWith(`${name}=v%20w`), name)).toBe("v w");
    expect(requestHeader(presignedPutWith(`${name.toUpperCase()}=v`), name)).toBe("v");
    expect(requestHeader(presignedPutWith(`${name}=`), name)).toBe("");
  });

  it("is not read from the query of a request that is not presigned", () => {
    for (const target of ["/bucket/key?x-amz-acl=private", "/bucket/key?x-amz-acl=private&X-Amz-Date=1"]) {
      const request = requestFor("PUT", target);
      expect(requestHeader(request, "x-amz-acl")).toBeUndefined();
      expect(requestHeadersWithPrefix(request, "x-amz-")).toEqual(new Map());
    }
  });

  it.each([
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-sha512",
    "x-amz-sdk-checksum-algorithm",
  ])("%s is never read from the query, where SDKs presign the checksum of an empty body", (name) => {
    const request = presignedPutWith(`${name}=AAAAAA%3D%3D`);
    expect(requestHeader(request, name)).toBeUndefined();
    expect(requestHeadersWithPrefix(request, "x-amz-")).toEqual(new Map());
    expect(requestHeader(presignedPutWith("", { [name]: "AAAAAA==" }), name)).toBe("AAAAAA==");
  });

  it.each([
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
    "x-amz-signature",
  ])("%s in the query belongs to the signature and is no header", (name) => {
    const request = requestFor("GET", `/bucket/key?X-Amz-Signature=00&${name}=v`);
    expect(requestHeader(request, name)).toBeUndefined();
    expect(requestHeadersWithPrefix(request, "x-amz-")).toEqual(new Map());
  });

  it.each(["content-type", "content-md5", "cache-control", "if-match", "if-none-match", "range", "content-length"])(
    "%s is never read from the query, where only x-amz-* headers are presigned",
    (name) => expect(requestHeader(presignedPutWith(`${name}=x`), name)).toBeUndefined(),
  );

  it("that is sent takes precedence over the one in the query", () => {
    const request = presignedPutWith("x-amz-storage-class=STANDARD_IA", { "x-amz-storage-class": "STANDARD" });
    expect(requestHeader(request, "x-amz-storage-class")).toBe("STANDARD");
    expect(requestHeadersWithPrefix(request, "x-amz-")).toEqual(new Map([["x-amz-storage-class", "STANDARD"]]));
  });

  it("that is a duplicate in the query is the first of the two, in any lookup", () => {
    const request = presignedPutWith("x-amz-meta-a=1&X-Amz-Meta-A=2&x-amz-meta-a=3");
    expect(requestHeader(request, "x-amz-meta-a")).toBe("1");
    expect(requestHeadersWithPrefix(request, "x-amz-meta-")).toEqual(new Map([["x-amz-meta-a", "1"]]));
  });
});

describe("the headers with a prefix", () => {
  it("are those sent and those presigned, by lower-case name", () => {
    const request = requestFor("PUT", `/bucket/key?${PRESIGNED}&X-Amz-Meta-B=2&x-amz-acl=private&y=z`, {
      "X-Amz-Meta-A": "1",
      "x-amz-metadata": "no",
      "content-type": "text/plain",
    });
    expect(requestHeadersWithPrefix(request, "x-amz-meta-")).toEqual(
      new Map([
        ["x-amz-meta-a", "1"],
        ["x-amz-meta-b", "2"],
      ]),
    );
  });

  it("can have any name", () => {
    const request = presignedPutWith("x-amz-meta-__proto__=1&x-amz-meta-constructor=2");
    const found = requestHeadersWithPrefix(request, "x-amz-meta-");
    expect(Array.from(found.keys())).toEqual(["x-amz-meta-__proto__", "x-amz-meta-constructor"]);
  });
});
