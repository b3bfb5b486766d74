import { describe, expect, it } from "vitest";

import { textsOf, untar, unzip } from "../support/archives.ts";
import { anonymous, deliver, send, type SendOptions } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { freshUser } from "../support/users.ts";
import { deleteKey, putVersion, versionedBucket } from "../support/versioning.ts";

interface Listed {
  readonly key: string;
  readonly versionId?: string;
}

function listOf(entries: readonly (Listed | string)[], root = "Archive"): string {
  const objects = entries.map((entry) => {
    const { key, versionId } = typeof entry === "string" ? { key: entry, versionId: undefined } : entry;
    const version = versionId === undefined ? "" : `<VersionId>${versionId}</VersionId>`;
    return `<Object><Key>${key.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</Key>${version}</Object>`;
  });
  return `<${root}>${objects.join("")}</${root}>`;
}

const ask = (bucket: string, entries: readonly (Listed | string)[], options: SendOptions = {}, query = "zip") =>
  send("POST", `/${bucket}?${query}`, { body: listOf(entries), ...options });

describe("GetObjectsArchive", () => {
  it("contains the listed keys, in the order of the list, once each", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", "b&<": "2", c: "3" });
    const response = await ask(bucket, ["c", "b&<", "c"]);
    expect(response.headers.get("content-disposition")).toBe(`attachment; filename="${bucket}.zip"`);
    expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 0, blobCalls: 2 });
    const bytes = await response.bytes();
    expect(response.headers.get("content-length")).toBe(String(bytes.length));
    expect(unzip(bytes).map(({ name }) => name)).toEqual(["c", "b&<"]);
    const tar = await ask(bucket, ["a"], {}, "tar");
    expect(textsOf(untar(await tar.bytes()))).toEqual({ a: "1" });
  });

  it("accepts the list of a DeleteObjects request", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1" });
    const response = await send("POST", `/${bucket}?zip`, { body: listOf(["a"], "Delete") });
    expect(textsOf(unzip(await response.bytes()))).toEqual({ a: "1" });
  });

  it("contains several versions of a key under distinct names", async () => {
    const bucket = await versionedBucket();
    const first = await putVersion(bucket, "k.txt", "1");
    const second = await putVersion(bucket, "k.txt", "2");
    await putVersion(bucket, "k.txt", "3");
    const response = await ask(bucket, [
      "k.txt",
      { key: "k.txt", versionId: first },
      { key: "k.txt", versionId: second },
    ]);
    expect(textsOf(unzip(await response.bytes()))).toEqual({ "k.txt": "3", "k~2.txt": "1", "k~3.txt": "2" });
  });

  it("contains the null version", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "1" });
    const response = await ask(bucket, [{ key: "k", versionId: "null" }]);
    expect(textsOf(unzip(await response.bytes()))).toEqual({ k: "1" });
  });

  it("returns 404 and names a key or version that does not exist", async () => {
    const bucket = await versionedBucket();
    const id = await putVersion(bucket, "k", "1");
    await expectS3Error(await ask(bucket, ["k", "gone"]), {
      status: 404,
      code: "NoSuchKey",
      fields: { Key: "gone" },
    });
    const other = { key: "other", versionId: id };
    await expectS3Error(await ask(bucket, ["k", other]), {
      status: 404,
      code: "NoSuchVersion",
      fields: { Key: "other", VersionId: id },
    });
    await deleteKey(bucket, "k");
    await expectS3Error(await ask(bucket, ["k"]), { status: 404, code: "NoSuchKey", fields: { Key: "k" } });
  });

  it("returns 403 instead of 404 to a caller who may not list, and for each key that may not be read", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "open/a": "1", closed: "2" });
    const { credentials } = await freshUser({
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${bucket}/open/*`,
    });
    expect(textsOf(unzip(await (await ask(bucket, ["open/a"], { credentials })).bytes()))).toEqual({ "open/a": "1" });
    await expectS3Error(await ask(bucket, ["open/a", "closed"], { credentials }), {
      status: 403,
      code: "AccessDenied",
      fields: { Key: "closed" },
    });
    await expectS3Error(await ask(bucket, ["open/missing"], { credentials }), { status: 403, code: "AccessDenied" });
    expect((await ask(bucket, [{ key: "open/a", versionId: "null" }], { credentials })).status).toBe(403);
  });

  it("is readable anonymously where the object's own access control list grants it", async () => {
    const bucket = freshBucketName();
    const ownership = { "x-amz-object-ownership": "ObjectWriter" };
    expect((await send("PUT", `/${bucket}`, { headers: ownership })).status).toBe(200);
    await send("DELETE", `/${bucket}?publicAccessBlock`);
    const put = await send("PUT", `/${bucket}/open`, { body: "1", headers: { "x-amz-acl": "public-read" } });
    expect(put.status, await put.text()).toBe(200);
    await putAll(bucket, { closed: "2" });
    const askAnonymously = async (...keys: readonly string[]) =>
      deliver(anonymous("POST", `/${bucket}?zip`, { body: listOf(keys) }));
    expect(textsOf(unzip(await (await askAnonymously("open")).bytes()))).toEqual({ open: "1" });
    expect((await askAnonymously("open", "closed")).status).toBe(403);
  });

  it("returns 403 before it reads a list that no policy can allow", async () => {
    const bucket = await freshBucket();
    const request = anonymous("POST", `/${bucket}?zip`, { body: "no XML" });
    expect((await deliver(request)).status).toBe(403);
  });

  it.each([
    ["no XML", "zip it"],
    ["no object", "<Archive/>"],
    ["no key", "<Archive><Object/></Archive>"],
    ["an empty key", "<Archive><Object><Key/></Object></Archive>"],
    ["two keys in one object", "<Archive><Object><Key>a</Key><Key>b</Key></Object></Archive>"],
    ["another element", "<Archive><Object><Key>a</Key></Object><Prefix>b</Prefix></Archive>"],
    ["10,001 objects", listOf(Array.from({ length: 10_001 }, (_, index) => String(index)))],
  ])("returns 400 MalformedXML for %s", async (_case, body) => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1" });
    await expectS3Error(await send("POST", `/${bucket}?zip`, { body }), { status: 400, code: "MalformedXML" });
  });

  it("returns 400 for a prefix beside a list, a copy source and a wrong digest", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1" });
    await expectS3Error(await ask(bucket, ["a"], {}, "zip&prefix=a"), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "prefix", ArgumentValue: "a" },
    });
    const copy = await ask(bucket, ["a"], { headers: { "x-amz-copy-source": "/b/k" } });
    expect(copy.status).toBe(400);
    const digest = await ask(bucket, ["a"], { headers: { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" } });
    await expectS3Error(digest, {
      status: 400,
      code: "BadDigest",
      fields: { ExpectedDigest: expect.any(String), CalculatedDigest: expect.any(String) },
    });
  });

  it("returns 400 for more keys than the setting allows", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2" });
    const response = await send("POST", `/${bucket}?zip`, { body: listOf(["a", "b"]) }, { ARCHIVE_MAX_READS: "1" });
    await expectS3Error(response, { status: 400, code: "InvalidRequest", fields: { MaxReadsAllowed: "1" } });
  });
});
