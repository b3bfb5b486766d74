import { deflateRawSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { crc32Of } from "../support/archives.ts";
import { anonymous, deliver, presigned, send, type RequestScope } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { noise } from "../support/digests.ts";
import { IN_STORE } from "../support/inline.ts";
import { largePart, uploadInParts } from "../support/multipart.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";
import { freshUser } from "../support/users.ts";
import { putVersion, versionedBucket } from "../support/versioning.ts";
import { buildZip, type BuiltMember, type BuiltZip } from "../support/zip-builder.ts";

const TEXT = "some text that repeats, repeats, repeats, repeats\n".repeat(40);

async function storedZip(zip: BuiltZip | Uint8Array, scope: RequestScope = {}): Promise<string> {
  const bucket = await freshBucket();
  const put = await send("PUT", `/${bucket}/a.zip`, { body: zip instanceof Uint8Array ? zip : buildZip(zip) }, scope);
  expect(put.status).toBe(200);
  return `/${bucket}/a.zip`;
}

const ask = (path: string, member: string, headers: Readonly<Record<string, string>> = {}) =>
  send("GET", `${path}?zip-member=${encodeURIComponent(member)}`, { headers });

const MEMBERS: readonly BuiltMember[] = [
  { name: "stored.txt", content: TEXT },
  { name: "dir/deflated.html", content: TEXT, isDeflated: true },
  { name: "ü \u{1f600}.bin", content: "name" },
  { name: "wide.json", content: "{}", isZip64: true },
  { name: "dir/", content: "" },
  { name: "empty", content: "", isDeflated: true },
];

describe.each([
  ["with 32-bit records", { members: MEMBERS }],
  [
    "with Zip64 records and a comment",
    { members: MEMBERS, isZip64: true, comment: "PK\u0005\u0006 in a comment".repeat(50) },
  ],
])("GetZipMember of a ZIP %s", (_case, zip) => {
  it.each([
    ["stored.txt", TEXT, "text/plain; charset=utf-8", "bytes"],
    ["dir/deflated.html", TEXT, "text/html; charset=utf-8", "none"],
    ["ü \u{1f600}.bin", "name", "application/octet-stream", "bytes"],
    ["wide.json", "{}", "application/json", "bytes"],
    ["dir/", "", "application/octet-stream", "bytes"],
    ["empty", "", "application/octet-stream", "none"],
  ])("returns %j", async (name, content, type, ranges) => {
    const response = await ask(await storedZip(zip), name);
    const text = await response.text();
    expect([response.status, text]).toEqual([200, content]);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("accept-ranges")).toBe(ranges);
    expect(response.headers.get("x-cache")).toBe(content === "" ? null : "BYPASS");
    expect(response.headers.get("content-length")).toBe(String(new TextEncoder().encode(content).length));
    expect(response.headers.get("last-modified")).not.toBeNull();
    expect(response.headers.get("etag")).toMatch(/^"[0-9a-f]{32}-member"$/);
  });
});

