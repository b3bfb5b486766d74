import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { md5Hex } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { childrenOf, namesOf, plain, readXml, textOf, type Element } from "../support/read-xml.ts";
import {
  deleteKey,
  putVersion,
  removeVersion,
  setVersioning,
  versionedBucket,
  versionsOf,
} from "../support/versioning.ts";

const ACCOUNT = "000000000000";
const OWNER = { ID: ACCOUNT, DisplayName: ACCOUNT };

async function list(bucket: string, query = ""): Promise<Element> {
  const response = await send("GET", `/${bucket}?versions${query}`);
  expect(response.status, query).toBe(200);
  return readXml(await response.text());
}

/** The entries of a page: versions as `key id`, and plain prefixes. */
function shown(root: Element): string[] {
  return root.children.flatMap((entry) => {
    if (entry.name === "CommonPrefixes") return [textOf(entry, "Prefix") ?? ""];
    if (entry.name !== "Version" && entry.name !== "DeleteMarker") return [];
    return [`${textOf(entry, "Key") ?? ""} ${textOf(entry, "VersionId") ?? ""}`];
  });
}

/** The entries of all pages, following the returned markers. */
async function listAll(bucket: string, query: string, size: number): Promise<string[]> {
  const all: string[] = [];
  let markers = "";
  for (;;) {
    const root = await list(bucket, `${query}&max-keys=${size}${markers}`);
    const page = shown(root);
    all.push(...page);
    if (textOf(root, "IsTruncated") === "false") return all;
    expect(page).toHaveLength(size);
    const [key, id] = [textOf(root, "NextKeyMarker") ?? "", textOf(root, "NextVersionIdMarker")];
    markers = `&key-marker=${encodeURIComponent(key)}${id === undefined ? "" : `&version-id-marker=${id}`}`;
  }
}

