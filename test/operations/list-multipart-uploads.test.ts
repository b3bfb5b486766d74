import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { createUpload, putPart, sendCompletion } from "../support/multipart.ts";
import { childrenOf, namesOf, plain, readXml, textOf, type Element } from "../support/read-xml.ts";

const ACCOUNT = "000000000000";

async function list(bucket: string, query = ""): Promise<Element> {
  const response = await send("GET", `/${bucket}?uploads${query}`);
  expect(response.status).toBe(200);
  return readXml(await response.text());
}

function keysOf(root: Element): string[] {
  return childrenOf(root, "Upload").map((upload) => textOf(upload, "Key") ?? "");
}

/** The entries of a page: uploads as `key id`, and plain prefixes. */
function shown(root: Element): string[] {
  const uploads = childrenOf(root, "Upload").map(
    (upload) => `${textOf(upload, "Key") ?? ""} ${textOf(upload, "UploadId") ?? ""}`,
  );
  return [...uploads, ...childrenOf(root, "CommonPrefixes").map((entry) => textOf(entry, "Prefix") ?? "")];
}

async function uploadsOf(bucket: string, keys: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const key of keys) {
    ids.push(await createUpload(bucket, key));
    // Ids sort by the millisecond of their initiation.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return ids;
}

/** The entries of all pages, following the returned markers. */
async function listAll(bucket: string, query: string, size: number): Promise<string[]> {
  const all: string[] = [];
  let markers = "";
  for (;;) {
    const root = await list(bucket, `${query}&max-uploads=${size}${markers}`);
    const page = shown(root);
    expect(page.length).toBeLessThanOrEqual(size);
    all.push(...page);
    if (textOf(root, "IsTruncated") === "false") return all;
    expect(page).toHaveLength(size);
    const [key, id] = [textOf(root, "NextKeyMarker") ?? "", textOf(root, "NextUploadIdMarker") ?? ""];
    markers = `&key-marker=${encodeURIComponent(key)}${id === "" ? "" : `&upload-id-marker=${id}`}`;
  }
}