describe("GetZipMember", () => {
  it("reads large members, deflated and stored, of a multipart object without the rest", async () => {
    const large = noise(3_000_000, 7);
    const zip = buildZip({
      members: [
        { name: "padding", content: largePart(3) },
        { name: "stored", content: large },
        { name: "deflated", content: large, isDeflated: true },
        { name: "zeros", content: new Uint8Array(5_000_000), isDeflated: true },
      ],
    });
    const bucket = await freshBucket();
    const half = 5 * 1024 * 1024 + 1_000_000;
    await uploadInParts(bucket, "a.zip", [zip.slice(0, half), zip.slice(half)]);
    for (const [name, content] of [
      ["stored", large],
      ["deflated", large],
      ["zeros", new Uint8Array(5_000_000)],
    ] as const) {
      const response = await ask(`/${bucket}/a.zip`, name);
      expect(costOf(response).roundTrips).toBe(1);
      expect(Buffer.from(await response.bytes()).equals(content)).toBe(true);
    }
  });

  it("costs one round trip and three reads for a small archive", async () => {
    const response = await ask(await storedZip({ members: MEMBERS }, IN_STORE), "stored.txt");
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 3 });
    await response.body?.cancel();
  });

  it("serves ranges of a stored member, and ignores those of a deflated one", async () => {
    const path = await storedZip({ members: MEMBERS });
    const part = await ask(path, "stored.txt", { range: "bytes=5-8" });
    expect([part.status, await part.text()]).toEqual([206, TEXT.slice(5, 9)]);
    expect(part.headers.get("content-range")).toBe(`bytes 5-8/${TEXT.length}`);
    const end = await ask(path, "stored.txt", { range: "bytes=-3", "if-range": part.headers.get("etag") ?? "" });
    expect([end.status, await end.text()]).toEqual([206, TEXT.slice(-3)]);
    const other = await ask(path, "stored.txt", { range: "bytes=-3", "if-range": '"other"' });
    expect([other.status, await other.text()]).toEqual([200, TEXT]);
    expect((await ask(path, "stored.txt", { range: `bytes=${TEXT.length}-` })).status).toBe(416);
    const whole = await ask(path, "dir/deflated.html", { range: "bytes=5-8" });
    expect([whole.status, await whole.text()]).toEqual([200, TEXT]);
  });

  it("obeys conditions, version ids, snapshots' rules and response overrides", async () => {
    const bucket = await versionedBucket();
    const first = await putVersion(bucket, "a.zip", "");
    const put = await send("PUT", `/${bucket}/a.zip`, { body: buildZip({ members: MEMBERS }) });
    const versionId = put.headers.get("x-amz-version-id") ?? "";
    const found = await send("GET", `/${bucket}/a.zip?zip-member=wide.json&versionId=${versionId}`);
    expect(found.headers.get("x-amz-version-id")).toBe(versionId);
    const etag = found.headers.get("etag") ?? "";
    expect((await ask(`/${bucket}/a.zip`, "wide.json", { "if-none-match": etag })).status).toBe(304);
    expect((await ask(`/${bucket}/a.zip`, "wide.json", { "if-match": '"other"' })).status).toBe(412);
    expect((await ask(`/${bucket}/a.zip`, "stored.txt", { "if-none-match": etag })).status).toBe(200);
    const override = "response-content-disposition=attachment";
    const named = await send("GET", `/${bucket}/a.zip?zip-member=wide.json&${override}`);
    expect(named.headers.get("content-disposition")).toBe("attachment");
    await expectS3Error(await send("GET", `/${bucket}/a.zip?zip-member=wide.json&versionId=${first}`), {
      status: 400,
      code: "InvalidRequest",
    });
  });

  it("needs what GetObject needs, and a customer's key where the object has one", async () => {
    const path = await storedZip({ members: MEMBERS });
    const [, bucket = ""] = path.split("/");
    const { credentials } = await freshUser({
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${bucket}/b`,
    });
    const target = `${path}?zip-member=wide.json`;
    expect((await send("GET", target, { credentials })).status).toBe(403);
    expect((await deliver(anonymous("GET", target))).status).toBe(403);
    expect((await deliver(await presigned("GET", target))).status).toBe(200);
    await putPolicy(bucket, publicReadPolicy(bucket));
    expect((await deliver(anonymous("GET", target))).status).toBe(200);
    const headers = keyHeaders(customerKey(1));
    const endpoint = "https://localhost";
    const body = buildZip({ members: MEMBERS });
    expect((await send("PUT", `/${bucket}/sealed`, { body, headers, endpoint })).status).toBe(200);
    expect((await send("GET", `/${bucket}/sealed?zip-member=wide.json`)).status).toBe(400);
    const opened = await send("GET", `/${bucket}/sealed?zip-member=stored.txt`, { headers, endpoint });
    expect([opened.status, await opened.text()]).toEqual([200, TEXT]);
  });

  it("returns to HEAD the headers of GET without a body", async () => {
    const path = await storedZip({ members: MEMBERS });
    for (const member of ["stored.txt", "dir/deflated.html"]) {
      const target = `${path}?zip-member=${encodeURIComponent(member)}`;
      const [get, head] = [await send("GET", target), await send("HEAD", target)];
      expect([head.status, await head.text()]).toEqual([200, ""]);
      for (const name of ["content-length", "content-type", "etag", "accept-ranges"]) {
        expect(head.headers.get(name)).toBe(get.headers.get(name));
      }
      await get.body?.cancel();
    }
    expect((await send("HEAD", `${path}?zip-member=missing`)).status).toBe(404);
  });

  it("returns 404 for a member or an object that does not exist", async () => {
    const path = await storedZip({ members: MEMBERS });
    await expectS3Error(await ask(path, "missing"), {
      status: 404,
      code: "NoSuchZipMember",
      fields: { Key: "a.zip", Member: "missing" },
    });
    expect((await ask(`${path}.missing`, "a")).status).toBe(404);
  });

  it("returns 400 for an empty name, a part number, two subresources and a write", async () => {
    const path = await storedZip({ members: MEMBERS });
    for (const query of ["zip-member=", "zip-member=a&partNumber=1", "zip-member=a&acl", "zip-member=a&zip-list"]) {
      expect([query, (await send("GET", `${path}?${query}`)).status]).toEqual([query, 400]);
    }
    expect((await send("DELETE", `${path}?zip-member=a`)).status).toBe(405);
    expect((await send("HEAD", path)).status).toBe(200);
  });

  const SPARE = { name: "spare", content: "x".repeat(100) };
  const claim = (lies: BuiltMember["lies"], more: Partial<BuiltMember> = {}): BuiltZip => ({
    members: [{ name: "k", content: TEXT, isDeflated: true, ...more, lies: lies ?? {} }, SPARE],
  });
  const zeros = new Uint8Array(deflateRawSync(new Uint8Array(20_000_000)));

  it.each<[string, BuiltZip | Uint8Array]>([
    ["no ZIP", new TextEncoder().encode("x".repeat(1000))],
    ["an empty object", new Uint8Array()],
    ["a ZIP that was cut off", buildZip({ members: MEMBERS }).slice(0, -30)],
    ["an end record alone that claims entries", { members: [], lies: { entries: 5, size: 500 } }],
    ["a directory beyond the file", { members: MEMBERS, lies: { offset: 1_000_000 } }],
    ["a directory whose offset is wrong", { members: MEMBERS, lies: { offset: 3 } }],
    ["fewer entries than announced", { members: MEMBERS, lies: { entries: 7 } }],
    ["more entries than announced", { members: [...MEMBERS, SPARE], lies: { entries: 2 } }],
    ["several disks", { members: MEMBERS, lies: { disk: 3 } }],
    ["a Zip64 directory beyond every number", { members: MEMBERS, isZip64: true, lies: { offset: 2 ** 60 } }],
    ["a directory larger than 16 MiB", { members: MEMBERS, isZip64: true, lies: { size: 2 ** 35 } }],
    ["a member beyond the file", claim({ offset: 1_000_000 })],
    ["a compressed size beyond the file", claim({ compressedSize: 1_000_000 })],
    ["a compressed size that reaches into the directory", claim({ compressedSize: 500 })],
    ["a size that is too small", claim({ size: TEXT.length - 1 })],
    ["a size that is too large", claim({ size: TEXT.length + 1 })],
    ["a size that DEFLATE cannot reach", claim({ size: 500_000_000 })],
    ["a bomb that claims a small size", claim({ size: 1000, packed: zeros })],
    ["more than 4 GiB", claim({ size: 2 ** 32 + 1, packed: new Uint8Array(4_200_000) }, { isZip64: true })],
    ["another CRC", claim({ crc32: 1 })],
    ["data that is not DEFLATE", claim({ packed: new Uint8Array(100).fill(255) })],
    ["bytes after the DEFLATE data", claim({ packed: new Uint8Array([...deflateRawSync(TEXT), 1, 2, 3]) })],
    ["another name in the local header", claim({ localName: "l" })],
    ["an unknown compression", claim({ method: 14 })],
    ["an encrypted member", claim({ flags: 0x801 })],
    ["a stored member with two sizes", claim({ size: 5 }, { isDeflated: false })],
    ["a stored member with another CRC", claim({ crc32: 1 }, { isDeflated: false })],
    [
      "two members of the name",
      {
        members: [
          { name: "k", content: "1" },
          { name: "k", content: "2" },
        ],
      },
    ],
    [
      "members that overlap",
      {
        members: [
          { name: "k", content: TEXT },
          { name: "l", content: "x", lies: { offset: 40 } },
        ],
      },
    ],
  ])("returns 400 for %s", async (_case, zip) => {
    const response = await ask(await storedZip(zip), "k");
    await expectS3Error(response, { status: 400, code: "InvalidRequest", message: /ZIP/ });
  });

  it("breaks off a large member whose size or CRC is a lie before its last byte", async () => {
    const content = noise(2_000_000, 5);
    for (const lies of [{ crc32: 1 }, { size: content.length - 10 }, { size: content.length + 10 }]) {
      const path = await storedZip({ members: [{ name: "k", content, isDeflated: true, lies }] });
      const response = await ask(path, "k");
      expect(response.status).toBe(200);
      await expect(response.bytes()).rejects.toThrow();
    }
  });

  it("finds names of code page 437", async () => {
    const name = new Uint8Array([0x81, 0x62, 0x65, 0x72]);
    const path = await storedZip({ members: [{ name, content: "x", lies: { flags: 0 } }] });
    expect(await (await ask(path, "über")).text()).toBe("x");
    expect(crc32Of(new TextEncoder().encode("x"))).toBe(0x8cdc1683);
  });
});