describe("ListObjectVersions", () => {
  it("returns versions and delete markers: keys in order, newest first within a key", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { b: "null version" });
    await setVersioning(bucket, "Enabled");
    const first = await putVersion(bucket, "a", "1", { "x-amz-storage-class": "STANDARD_IA" });
    const marker = await deleteKey(bucket, "a");
    const second = await putVersion(bucket, "a", "22");
    const response = await send("GET", `/${bucket}?versions`);
    expect(response.status).toBe(200);
    expectAnswerHeaders(response);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    const root = readXml(await response.text());
    expect(root.name).toBe("ListVersionsResult");
    expect(root.attributes).toEqual({ xmlns: "http://s3.amazonaws.com/doc/2006-03-01/" });
    expect(namesOf(root)).toEqual([
      "Name",
      "Prefix",
      "KeyMarker",
      "VersionIdMarker",
      "MaxKeys",
      "IsTruncated",
      "Version",
      "DeleteMarker",
      "Version",
      "Version",
    ]);
    const date = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown;
    const common = { LastModified: date, Owner: OWNER };
    const checked = { ChecksumAlgorithm: "CRC64NVME", ChecksumType: "FULL_OBJECT" };
    const entries = root.children.filter(({ name }) => name === "Version" || name === "DeleteMarker");
    expect(entries.map(plain)).toEqual([
      {
        ...common,
        ...checked,
        Key: "a",
        VersionId: second,
        IsLatest: "true",
        ETag: `"${md5Hex("22")}"`,
        Size: "2",
        StorageClass: "STANDARD",
      },
      { ...common, Key: "a", VersionId: marker, IsLatest: "false" },
      {
        ...common,
        ...checked,
        Key: "a",
        VersionId: first,
        IsLatest: "false",
        ETag: `"${md5Hex("1")}"`,
        Size: "1",
        StorageClass: "STANDARD_IA",
      },
      {
        ...common,
        ...checked,
        Key: "b",
        VersionId: "null",
        IsLatest: "true",
        ETag: `"${md5Hex("null version")}"`,
        Size: "12",
        StorageClass: "STANDARD",
      },
    ]);
  });

  it("returns the objects of an unversioned bucket as null versions", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2" });
    expect(await versionsOf(bucket)).toEqual([
      { kind: "Version", key: "a", versionId: "null", isLatest: true },
      { kind: "Version", key: "b", versionId: "null", isLatest: true },
    ]);
  });

  it("marks a delete marker as latest while it is the newest, and the version below it once it is purged", async () => {
    const bucket = await versionedBucket();
    const version = await putVersion(bucket, "k", "1");
    const below = await deleteKey(bucket, "k");
    const above = await deleteKey(bucket, "k");
    const entry = (kind: string, versionId: string, isLatest: boolean) => ({ kind, key: "k", versionId, isLatest });
    expect(await versionsOf(bucket)).toEqual([
      entry("DeleteMarker", above, true),
      entry("DeleteMarker", below, false),
      entry("Version", version, false),
    ]);
    await removeVersion(bucket, "k", above);
    expect(await versionsOf(bucket)).toEqual([entry("DeleteMarker", below, true), entry("Version", version, false)]);
    await removeVersion(bucket, "k", below);
    expect(await versionsOf(bucket)).toEqual([entry("Version", version, true)]);
  });

  it("returns the same entries for any page size, past null versions, markers and prefixes", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "a/1": "x", k: "x", é: "x" });
    await setVersioning(bucket, "Enabled");
    for (const key of ["a/1", "a/2", "k", "k", "k/", "l/m/1"]) await putVersion(bucket, key, "y");
    await deleteKey(bucket, "a/2");
    await deleteKey(bucket, "k");
    await setVersioning(bucket, "Suspended");
    await putVersion(bucket, "k", "null again");
    await deleteKey(bucket, "only-a-marker");
    await setVersioning(bucket, "Enabled");
    await putVersion(bucket, "k", "newest");
    for (const query of ["", "&delimiter=/", "&prefix=k", "&prefix=a/", "&prefix=l/&delimiter=/", "&prefix=none"]) {
      const whole = shown(await list(bucket, query));
      for (const size of [1, 2, 3]) {
        expect((await listAll(bucket, query, size)).toSorted(), `${query} ${size}`).toEqual(whole.toSorted());
      }
    }
    const keys = (await versionsOf(bucket)).map(({ key }) => key);
    expect(keys).toEqual(keys.toSorted());
    expect(keys).toHaveLength(13);
  });

  it("begins after a key, or within it after a version", async () => {
    const bucket = await versionedBucket();
    const [a1, a2] = [await putVersion(bucket, "a", "1"), await putVersion(bucket, "a", "2")];
    const b = await putVersion(bucket, "b", "1");
    const cases = [
      ["&key-marker=a", [`b ${b}`]],
      [`&key-marker=a&version-id-marker=${a2}`, [`a ${a1}`, `b ${b}`]],
      [`&key-marker=a&version-id-marker=${a1}`, [`b ${b}`]],
      ["&key-marker=a&version-id-marker=", [`b ${b}`]],
      ["&key-marker=A", [`a ${a2}`, `a ${a1}`, `b ${b}`]],
      ["&key-marker=b", []],
    ] as const;
    for (const [query, expected] of cases) expect(shown(await list(bucket, query)), query).toEqual(expected);
  });

  it("continues after the null version at any position", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "null" });
    await setVersioning(bucket, "Enabled");
    const newer = await putVersion(bucket, "k", "1");
    const l = await putVersion(bucket, "l", "1");
    expect(shown(await list(bucket, `&key-marker=k&version-id-marker=${newer}`))).toEqual(["k null", `l ${l}`]);
    expect(shown(await list(bucket, "&key-marker=k&version-id-marker=null"))).toEqual([`l ${l}`]);
    await setVersioning(bucket, "Suspended");
    await putVersion(bucket, "k", "null on top");
    expect(shown(await list(bucket, "&key-marker=k&version-id-marker=null"))).toEqual([`k ${newer}`, `l ${l}`]);
    const echoed = await list(bucket, "&key-marker=k&version-id-marker=null&max-keys=1");
    expect(
      ["KeyMarker", "VersionIdMarker", "NextKeyMarker", "NextVersionIdMarker"].map((n) => textOf(echoed, n)),
    ).toEqual(["k", "null", "k", newer]);
  });

  it("groups versions and markers into common prefixes, and returns no version marker after one", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "a/1", "x");
    await putVersion(bucket, "a/1", "y");
    await deleteKey(bucket, "a/2");
    const b = await putVersion(bucket, "b", "x");
    const root = await list(bucket, "&delimiter=/");
    expect(shown(root).toSorted()).toEqual(["a/", `b ${b}`]);
    expect(textOf(root, "Delimiter")).toBe("/");
    const first = await list(bucket, "&delimiter=/&max-keys=1");
    expect(shown(first)).toEqual(["a/"]);
    expect(textOf(first, "NextKeyMarker")).toBe("a/");
    expect(textOf(first, "NextVersionIdMarker")).toBeUndefined();
  });

  it("encodes the response when requested", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "a b/+é=": "x", "a b/c": "x" });
    const root = await list(bucket, "&encoding-type=url&prefix=a%20&max-keys=1&key-marker=a%20a");
    expect(textOf(root, "EncodingType")).toBe("url");
    expect(textOf(root, "Prefix")).toBe("a%20");
    expect(textOf(root, "KeyMarker")).toBe("a%20a");
    expect(shown(root)).toEqual(["a%20b/%2B%C3%A9%3D null"]);
    expect(textOf(root, "NextKeyMarker")).toBe("a%20b/%2B%C3%A9%3D");
    expect(shown(await list(bucket, "&encoding-type=url&delimiter=%20"))).toEqual(["a%20"]);
  });

  it("returns nothing for max-keys 0, and returns values over the limit unchanged", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "x" });
    const none = await list(bucket, "&max-keys=0");
    expect([shown(none), textOf(none, "IsTruncated"), textOf(none, "MaxKeys")]).toEqual([[], "false", "0"]);
    const many = await list(bucket, "&max-keys=5000");
    expect([shown(many), textOf(many, "MaxKeys")]).toEqual([["a null"], "5000"]);
  });

  it.each([
    ["&max-keys=-1", "max-keys", "-1", "Provided max-keys not an integer or within integer range"],
    ["&max-keys=x", "max-keys", "x", "Provided max-keys not an integer or within integer range"],
    ["&encoding-type=base64", "encoding-type", "base64", "Invalid Encoding Method specified in Request"],
    [
      "&version-id-marker=null",
      "version-id-marker",
      "null",
      "A version-id marker cannot be specified without a key marker.",
    ],
    ["&key-marker=a&version-id-marker=x", "version-id-marker", "x", "Invalid version id specified"],
  ])("refuses %s", async (query, name, value, message) => {
    await expectS3Error(await send("GET", `/${await freshBucket()}?versions${query}`), {
      status: 400,
      code: "InvalidArgument",
      message,
      fields: { ArgumentName: name, ArgumentValue: value },
    });
  });

  it("returns no version in the other listings", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "a", "1");
    await putVersion(bucket, "a", "22");
    await putVersion(bucket, "gone/k", "1");
    await deleteKey(bucket, "gone/k");
    const root = readXml(await (await send("GET", `/${bucket}?delimiter=/`)).text());
    expect(childrenOf(root, "Contents").map((entry) => [textOf(entry, "Key"), textOf(entry, "Size")])).toEqual([
      ["a", "2"],
    ]);
    expect(childrenOf(root, "CommonPrefixes")).toEqual([]);
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await send("GET", `/${missing}?versions`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    await expectS3Error(await deliver(anonymous("GET", `/${await freshBucket()}?versions`)), {
      status: 403,
      code: "AccessDenied",
    });
  });
});