describe("ListMultipartUploads", () => {
  it("describes every upload in progress, by key and then by time", async () => {
    const bucket = await freshBucket();
    const headers = { "x-amz-checksum-algorithm": "CRC32", "x-amz-storage-class": "STANDARD_IA" };
    const second = await createUpload(bucket, "b", headers);
    const [first] = await uploadsOf(bucket, ["a"]);
    const response = await send("GET", `/${bucket}?uploads`);
    expect(response.status).toBe(200);
    expectAnswerHeaders(response);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    const root = readXml(await response.text());
    expect(root.name).toBe("ListMultipartUploadsResult");
    expect(root.attributes).toEqual({ xmlns: "http://s3.amazonaws.com/doc/2006-03-01/" });
    expect(namesOf(root)).toEqual([
      "Bucket",
      "KeyMarker",
      "UploadIdMarker",
      "Prefix",
      "MaxUploads",
      "IsTruncated",
      "Upload",
      "Upload",
    ]);
    expect(plain({ ...root, children: root.children.filter(({ name }) => name !== "Upload") })).toEqual({
      Bucket: bucket,
      KeyMarker: "",
      UploadIdMarker: "",
      Prefix: "",
      MaxUploads: "1000",
      IsTruncated: "false",
    });
    const common = {
      Initiator: { ID: ACCOUNT, DisplayName: ACCOUNT },
      Owner: { ID: ACCOUNT, DisplayName: ACCOUNT },
      Initiated: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
    };
    expect(childrenOf(root, "Upload").map(plain)).toEqual([
      { ...common, Key: "a", UploadId: first, StorageClass: "STANDARD" },
      {
        ...common,
        Key: "b",
        UploadId: second,
        StorageClass: "STANDARD_IA",
        ChecksumAlgorithm: "CRC32",
        ChecksumType: "COMPOSITE",
      },
    ]);
  });

  it("returns nothing without uploads, and no completed or aborted one", async () => {
    const bucket = await freshBucket();
    expect(shown(await list(bucket))).toEqual([]);
    const [completed = "", aborted = "", open = ""] = await uploadsOf(bucket, ["k", "k", "k"]);
    await sendCompletion(bucket, "k", completed, [await putPart(bucket, "k", completed, 1, "x")]);
    await send("DELETE", `/${bucket}/k?uploadId=${aborted}`);
    expect(shown(await list(bucket))).toEqual([`k ${open}`]);
  });

  it("returns the same uploads for any page size, with and without a delimiter", async () => {
    const bucket = await freshBucket();
    const keys = ["a", "a", "a", "a/1", "a/1", "a/2", "b", "b/", "c/x/1", "c/x/2", "é", "\u{1f600}"];
    await uploadsOf(bucket, keys);
    for (const query of ["", "&delimiter=/", "&prefix=a", "&prefix=c/&delimiter=/", "&delimiter=/1", "&prefix=zz"]) {
      const whole = shown(await list(bucket, query));
      const paged = await listAll(bucket, query, 1);
      expect(paged.toSorted(), query).toEqual(whole.toSorted());
      for (const size of [2, 3, 5])
        expect((await listAll(bucket, query, size)).toSorted(), query).toEqual(paged.toSorted());
    }
    expect(keysOf(await list(bucket))).toEqual(keys);
  });

  it("groups uploads into common prefixes and counts each as one entry", async () => {
    const bucket = await freshBucket();
    await uploadsOf(bucket, ["a/1", "a/2", "b", "c/1"]);
    const root = await list(bucket, "&delimiter=/");
    expect(textOf(root, "Delimiter")).toBe("/");
    expect(keysOf(root)).toEqual(["b"]);
    expect(childrenOf(root, "CommonPrefixes").map((entry) => textOf(entry, "Prefix"))).toEqual(["a/", "c/"]);
    const first = await list(bucket, "&delimiter=/&max-uploads=1");
    expect(shown(first)).toEqual(["a/"]);
    expect([textOf(first, "NextKeyMarker"), textOf(first, "NextUploadIdMarker")]).toEqual(["a/", ""]);
  });

  it("begins after the key marker, or within the key after the upload id marker", async () => {
    const bucket = await freshBucket();
    const [a1 = "", a2 = "", b = ""] = await uploadsOf(bucket, ["a", "a", "b"]);
    const cases = [
      ["&key-marker=a", [`b ${b}`]],
      [`&key-marker=a&upload-id-marker=${a1}`, [`a ${a2}`, `b ${b}`]],
      [`&key-marker=a&upload-id-marker=${a2}`, [`b ${b}`]],
      ["&key-marker=A", [`a ${a1}`, `a ${a2}`, `b ${b}`]],
      ["&key-marker=b", []],
      // Without a key marker the upload id marker has no effect.
      [`&upload-id-marker=${a2}`, [`a ${a1}`, `a ${a2}`, `b ${b}`]],
      ["&upload-id-marker=nonsense", [`a ${a1}`, `a ${a2}`, `b ${b}`]],
    ] as const;
    for (const [query, expected] of cases) expect(shown(await list(bucket, query)), query).toEqual(expected);
  });

  it("matches prefix and delimiter literally, not as patterns", async () => {
    const bucket = await freshBucket();
    await uploadsOf(bucket, ["a%b", "a_b", "axb", "a'b"]);
    for (const prefix of ["a%", "a_", "a'"]) {
      expect(keysOf(await list(bucket, `&prefix=${encodeURIComponent(prefix)}`))).toEqual([`${prefix}b`]);
    }
  });

  it("encodes the response when requested", async () => {
    const bucket = await freshBucket();
    await uploadsOf(bucket, ["a b/+é=", "a b/c d", "z"]);
    const root = await list(bucket, "&encoding-type=url&prefix=a%20b/&max-uploads=1&key-marker=a%20a");
    expect(textOf(root, "EncodingType")).toBe("url");
    expect(textOf(root, "Prefix")).toBe("a%20b/");
    expect(textOf(root, "KeyMarker")).toBe("a%20a");
    expect(keysOf(root)).toEqual(["a%20b/%2B%C3%A9%3D"]);
    expect(textOf(root, "NextKeyMarker")).toBe("a%20b/%2B%C3%A9%3D");
    const rolled = await list(bucket, "&encoding-type=url&delimiter=%20");
    expect(textOf(rolled, "Delimiter")).toBe("%20");
    expect(childrenOf(rolled, "CommonPrefixes").map((entry) => textOf(entry, "Prefix"))).toEqual(["a%20"]);
  });

  it("returns nothing for max-uploads 0, and returns values over the limit unchanged", async () => {
    const bucket = await freshBucket();
    await uploadsOf(bucket, ["a"]);
    const none = await list(bucket, "&max-uploads=0");
    expect([shown(none), textOf(none, "IsTruncated"), textOf(none, "MaxUploads")]).toEqual([[], "false", "0"]);
    const many = await list(bucket, "&max-uploads=5000");
    expect([keysOf(many), textOf(many, "MaxUploads")]).toEqual([["a"], "5000"]);
  });

  it.each([
    ["&max-uploads=-1", "max-uploads", "-1", "Provided max-uploads not an integer or within integer range"],
    ["&max-uploads=x", "max-uploads", "x", "Provided max-uploads not an integer or within integer range"],
    ["&encoding-type=base64", "encoding-type", "base64", "Invalid Encoding Method specified in Request"],
    ["&key-marker=a&upload-id-marker=x", "upload-id-marker", "x", "Invalid uploadId marker"],
  ])("refuses %s", async (query, name, value, message) => {
    await expectS3Error(await send("GET", `/${await freshBucket()}?uploads${query}`), {
      status: 400,
      code: "InvalidArgument",
      message,
      fields: { ArgumentName: name, ArgumentValue: value },
    });
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await send("GET", `/${missing}?uploads`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    await expectS3Error(await deliver(anonymous("GET", `/${await freshBucket()}?uploads`)), {
      status: 403,
      code: "AccessDenied",
    });
  });
});
