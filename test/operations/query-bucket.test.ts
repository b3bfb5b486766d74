import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { found, queryPage, queryPages, queryTarget } from "../support/queries.ts";
import { childrenOf, textOf } from "../support/read-xml.ts";
import { deleteKey, putVersion, versionedBucket } from "../support/versioning.ts";

async function put(bucket: string, key: string, body: string, headers: Record<string, string> = {}): Promise<void> {
  const response = await send("PUT", `/${bucket}/${encodeURIComponent(key)}`, { body, headers });
  expect(response.status).toBe(200);
}

describe("QueryBucket by", () => {
  let bucket = "";
  beforeAll(async () => {
    bucket = await freshBucket();
    await put(bucket, "logs/2026-01.txt", "1234567890", { "content-type": "Text/Plain; charset=utf-8" });
    await put(bucket, "logs/2026-02.csv", "123", { "content-type": "text/csv", "x-amz-storage-class": "STANDARD_IA" });
    await put(bucket, "photos/älter*.jpg", "12345", {
      "content-type": "image/jpeg",
      "x-amz-tagging": "team=red&Stage=a%2Fb",
      "x-amz-meta-tenant-id": 'q"1',
    });
    await put(bucket, "photos/b.jpg", "", { "content-type": "image/png", "x-amz-tagging": "team=blue" });
    await put(bucket, "plain", "1", { "x-amz-meta-tenant-id": "q", "x-amz-meta-sha": "abc" });
  });

  it.each<[Readonly<Record<string, string>>, readonly string[]]>([
    [{ prefix: "logs/" }, ["logs/2026-01.txt", "logs/2026-02.csv"]],
    [{ suffix: ".jpg" }, ["photos/b.jpg", "photos/älter*.jpg"]],
    [{ suffix: "photos/b.jpg" }, ["photos/b.jpg"]],
    [{ suffix: "a-longer-text-than-photos/b.jpg" }, []],
    [{ contains: "2026" }, ["logs/2026-01.txt", "logs/2026-02.csv"]],
    [{ contains: "jp", suffix: "t" }, []],
    [{ contains: "älter" }, ["photos/älter*.jpg"]],
    [{ contains: "%" }, []],
    [{ glob: "logs/2026-0?.*" }, ["logs/2026-01.txt", "logs/2026-02.csv"]],
    [{ glob: "*/?.jpg" }, ["photos/b.jpg"]],
    [{ glob: "photos/?lter?.jpg" }, ["photos/älter*.jpg"]],
    [{ glob: "PLAIN" }, []],
    [{ glob: "plain" }, ["plain"]],
    [{ glob: "[p]lain" }, []],
    [{ glob: "photos/*", prefix: "logs/" }, []],
    [{ "tag.team": "red" }, ["photos/älter*.jpg"]],
    [{ "tag.team": "red", "tag.Stage": "a/b" }, ["photos/älter*.jpg"]],
    [{ "tag.stage": "a/b" }, []],
    [{ "tag.team": "re" }, []],
    [{ "meta.tenant-id": 'q"1' }, ["photos/älter*.jpg"]],
    [{ "meta.Tenant-ID": "q", "meta.sha": "abc" }, ["plain"]],
    [{ "meta.sha": "" }, []],
    [{ "min-size": "5", "max-size": "5" }, ["photos/älter*.jpg"]],
    [{ "max-size": "0" }, ["photos/b.jpg"]],
    [{ "content-type": "text/plain" }, ["logs/2026-01.txt"]],
    [{ "content-type": "image/*" }, ["photos/b.jpg", "photos/älter*.jpg"]],
    [{ "content-type": "TEXT/*", "min-size": "4" }, ["logs/2026-01.txt"]],
    [{ "content-type": "binary/octet-stream" }, ["plain"]],
    [{ "content-type": "text/pl" }, []],
    [{ "storage-class": "STANDARD_IA" }, ["logs/2026-02.csv"]],
    [{ "storage-class": "GLACIER" }, []],
    [{ "modified-after": "2100-01-01T00:00:00Z" }, []],
    [{ "modified-before": "2001-01-01T00:00:00.5Z" }, []],
    [{ "modified-after": "2001-01-01T00:00:00Z", prefix: "plain" }, ["plain"]],
  ])("%j finds the objects that meet every condition", async (parameters, expected) => {
    expect(await found(bucket, parameters)).toEqual(expected);
    // Pages of one object add up to the same.
    const pages = await queryPages(bucket, { ...parameters, "max-keys": "1" });
    expect(pages.flatMap(({ keys }) => keys)).toEqual(expected);
  });

  it("nothing returns every object like ListObjectsV2", async () => {
    const { contents, root } = await queryPage(bucket);
    expect(textOf(root, "Name")).toBe(bucket);
    const listed = await send("GET", `/${bucket}?list-type=2`);
    const text = await listed.text();
    for (const entry of contents) {
      for (const name of ["Key", "LastModified", "ETag", "Size", "StorageClass"]) {
        expect(text).toContain(`<${name}>`);
        expect(textOf(entry, name)).toBeDefined();
      }
      expect(childrenOf(entry, "TagSet")).toEqual([]);
      expect(childrenOf(entry, "UserMetadata")).toEqual([]);
    }
    expect(contents).toHaveLength(5);
  });

  it("the time of a modification: from modified-after on, before modified-before", async () => {
    await env.DB.prepare(
      "UPDATE objects SET modified_at = 1000 WHERE bucket_id = (SELECT id FROM buckets WHERE name = ?) AND key = 'plain'",
    )
      .bind(bucket)
      .run();
    const at = "1970-01-01T00:00:01Z";
    expect(await found(bucket, { "modified-after": at, "modified-before": "1970-01-01T00:00:01.001Z" })).toEqual([
      "plain",
    ]);
    expect(await found(bucket, { "modified-before": at })).toEqual([]);
  });

  it("anything, with tags, content type and user metadata on request", async () => {
    const {
      contents: [entry],
    } = await queryPage(bucket, { contains: "lter", include: "tags,metadata" });
    if (entry === undefined) throw new Error("nothing found");
    expect(textOf(entry, "ContentType")).toBe("image/jpeg");
    const [set] = childrenOf(entry, "TagSet");
    expect(set?.children.map((tag) => [textOf(tag, "Key"), textOf(tag, "Value")])).toEqual([
      ["team", "red"],
      ["Stage", "a/b"],
    ]);
    const [metadata] = childrenOf(entry, "UserMetadata");
    expect(metadata?.children.map((one) => [textOf(one, "Name"), textOf(one, "Value")])).toEqual([
      ["tenant-id", 'q"1'],
    ]);
  });
});

