import { describe, expect, it } from "vitest";

import { uriEncode } from "../../../src/bytes/uri-encode.ts";
import {
  addressedBucket,
  addressedObject,
  bucketOfHost,
  checkKey,
  KEY_MAX_BYTES,
  parseAddress,
  splitTarget,
} from "../../../src/protocol/core/addressing.ts";
import { Seeded } from "../bytes/seeded.ts";
import { expectQuick } from "../../support/quick.ts";
import { errorOf, expectError, expectRefusal } from "./support.ts";

const object = (bucket: string, key: string) => ({ level: "object", bucket, key });

describe("a raw target", () => {
  it.each([
    ["https://host/b/k?x=1", "/b/k", "x=1"],
    ["http://host:9000/b/k", "/b/k", ""],
    ["https://host", "/", ""],
    ["https://host/", "/", ""],
    ["https://host?x", "/", "x"],
    ["https://host/?x=/y?z", "/", "x=/y?z"],
    ["https://host/b//k", "/b//k", ""],
    ["https://host//k", "//k", ""],
    ["https://host/b/./k/../l", "/b/./k/../l", ""],
    ["https://host/b/%2e%2e/%2F%5C", "/b/%2e%2e/%2F%5C", ""],
    ["https://host/b\\k", "/b\\k", ""],
    ["https://host/b/k#fragment", "/b/k", ""],
    ["https://host/b/k#fragment?x=1", "/b/k", ""],
    ["https://host/b/k?x=1#fragment", "/b/k", "x=1"],
    ["https://host#fragment", "/", ""],
    ["https://host/b/k%23?x=%23", "/b/k%23", "x=%23"],
    ["https://host/b/k?", "/b/k", ""],
    ["https://host/b/http://other/c", "/b/http://other/c", ""],
    ["http://169.254.169.254/latest/meta-data", "/latest/meta-data", ""],
    ["http://[::1]:9000/b/k", "/b/k", ""],
    ["https://user:pass@host/b/k", "/b/k", ""],
  ])("of %s is %s with the query %j", (url, path, query) => expect(splitTarget(url)).toEqual({ path, query }));
});

describe("a bucket in the host", () => {
  const domains = ["s3.example.com", "cairn.test"];

  it.each([
    ["bucket.s3.example.com", "bucket"],
    ["bucket.s3.example.com:9000", "bucket"],
    ["bucket.s3.example.com:", "bucket"],
    ["BUCKET.S3.Example.COM", "bucket"],
    ["a.b.c.s3.example.com", "a.b.c"],
    ["bucket.cairn.test:443", "bucket"],
    ["s3.example.com", undefined],
    ["S3.EXAMPLE.COM:9000", undefined],
    [".s3.example.com", undefined],
    ["bucket.s3.example.org", undefined],
    ["buckets3.example.com", undefined],
    ["xs3.example.com", undefined],
    ["bucket.s3.example.com.evil.test", undefined],
    ["localhost:9000", undefined],
    ["[::1]:9000", undefined],
    ["", undefined],
  ])("%j names %j", (host, bucket) => expect(bucketOfHost(host, domains)).toBe(bucket));

  it("has no bucket without domains", () => expect(bucketOfHost("bucket.s3.example.com", [])).toBeUndefined());

  it("is the label before the longest matching domain, in any order of domains", () => {
    for (const nested of [
      ["example.com", "s3.example.com"],
      ["s3.example.com", "example.com"],
    ]) {
      expect(bucketOfHost("bucket.s3.example.com", nested)).toBe("bucket");
      expect(bucketOfHost("bucket.example.com", nested)).toBe("bucket");
      expect(bucketOfHost("s3.example.com", nested)).toBeUndefined();
      expect(bucketOfHost("example.com", nested)).toBeUndefined();
    }
  });

  it("is found quickly in 100 KB", () => {
    for (const host of [":".repeat(100_000), `b:${"1".repeat(100_000)}x`, ":1".repeat(50_000), ".".repeat(100_000)]) {
      expectQuick(() => expect(bucketOfHost(host, domains)).toBeUndefined());
    }
  });
});

