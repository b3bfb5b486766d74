import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { readCentralDirectory, textsOf, untar, unzip, type UnpackedMember } from "../support/archives.ts";
import { anonymous, deliver, presigned, send, type RequestScope } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { r2With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { largePart, uploadInParts } from "../support/multipart.ts";
import { policyText, publicReadPolicy, putPolicy } from "../support/policies.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { IN_STORE } from "../support/inline.ts";
import { freshUser } from "../support/users.ts";

const READERS = { zip: unzip, tar: untar } as const;
const TYPES = { zip: "application/zip", tar: "application/x-tar" } as const;
type Format = keyof typeof READERS;
const FORMATS = ["zip", "tar"] as const;

async function unpack(response: Response, format: Format): Promise<UnpackedMember[]> {
  expect(response.status).toBe(200);
  const bytes = await response.bytes();
  expect(response.headers.get("content-length")).toBe(String(bytes.length));
  return READERS[format](bytes);
}

async function archiveOf(bucket: string, format: Format, query = "", scope: RequestScope = {}) {
  return textsOf(await unpack(await send("GET", `/${bucket}?${format}${query}`, {}, scope), format));
}

/** Compares bytes of which there are too many to show. */
function isSame(found: Uint8Array | undefined, expected: Uint8Array): boolean {
  return found !== undefined && Buffer.from(found).equals(expected);
}

/** Allows an action of everyone on a resource. */
const everyone = (Action: string, Resource: string) => ({ Effect: "Allow", Principal: "*", Action, Resource });

const OBJECTS = { "a.txt": "first", "dir/ü \u{1f600}": "second", "dir/sub/c": "third", empty: "", "e/": "" };

describe.each(FORMATS)("GetBucketArchive ?%s", (format) => {
  it("contains every object of the bucket, with its time", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, OBJECTS);
    const response = await send("GET", `/${bucket}?${format}`);
    expect(response.headers.get("content-type")).toBe(TYPES[format]);
    expect(response.headers.get("content-disposition")).toBe(`attachment; filename="${bucket}.${format}"`);
    expect(response.headers.get("cache-control")).toContain("no-transform");
    const members = await unpack(response, format);
    expect(textsOf(members)).toEqual(OBJECTS);
    const head = await send("HEAD", `/${bucket}/a.txt`);
    const member = members.find(({ name }) => name === "a.txt");
    expect(member?.modifiedAt).toBe(Date.parse(head.headers.get("last-modified") ?? ""));
  });

  it("returns to HEAD the headers of GET without a body", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, OBJECTS);
    const [get, head] = [await send("GET", `/${bucket}?${format}`), await send("HEAD", `/${bucket}?${format}`)];
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(costOf(head).blobCalls).toBe(0);
    for (const name of ["content-length", "content-type", "content-disposition", "etag", "accept-ranges"]) {
      expect(head.headers.get(name)).toBe(get.headers.get(name));
    }
    await get.body?.cancel();
  });

  it("contains only the keys with the prefix, and is named after it", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { ...OBJECTS, dir: "no", "dis/x": "no" });
    const response = await send("GET", `/${bucket}?${format}&prefix=dir/`);
    expect(response.headers.get("content-disposition")).toBe(`attachment; filename="dir.${format}"`);
    expect(textsOf(await unpack(response, format))).toEqual({
      "dir/ü \u{1f600}": "second",
      "dir/sub/c": "third",
    });
    const named = await send("GET", `/${bucket}?${format}&prefix=${encodeURIComponent("dir/ü \u{1f600}")}`);
    expect(named.headers.get("content-disposition")).toBe(
      `attachment; filename="_ _.${format}"; filename*=UTF-8''%C3%BC%20%F0%9F%98%80.${format}`,
    );
    await named.body?.cancel();
  });

  it("is empty where no key has the prefix", async () => {
    expect(await archiveOf(await freshBucket(), format)).toEqual({});
  });

  it("gives unsafe and colliding keys safe and distinct names", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "../up": "1", "a\\b": "2", a_b: "3", "C:/x": "4", f: "5", "f/g": "6" });
    expect(await archiveOf(bucket, format)).toEqual({
      "__/up": "1",
      "a_b~2": "2",
      a_b: "3",
      "C_/x": "4",
      "f~2": "5",
      "f/g": "6",
    });
  });

  it("contains the bytes of multipart objects, whole", async () => {
    const bucket = await freshBucket();
    const parts = [largePart(1), largePart(2, 11), new Uint8Array([1, 2, 3])];
    await uploadInParts(bucket, "parts", parts);
    await putAll(bucket, { small: "text" });
    const members = await unpack(await send("GET", `/${bucket}?${format}`), format);
    const expected = await new Blob(parts).bytes();
    expect(members.map(({ name }) => name)).toEqual(["parts", "small"]);
    expect(isSame(members[0]?.bytes, expected)).toBe(true);
  });

  it("returns 403 and names the key if one member may not be read", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { open: "1", "secret/k": "2" });
    const user = await freshUser(
      { Effect: "Allow", Action: "s3:*", Resource: "*" },
      { Effect: "Deny", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/secret/*` },
    );
    const { credentials } = user;
    const refused = await send("GET", `/${bucket}?${format}`, { credentials });
    await expectS3Error(refused, { status: 403, code: "AccessDenied", fields: { Key: "secret/k" } });
    const allowed = await send("GET", `/${bucket}?${format}&prefix=open`, { credentials });
    expect(textsOf(await unpack(allowed, format))).toEqual({ open: "1" });
  });

  it("obeys conditions on tags of each member, and on the prefix", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/p/red`, { body: "1", headers: { "x-amz-tagging": "colour=red" } });
    await putAll(bucket, { "q/other": "2" });
    const list = { Effect: "Allow", Action: "s3:ListBucket", Resource: `arn:aws:s3:::${bucket}` };
    const get = { Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/*` };
    const { credentials } = await freshUser(
      { ...list, Condition: { StringLike: { "s3:prefix": ["p/*", "q/*"] } } },
      { ...get, Condition: { StringEquals: { "s3:ExistingObjectTag/colour": "red" } } },
    );
    const statusOf = async (query: string) =>
      (await send("GET", `/${bucket}?${format}${query}`, { credentials })).status;
    expect(await statusOf("&prefix=p/")).toBe(200);
    expect(await statusOf("&prefix=q/")).toBe(403);
    expect(await statusOf("")).toBe(403);
  });

  it("is refused by a Deny of s3:GetBucketArchive", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "1" });
    const { credentials } = await freshUser(
      { Effect: "Allow", Action: "s3:*", Resource: "*" },
      { Effect: "Deny", Action: "s3:GetBucketArchive", Resource: `arn:aws:s3:::${bucket}` },
    );
    expect((await send("GET", `/${bucket}?${format}`, { credentials })).status).toBe(403);
    const body = "<Archive><Object><Key>k</Key></Object></Archive>";
    expect((await send("POST", `/${bucket}?${format}`, { credentials, body })).status).toBe(403);
  });

  it("is downloaded by a presigned link, and anonymously where the policy allows listing and reading", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "text" });
    const link = await presigned("GET", `/${bucket}?${format}&prefix=k`);
    expect(textsOf(await unpack(await deliver(link), format))).toEqual({ k: "text" });
    const ask = async () => deliver(anonymous("GET", `/${bucket}?${format}`));
    expect((await ask()).status).toBe(403);
    expect((await putPolicy(bucket, publicReadPolicy(bucket))).status).toBe(204);
    expect((await ask()).status).toBe(403);
    const arn = `arn:aws:s3:::${bucket}`;
    const policy = policyText(everyone("s3:GetObject", `${arn}/*`), everyone("s3:ListBucket", arn));
    expect((await putPolicy(bucket, policy)).status).toBe(204);
    expect(textsOf(await unpack(await ask(), format))).toEqual({ k: "text" });
    const overridden = anonymous("GET", `/${bucket}?${format}&response-content-type=text/html`);
    await expectS3Error(await deliver(overridden), { status: 400, code: "InvalidRequest" });
  });

  it("returns 304 and 412 by its ETag, which changes with its members", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "text" });
    const etag = (await send("GET", `/${bucket}?${format}`)).headers.get("etag") ?? "";
    expect(etag).toMatch(new RegExp(`^"[0-9a-f]{32}-${format}"$`));
    const ask = async (headers: Readonly<Record<string, string>>) =>
      (await send("GET", `/${bucket}?${format}`, { headers })).status;
    expect(await ask({ "if-none-match": etag })).toBe(304);
    expect(await ask({ "if-match": etag })).toBe(200);
    await putAll(bucket, { other: "text" });
    expect(await ask({ "if-none-match": etag })).toBe(200);
    expect(await ask({ "if-match": etag })).toBe(412);
  });

  it.each(["delimiter=/", "max-keys=1", "marker=a", "start-after=a", "continuation-token=a", "encoding-type=url"])(
    "returns 400 for %s, which it cannot obey",
    async (query) => {
      const [argument = "", value = ""] = query.split("=");
      await expectS3Error(await send("GET", `/${await freshBucket()}?${format}&${query}`), {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: argument, ArgumentValue: value },
      });
    },
  );

  it("returns 400 for two formats, a listing and a version id", async () => {
    const bucket = await freshBucket();
    for (const query of ["zip&tar", `${format}&list-type=2`, `${format}&versionId=null`]) {
      const response = await send("GET", `/${bucket}?${query}`);
      expect([query, response.status]).toEqual([query, 400]);
    }
  });

  it("returns 400 if a customer's key encrypts a member, or is sent", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1" });
    const headers = keyHeaders(customerKey(1));
    await expectS3Error(await send("GET", `/${bucket}?${format}`, { headers, endpoint: "https://localhost" }), {
      status: 400,
      code: "InvalidRequest",
    });
    expect((await send("PUT", `/${bucket}/sealed`, { body: "2", headers, endpoint: "https://localhost" })).status).toBe(
      200,
    );
    await expectS3Error(await send("GET", `/${bucket}?${format}`), {
      status: 400,
      code: "InvalidRequest",
      fields: { Key: "sealed" },
    });
  });

  it("returns 400 for more objects, or parts, than the setting allows", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2", c: "" });
    const allowed = { ARCHIVE_MAX_READS: "3" };
    expect(await archiveOf(bucket, format, "", allowed)).toEqual({ a: "1", b: "2", c: "" });
    const error = { status: 400, code: "InvalidRequest" };
    const fewer = { ARCHIVE_MAX_READS: "2" };
    await expectS3Error(await send("GET", `/${bucket}?${format}`, {}, fewer), {
      ...error,
      fields: { MaxReadsAllowed: "2" },
    });
    await uploadInParts(bucket, "d", [largePart(1), "end"]);
    await expectS3Error(await send("GET", `/${bucket}?${format}`, {}, { ARCHIVE_MAX_READS: "4" }), {
      ...error,
      fields: { MaxReadsAllowed: "4" },
    });
    expect((await send("GET", `/${bucket}?${format}`, {}, { ARCHIVE_MAX_READS: "5" })).status).toBe(200);
  });

  it("costs two round trips and one read per object, and counts the reads before the first byte", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2", c: "" }, IN_STORE);
    const response = await send("GET", `/${bucket}?${format}`);
    expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 2 });
    await response.body?.cancel();
  });

  it("contains no part of an object that is overwritten while it is sent", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "old-a", b: "old-b" }, IN_STORE);
    let isOverwritten = false;
    const BLOBS = r2With({
      async get(key, options) {
        if (!isOverwritten) {
          isOverwritten = true;
          await putAll(bucket, { a: "new-a", b: "new-b", c: "new-c" });
          await send("DELETE", `/${bucket}/a`);
        }
        return env.BLOBS.get(key, options);
      },
    });
    expect(await archiveOf(bucket, format, "", { BLOBS })).toEqual({ a: "old-a", b: "old-b" });
    expect(isOverwritten).toBe(true);
  });

  it.each([
    ["is missing", async () => null],
    [
      "cannot be read",
      async () => {
        throw new Error("get: We encountered an internal error. Please try again. (10001)");
      },
    ],
  ])("breaks off if a member %s", async (_case, fail) => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1".repeat(100_000), b: "2" }, IN_STORE);
    let gets = 0;
    const BLOBS = r2With({
      get: async (key, options) => {
        gets += 1;
        return gets === 1 ? env.BLOBS.get(key, options) : fail();
      },
    });
    const response = await send("GET", `/${bucket}?${format}`, {}, { BLOBS });
    expect(response.status).toBe(200);
    await expect(response.bytes()).rejects.toThrow();
  });
});

describe("GetBucketArchive ?zip", () => {
  it("has no data descriptor for an object whose CRC-32 is stored", async () => {
    const bucket = await freshBucket();
    const headers = { "x-amz-sdk-checksum-algorithm": "CRC32", "x-amz-checksum-crc32": "esYeAg==" };
    const put = await send("PUT", `/${bucket}/known`, { body: "known", headers });
    expect(put.status, await put.text()).toBe(200);
    await putAll(bucket, { unknown: "unknown" });
    const bytes = await (await send("GET", `/${bucket}?zip`)).bytes();
    expect(textsOf(unzip(bytes))).toEqual({ known: "known", unknown: "unknown" });
    expect(readCentralDirectory(bytes).map(({ name, flags }) => [name, flags & 8])).toEqual([
      ["known", 0],
      ["unknown", 8],
    ]);
  });

  it("ignores a range, which depends on the contents before it", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "text" });
    const response = await send("GET", `/${bucket}?zip`, { headers: { range: "bytes=0-9" } });
    expect(response.headers.get("accept-ranges")).toBe("none");
    expect(textsOf(await unpack(response, "zip"))).toEqual({ k: "text" });
  });
});

describe("GetBucketArchive ?tar", () => {
  it("serves ranges of the same bytes, which If-Range continues", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { ü: "x".repeat(1500), empty: "", z: "end" });
    await uploadInParts(bucket, "parts", [largePart(1), "end"]);
    const whole = await send("GET", `/${bucket}?tar`);
    const etag = whole.headers.get("etag") ?? "";
    const bytes = await whole.bytes();
    for (const [first, last] of [
      [0, 0],
      [500, 3000],
      [5_242_000, 5_246_000],
      [bytes.length - 1, bytes.length - 1],
    ] as const) {
      const headers = { range: `bytes=${first}-${last}`, "if-range": etag };
      const response = await send("GET", `/${bucket}?tar`, { headers });
      expect(response.status).toBe(206);
      expect(response.headers.get("content-range")).toBe(`bytes ${first}-${last}/${bytes.length}`);
      expect(isSame(await response.bytes(), bytes.slice(first, last + 1))).toBe(true);
    }
    await putAll(bucket, { z: "END" });
    const changed = await send("GET", `/${bucket}?tar`, { headers: { range: "bytes=0-9", "if-range": etag } });
    expect(changed.status).toBe(200);
    await changed.body?.cancel();
    const beyond = await send("GET", `/${bucket}?tar`, { headers: { range: `bytes=${bytes.length}-` } });
    expect(beyond.status).toBe(416);
  });
});
