import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { md5Hex } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { childrenOf, namesOf, plain, readXml, textOf, type Element } from "../support/read-xml.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";
const ACCOUNT = "000000000000";

async function bucketOf(keys: readonly string[]): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, Object.fromEntries(keys.map((key) => [key, key])));
  return bucket;
}

async function list(bucket: string, query = ""): Promise<Element> {
  const response = await send("GET", `/${bucket}${query}`);
  expect(response.status).toBe(200);
  return readXml(await response.text());
}

/** The keys and common prefixes of a page. */
function shown(root: Element): { readonly keys: string[]; readonly prefixes: string[] } {
  return {
    keys: childrenOf(root, "Contents").map((entry) => textOf(entry, "Key") ?? ""),
    prefixes: childrenOf(root, "CommonPrefixes").map((entry) => textOf(entry, "Prefix") ?? ""),
  };
}

describe("ListObjects", () => {
  it("returns every object in key order", async () => {
    const bucket = await bucketOf(["b", "a/1"]);
    const response = await send("GET", `/${bucket}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/xml");
    expect(response.headers.get("x-amz-bucket-region")).toBe("auto");
    expectAnswerHeaders(response);
    const root = readXml(await response.text());
    expect(root.name).toBe("ListBucketResult");
    expect(root.attributes).toEqual({ xmlns: NAMESPACE });
    expect(namesOf(root)).toEqual(["Name", "Prefix", "Marker", "MaxKeys", "IsTruncated", "Contents", "Contents"]);
    expect(["Name", "Prefix", "Marker", "MaxKeys", "IsTruncated"].map((name) => textOf(root, name))).toEqual([
      bucket,
      "",
      "",
      "1000",
      "false",
    ]);
    for (const [index, key] of ["a/1", "b"].entries()) {
      const entry = childrenOf(root, "Contents")[index];
      if (entry === undefined) throw new Error(`no entry ${index}`);
      expect(namesOf(entry)).toEqual([
        "Key",
        "LastModified",
        "ETag",
        "ChecksumAlgorithm",
        "ChecksumType",
        "Size",
        "Owner",
        "StorageClass",
      ]);
      expect(plain(entry)).toEqual({
        Key: key,
        LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        ETag: `"${md5Hex(key)}"`,
        ChecksumAlgorithm: "CRC64NVME",
        ChecksumType: "FULL_OBJECT",
        Size: String(key.length),
        Owner: { ID: ACCOUNT, DisplayName: ACCOUNT },
        StorageClass: "STANDARD",
      });
    }
  });

  it("returns the storage class and the checksum of an object", async () => {
    const bucket = await freshBucket();
    const headers = { "x-amz-storage-class": "STANDARD_IA", "x-amz-checksum-crc32": "AAAAAA==" };
    expect((await send("PUT", `/${bucket}/k`, { headers, body: "" })).status).toBe(200);
    const [entry] = childrenOf(await list(bucket), "Contents");
    if (entry === undefined) throw new Error("no entry");
    expect(plain(entry)).toMatchObject({ Size: "0", StorageClass: "STANDARD_IA", ChecksumAlgorithm: "CRC32" });
  });

  it("is an empty page for an empty bucket", async () => {
    const root = await list(await freshBucket());
    expect(namesOf(root)).toEqual(["Name", "Prefix", "Marker", "MaxKeys", "IsTruncated"]);
    expect(textOf(root, "IsTruncated")).toBe("false");
  });

  it("returns the keys after the marker, which need not exist", async () => {
    const bucket = await bucketOf(["a", "b", "c"]);
    for (const [marker, keys] of [
      ["", ["a", "b", "c"]],
      ["a", ["b", "c"]],
      ["aa", ["b", "c"]],
      ["c", []],
      ["zz", []],
    ] as const) {
      const root = await list(bucket, `?marker=${marker}`);
      expect(shown(root).keys, marker).toEqual(keys);
      expect(textOf(root, "Marker")).toBe(marker);
    }
  });

  it("returns the keys with a prefix, compared as bytes and never as a pattern", async () => {
    const bucket = await bucketOf(["p_a", "pAx", "p%b", "P_a", "p_", "q", "pé", "p\u{1f600}"]);
    for (const [prefix, keys] of [
      ["p_", ["p_", "p_a"]],
      ["p%", ["p%b"]],
      ["P", ["P_a"]],
      ["p\u{1f600}", ["p\u{1f600}"]],
      ["' OR 1=1 --", []],
      ["p", ["p%b", "pAx", "p_", "p_a", "pé", "p\u{1f600}"]],
    ] as const) {
      const root = await list(bucket, `?prefix=${encodeURIComponent(prefix)}`);
      expect(shown(root).keys, prefix).toEqual(keys);
      expect(textOf(root, "Prefix")).toBe(prefix);
    }
  });

  it("finds keys under a prefix of the last code points", async () => {
    const bucket = await bucketOf(["\u{10ffff}", "\u{10ffff}a", "\u{10fffe}", "\ud7ff", "\ue000"]);
    const of = async (prefix: string) => shown(await list(bucket, `?prefix=${encodeURIComponent(prefix)}`)).keys;
    expect(await of("\u{10ffff}")).toEqual(["\u{10ffff}", "\u{10ffff}a"]);
    expect(await of("\ud7ff")).toEqual(["\ud7ff"]);
  });

  it("groups keys at the delimiter: objects first, common prefixes after them", async () => {
    const bucket = await bucketOf(["a", "b/1", "b/2", "b/c/3", "d", "e//f"]);
    const root = await list(bucket, "?delimiter=/");
    expect(shown(root)).toEqual({ keys: ["a", "d"], prefixes: ["b/", "e/"] });
    expect(namesOf(root)).toEqual([
      "Name",
      "Prefix",
      "Marker",
      "MaxKeys",
      "Delimiter",
      "IsTruncated",
      "Contents",
      "Contents",
      "CommonPrefixes",
      "CommonPrefixes",
    ]);
    expect(textOf(root, "Delimiter")).toBe("/");
    expect(shown(await list(bucket, "?delimiter=/&prefix=b/"))).toEqual({ keys: ["b/1", "b/2"], prefixes: ["b/c/"] });
    expect(shown(await list(bucket, "?delimiter=/&prefix=e/"))).toEqual({ keys: [], prefixes: ["e//"] });
    expect(shown(await list(bucket, "?delimiter=%2F2"))).toEqual({
      keys: ["a", "b/1", "b/c/3", "d", "e//f"],
      prefixes: ["b/2"],
    });
  });

  it("treats an empty delimiter, prefix, marker and encoding as absent", async () => {
    const bucket = await bucketOf(["a/b"]);
    const root = await list(bucket, "?delimiter=&prefix=&marker=&encoding-type=&max-keys=");
    expect(shown(root)).toEqual({ keys: ["a/b"], prefixes: [] });
    expect(namesOf(root)).toEqual(["Name", "Prefix", "Marker", "MaxKeys", "IsTruncated", "Contents"]);
    expect(textOf(root, "MaxKeys")).toBe("1000");
  });

  it("separates a directory marker from its directory and from the key without a slash", async () => {
    const bucket = await bucketOf(["dir", "dir/", "dir/x"]);
    expect(shown(await list(bucket, "?delimiter=/"))).toEqual({ keys: ["dir"], prefixes: ["dir/"] });
    expect(shown(await list(bucket, "?delimiter=/&prefix=dir/"))).toEqual({ keys: ["dir/", "dir/x"], prefixes: [] });
  });

  it("returns NextMarker on a truncated page with a delimiter, and continues there", async () => {
    const bucket = await bucketOf(["a", "b/1", "b/2", "c/1", "d"]);
    const first = await list(bucket, "?delimiter=/&max-keys=2");
    expect(shown(first)).toEqual({ keys: ["a"], prefixes: ["b/"] });
    expect(textOf(first, "IsTruncated")).toBe("true");
    expect(textOf(first, "NextMarker")).toBe("b/");
    expect(namesOf(first).slice(0, 4)).toEqual(["Name", "Prefix", "Marker", "NextMarker"]);
    const second = await list(bucket, "?delimiter=/&max-keys=2&marker=b/");
    expect(shown(second)).toEqual({ keys: ["d"], prefixes: ["c/"] });
    expect(textOf(second, "IsTruncated")).toBe("false");
    expect(textOf(second, "NextMarker")).toBeUndefined();
  });

  it("skips the common prefix that contains the marker", async () => {
    const bucket = await bucketOf(["b/1", "b/2", "c"]);
    expect(shown(await list(bucket, "?delimiter=/&marker=b/1"))).toEqual({ keys: ["c"], prefixes: [] });
    expect(shown(await list(bucket, "?delimiter=/&marker=b/1&prefix=b/"))).toEqual({ keys: ["b/2"], prefixes: [] });
  });

  it("returns no NextMarker without a delimiter", async () => {
    const root = await list(await bucketOf(["a", "b"]), "?max-keys=1");
    expect(shown(root).keys).toEqual(["a"]);
    expect(textOf(root, "IsTruncated")).toBe("true");
    expect(textOf(root, "NextMarker")).toBeUndefined();
  });

  it("is not truncated when the page fits exactly", async () => {
    const root = await list(await bucketOf(["a", "b"]), "?max-keys=2&delimiter=/");
    expect(shown(root).keys).toEqual(["a", "b"]);
    expect(textOf(root, "IsTruncated")).toBe("false");
    expect(textOf(root, "NextMarker")).toBeUndefined();
  });

  it("returns max-keys, caps it at 1000 and lists nothing for 0", async () => {
    const bucket = await bucketOf(["a", "b"]);
    const none = await list(bucket, "?max-keys=0");
    expect(shown(none)).toEqual({ keys: [], prefixes: [] });
    expect(textOf(none, "IsTruncated")).toBe("false");
    expect(textOf(none, "MaxKeys")).toBe("0");
    const many = await list(bucket, "?max-keys=5000");
    expect(shown(many).keys).toEqual(["a", "b"]);
    expect(textOf(many, "MaxKeys")).toBe("5000");
  });

  it("rejects a max-keys that is no number in range", async () => {
    const bucket = await freshBucket();
    for (const value of ["-1", "x", "1.5", "0x10", "2147483648", "99999999999999999999"]) {
      await expectS3Error(await send("GET", `/${bucket}?max-keys=${value}`), {
        status: 400,
        code: "InvalidArgument",
        message: "Provided max-keys not an integer or within integer range",
        fields: { ArgumentName: "max-keys", ArgumentValue: value },
      });
    }
  });

  it("encodes keys, prefixes, delimiter and markers when requested", async () => {
    const bucket = await bucketOf(["a b/ü+", "a b/=&", "a b/c d/e", "x\u0001y"]);
    const prefix = encodeURIComponent("a b/");
    const root = await list(bucket, `?encoding-type=url&prefix=${prefix}&delimiter=${encodeURIComponent(" d/")}`);
    expect(namesOf(root).slice(0, 6)).toEqual(["Name", "Prefix", "Marker", "MaxKeys", "Delimiter", "EncodingType"]);
    expect(textOf(root, "EncodingType")).toBe("url");
    expect(textOf(root, "Prefix")).toBe("a%20b/");
    expect(textOf(root, "Delimiter")).toBe("%20d/");
    expect(shown(root)).toEqual({ keys: ["a%20b/%3D%26", "a%20b/%C3%BC%2B"], prefixes: ["a%20b/c%20d/"] });
    const page = await list(bucket, `?encoding-type=url&marker=${prefix}&delimiter=z&max-keys=1`);
    expect(textOf(page, "Marker")).toBe("a%20b/");
    expect(textOf(page, "NextMarker")).toBe("a%20b/%3D%26");
    expect(shown(await list(bucket, "?encoding-type=url&prefix=x")).keys).toEqual(["x%01y"]);
  });

  it("is well-formed XML without an encoding, for any keys", async () => {
    const hostile = `x<script>&"'>]]>`;
    const bucket = await bucketOf([hostile, "c\rd\ne\tf", "g\u0001h"]);
    expect(shown(await list(bucket)).keys).toEqual(["c\rd\ne\tf", "g\ufffdh", hostile]);
  });

  it("rejects an unknown encoding", async () => {
    await expectS3Error(await send("GET", `/${await freshBucket()}?encoding-type=base64`), {
      status: 400,
      code: "InvalidArgument",
      message: "Invalid Encoding Method specified in Request",
      fields: { ArgumentName: "encoding-type", ArgumentValue: "base64" },
    });
  });

  it("costs one round trip, and reads as many rows as it returns", async () => {
    const bucket = await bucketOf(["a", "b", "c"]);
    const cost = costOf(await send("GET", `/${bucket}`));
    expect(cost).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    expect(cost.rowsRead).toBeLessThan(10);
  });

  it("returns NoSuchBucket for a missing bucket", async () => {
    const name = freshBucketName();
    for (const query of ["", "?delimiter=/", "?max-keys=0"]) {
      await expectS3Error(await send("GET", `/${name}${query}`), {
        status: 404,
        code: "NoSuchBucket",
        fields: { BucketName: name },
      });
    }
  });

  it("rejects anonymous requests", async () => {
    await expectS3Error(await deliver(anonymous("GET", `/${await bucketOf(["a"])}`)), {
      status: 403,
      code: "AccessDenied",
    });
  });
});