describe("QueryBucket", () => {
  it("finds only current versions, and sees each write at once", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "1");
    await putVersion(bucket, "k", "123");
    await putVersion(bucket, "gone", "1");
    await deleteKey(bucket, "gone");
    expect(await found(bucket, { "max-size": "1" })).toEqual([]);
    expect(await found(bucket, { "min-size": "3" })).toEqual(["k"]);
    await deleteKey(bucket, "k");
    expect(await found(bucket, {})).toEqual([]);
  });

  it("matches no metadata of an object under a customer's key, which HEAD does not return either", async () => {
    const bucket = await freshBucket();
    await put(bucket, "sealed", "1", { ...keyHeaders(customerKey(7)), "x-amz-meta-a": "1" });
    expect(await found(bucket, { "meta.a": "1" })).toEqual([]);
    const { contents } = await queryPage(bucket, { include: "metadata" });
    expect(contents.map((entry) => childrenOf(entry, "UserMetadata").length)).toEqual([0]);
  });

  it("encodes keys on request", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "a b+c": "1" });
    expect((await queryPage(bucket, { "encoding-type": "url" })).keys).toEqual(["a%20b%2Bc"]);
  });

  it("returns no page for max-keys=0", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1" });
    expect(await queryPage(bucket, { "max-keys": "0" })).toMatchObject({ keys: [], nextToken: undefined });
  });

  it("refuses a bucket that does not exist, and anonymous requests", async () => {
    const bucket = freshBucketName();
    await expectS3Error(await send("GET", `/${bucket}?query`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: bucket },
    });
    await expectS3Error(await deliver(anonymous("GET", `/${await freshBucket()}?query`)), {
      status: 403,
      code: "AccessDenied",
    });
  });

  it.each<[Readonly<Record<string, string>>, string]>([
    [{ sufix: "x" }, "sufix"],
    [{ delimiter: "/" }, "delimiter"],
    [{ "tag.": "x" }, "tag."],
    [{ "meta.": "x" }, "meta."],
    [{ "meta.a b": "x" }, "meta.a b"],
    [{ "meta.a": "x", "meta.A": "x" }, "meta.A"],
    [{ glob: "" }, "glob"],
    [{ glob: "*".repeat(257) }, "glob"],
    [{ prefix: "p".repeat(1025) }, "prefix"],
    [{ contains: "p".repeat(1025) }, "contains"],
    [{ "min-size": "" }, "min-size"],
    [{ "min-size": "-1" }, "min-size"],
    [{ "max-size": "1e3" }, "max-size"],
    [{ "max-size": "99999999999999999" }, "max-size"],
    [{ "min-size": "9", "max-size": "8" }, "max-size"],
    [{ "modified-after": "yesterday" }, "modified-after"],
    [{ "modified-before": "2026-02-30T00:00:00Z" }, "modified-before"],
    [{ "modified-after": "2026-01-01T00:00:00Z", "modified-before": "2026-01-01T00:00:00Z" }, "modified-before"],
    [{ "content-type": "image" }, "content-type"],
    [{ "content-type": "*/*" }, "content-type"],
    [{ "content-type": "text/plain; charset=utf-8" }, "content-type"],
    [{ "storage-class": "standard" }, "storage-class"],
    [{ include: "" }, "include"],
    [{ include: "tags,tags" }, "include"],
    [{ include: "acl" }, "include"],
    [{ index: "optional" }, "index"],
    [{ "max-keys": "-1" }, "max-keys"],
    [{ "encoding-type": "base64" }, "encoding-type"],
    [{ "continuation-token": "garbled" }, "continuation-token"],
    [Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`tag.${index}`, ""])), "tag.10"],
  ])("refuses %j", async (parameters, argument) => {
    const bucket = await freshBucket();
    const response = await send("GET", queryTarget(bucket, parameters));
    const text = await response.clone().text();
    expect(text).toContain(`<ArgumentName>${argument}</ArgumentName>`);
    await expectS3Error(response, {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: argument, ArgumentValue: parameters[argument] ?? "" },
    });
  });

  it("refuses the token of another query", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "1" });
    const { nextToken = "" } = await queryPage(bucket, { "max-keys": "1", "min-size": "1" });
    const response = await send("GET", queryTarget(bucket, { "min-size": "2", "continuation-token": nextToken }));
    await expectS3Error(response, {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "continuation-token", ArgumentValue: nextToken },
    });
  });
});