describe("a path", () => {
  it.each([
    ["/", { level: "service" }],
    ["/bucket", { level: "bucket", bucket: "bucket" }],
    ["/bucket/", { level: "bucket", bucket: "bucket" }],
    ["/%62ucket", { level: "bucket", bucket: "bucket" }],
    ["/bucket/key", object("bucket", "key")],
    ["/bucket/a/b", object("bucket", "a/b")],
    ["/bucket//", object("bucket", "/")],
    ["/bucket//key", object("bucket", "/key")],
    ["/bucket/a//b", object("bucket", "a//b")],
    ["/bucket/a/", object("bucket", "a/")],
    ["/bucket/.", object("bucket", ".")],
    ["/bucket/..", object("bucket", "..")],
    ["/bucket/./a", object("bucket", "./a")],
    ["/bucket/a/../b", object("bucket", "a/../b")],
    ["/bucket/../other/key", object("bucket", "../other/key")],
    ["/bucket/%2e%2e/x", object("bucket", "../x")],
    ["/bucket/a+b", object("bucket", "a+b")],
    ["/bucket/a%2Bb", object("bucket", "a+b")],
    ["/bucket/a%20b", object("bucket", "a b")],
    ["/bucket/%20", object("bucket", " ")],
    ["/bucket/a%2Fb", object("bucket", "a/b")],
    ["/bucket/%2F", object("bucket", "/")],
    ["/bucket/%252F", object("bucket", "%2F")],
    ["/bucket/%25252F", object("bucket", "%252F")],
    ["/bucket/a\\b%5Cc", object("bucket", "a\\b\\c")],
    ["/bucket/k=v;w", object("bucket", "k=v;w")],
    ["/bucket/%3Fx%23y", object("bucket", "?x#y")],
    ["/bucket/%F0%9F%98%80", object("bucket", "\u{1f600}")],
    ["/bucket/\u{1f600}", object("bucket", "\u{1f600}")],
    ["/bucket/%C3%A9", object("bucket", "é")],
    ["/bucket/e%CC%81", object("bucket", "e\u0301")],
    ["/bucket/%EF%BB%BF", object("bucket", "\ufeff")],
    ["/bucket/%01%7F", object("bucket", "\u0001\u007f")],
    ["/bucket/KEY", object("bucket", "KEY")],
    ["/BUCKET", { level: "bucket", bucket: "BUCKET" }],
    ["/a%2Fb/c", object("a/b", "c")],
  ])("%s addresses %j", (path, address) => expect(parseAddress(path, undefined)).toEqual(address));

  it("with an empty bucket addresses neither the service nor a bucket named like the key", () => {
    expect(parseAddress("//key", undefined)).toEqual(object("", "key"));
    expect(parseAddress("//", undefined)).toEqual({ level: "bucket", bucket: "" });
    expect(parseAddress("///", undefined)).toEqual(object("", "/"));
  });

  it.each([
    ["/", { level: "bucket", bucket: "host" }],
    ["/key", object("host", "key")],
    ["/a/b", object("host", "a/b")],
    ["//key", object("host", "/key")],
    ["//", object("host", "/")],
    ["/host/key", object("host", "host/key")],
    ["/..", object("host", "..")],
    ["/a%2Fb", object("host", "a/b")],
  ])("%s below a bucket's own host addresses %j", (path, address) =>
    expect(parseAddress(path, "host")).toEqual(address),
  );

  it.each(["/bucket/%", "/bucket/%4", "/bucket/%zz", "/bucket/a%2", "/%zz/key", "/%"])(
    "%s is rejected for its malformed escape",
    (path) => expectRefusal(() => parseAddress(path, undefined), "InvalidURI", 400),
  );

  it.each(["/bucket/%ff", "/bucket/%C0%AF", "/bucket/%ED%A0%80", "/bucket/a%C3", "/bucket/%F8%88%80%80%80", "/%ff"])(
    "%s is rejected because it is not UTF-8",
    (path) => expectRefusal(() => parseAddress(path, undefined), "InvalidURI", 400),
  );

  it("round-trips every key, in either style", () => {
    const random = new Seeded(51);
    for (let turn = 0; turn < 300; turn += 1) {
      const key = random.text(20).replaceAll("\0", "");
      if (key === "") continue;
      for (const encoded of [uriEncode(key), uriEncode(key, true)]) {
        expect(parseAddress(`/bucket/${encoded}`, undefined)).toEqual(object("bucket", key));
        expect(parseAddress(`/${encoded}`, "host")).toEqual(object("host", key));
      }
    }
  });
});

describe("the length of a key", () => {
  it.each([
    ["letters", "a".repeat(1024), "a".repeat(1025), 1025],
    ["slashes", "/".repeat(1024), "/".repeat(1025), 1025],
    ["characters of two bytes", "é".repeat(512), "é".repeat(513), 1026],
    ["emoji, which JavaScript counts as two", "\u{1f600}".repeat(256), "\u{1f600}".repeat(257), 1028],
  ])("is counted in bytes: %s", (_what, longest, tooLong, size) => {
    expect(parseAddress(`/bucket/${uriEncode(longest)}`, undefined)).toEqual(object("bucket", longest));
    expect(() => checkKey(longest)).not.toThrow();
    for (const call of [
      () => parseAddress(`/bucket/${uriEncode(tooLong)}`, undefined),
      () => parseAddress(`/${uriEncode(tooLong)}`, "host"),
      () => checkKey(tooLong),
    ]) {
      const fields = { Size: size, MaxSizeAllowed: KEY_MAX_BYTES };
      expectError(errorOf(call), "KeyTooLongError", 400, { fields });
    }
  });

  it("is not checked when it contains NUL, which no key can", () => {
    const fields = { URI: "a%00b" };
    expectError(
      errorOf(() => parseAddress("/bucket/a%00b", undefined)),
      "InvalidURI",
      400,
      { fields },
    );
  });

  it("is not the length of its escapes", () => {
    expect(parseAddress(`/bucket/${"%41".repeat(1024)}`, undefined)).toEqual(object("bucket", "A".repeat(1024)));
  });
});

describe("the address of a routed request", () => {
  it("returns its bucket and key", () => {
    expect(addressedBucket(parseAddress("/bucket", undefined))).toBe("bucket");
    expect(addressedBucket(parseAddress("/bucket/key", undefined))).toBe("bucket");
    expect(addressedObject(parseAddress("/bucket/key", undefined))).toMatchObject({ bucket: "bucket", key: "key" });
  });

  it("throws an internal error on another level", () => {
    expect(() => addressedBucket({ level: "service" })).toThrow("without a bucket");
    expect(() => addressedObject({ level: "service" })).toThrow("without a key");
    expect(() => addressedObject({ level: "bucket", bucket: "b" })).toThrow("without a key");
  });
});
