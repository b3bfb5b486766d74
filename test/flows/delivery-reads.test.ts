import { describe, expect, it } from "vitest";

import { presigned, send, deliver } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { publicSite, seen, siteOf, textOf, visit, type Site } from "../support/delivery.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { completionOf, createUpload, putPart } from "../support/multipart.ts";
import { freshUser } from "../support/users.ts";
import { versionedBucket } from "../support/versioning.ts";

const TEXT = "0123456789";

describe("ranges", () => {
  it("of one part are answered by 206, uncompressed", async () => {
    const site = await publicSite({ k: TEXT });
    for (const [range, text, shown] of [
      ["bytes=0-3", "0123", "bytes 0-3/10"],
      ["bytes=-2", "89", "bytes 8-9/10"],
      ["bytes=7-", "789", "bytes 7-9/10"],
      ["bytes=1-2,2-4", "1234", "bytes 1-4/10"],
      ["bytes=0-1,50-60", "01", "bytes 0-1/10"],
      ["bytes=,0-1 , ,", "01", "bytes 0-1/10"],
    ] as const) {
      const response = await visit(site, "/k", { headers: { range } });
      expect([response.status, await textOf(response)], range).toEqual([206, text]);
      expect(response.headers.get("content-range")).toBe(shown);
      expect(response.headers.get("cache-control")).toContain("no-transform");
    }
    const whole = await visit(site, "/k");
    expect(await textOf(whole)).toBe(TEXT);
    expect(whole.headers.get("cache-control")).toBe("max-age=0, s-maxage=5, stale-while-revalidate=5");
  });

  it("of several parts are answered by multipart/byteranges of the announced length", async () => {
    const site = await publicSite();
    await send("PUT", `/${site.bucket}/k`, { body: TEXT, headers: { "content-type": "text/plain" } });
    const headers = { range: "bytes=0-1, 4-5,-1" };
    const response = await visit(site, "/k", { headers });
    const boundary =
      /^multipart\/byteranges; boundary=(\w+)$/.exec(response.headers.get("content-type") ?? "")?.[1] ?? "";
    expect([response.status, boundary]).toEqual([206, expect.stringMatching(/^\w{32}$/)]);
    expect(response.headers.get("content-range")).toBeNull();
    const text = await textOf(response);
    expect(response.headers.get("content-length")).toBe(String(text.length));
    const part = (range: string, bytes: string) =>
      `\r\n--${boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes ${range}/10\r\n\r\n${bytes}`;
    expect(text).toBe(`${part("0-1", "01")}${part("4-5", "45")}${part("9-9", "9")}\r\n--${boundary}--\r\n`);
    const head = await visit(site, "/k", { method: "HEAD", headers });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([
      206,
      String(text.length),
      "",
    ]);
  });

  it("of several parts say whether the first bytes come from the cache", async () => {
    const site = await publicSite({ k: TEXT.repeat(2000) });
    await seen(site, "/k");
    const outcomes = [];
    for (const range of ["bytes=0-1", "bytes=0-1,10000-10001"]) {
      const response = await visit(site, "/k", { headers: { range } });
      outcomes.push(response.headers.get("x-cache"));
      await response.body?.cancel();
    }
    expect(outcomes).toEqual(["HIT", "HIT"]);
  });

  it("never send more than the object, and fall back to all of it", async () => {
    const site = await publicSite({ k: TEXT });
    const many = Array.from({ length: 40 }, (_, index) => `${index % 9}-${index % 9}`).join(",");
    for (const range of [`bytes=${many}`, "bytes=5-2,0-1", "bytes=a-b", "lines=1-2", "bytes=,", "bytes=--1"]) {
      expect(await seen(site, "/k", { headers: { range } }), range).toEqual([200, TEXT]);
    }
    const all = await visit(site, "/k", { headers: { range: `bytes=${Array(20).fill("0-9").join(",")}` } });
    expect([all.status, await textOf(all)]).toEqual([206, TEXT]);
  });

  it("that contain no byte are answered by 416 with the size", async () => {
    const site = await publicSite({ k: TEXT });
    for (const range of ["bytes=10-", "bytes=20-30,40-50"]) {
      const response = await visit(site, "/k", { headers: { range } });
      expect([response.status, response.headers.get("content-range")]).toEqual([416, "bytes */10"]);
      expect(await response.text()).toMatch(/^<!doctype html>/);
    }
  });

  it("of an object of several parts come from its parts", async () => {
    const site = await publicSite();
    const uploadId = await createUpload(site.bucket, "k");
    const parts = [];
    for (const [index, letter] of ["a", "b"].entries()) {
      const body = letter.repeat(index === 0 ? 5 * 1024 * 1024 : 10);
      parts.push({ partNumber: index + 1, etag: (await putPart(site.bucket, "k", uploadId, index + 1, body)).etag });
    }
    await send("POST", `/${site.bucket}/k?uploadId=${uploadId}`, { body: completionOf(parts) });
    const size = 5 * 1024 * 1024;
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await seen(site, "/k", { headers: { range: `bytes=${size - 2}-${size + 1}` } })).toEqual([206, "aabb"]);
      const several = await visit(site, "/k", { headers: { range: `bytes=0-1,${size - 1}-${size}` } });
      expect(await textOf(several)).toMatch(/aa\r\n[^]*ab\r\n/);
    }
  });
});

describe("conditions", () => {
  it("are evaluated after a HEAD and after a GET alike", async () => {
    const site = await publicSite({ k: TEXT });
    const head = await visit(site, "/k", { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "10", ""]);
    expect(await seen(site, "/k")).toEqual([200, TEXT]);
    const etag = head.headers.get("etag") ?? "";
    const modified = head.headers.get("last-modified") ?? "";
    const statusOf = async (headers: Record<string, string>) => (await visit(site, "/k", { headers })).status;
    expect(await statusOf({ "if-none-match": etag })).toBe(304);
    expect(await statusOf({ "if-none-match": `W/${etag}` })).toBe(304);
    expect(await statusOf({ "if-none-match": '"other"' })).toBe(200);
    expect(await statusOf({ "if-modified-since": modified })).toBe(304);
    expect(await statusOf({ "if-match": '"other"' })).toBe(412);
    expect(await statusOf({ range: "bytes=0-1", "if-range": etag })).toBe(206);
    expect(await statusOf({ range: "bytes=0-1", "if-range": '"other"' })).toBe(200);
    expect(await statusOf({ range: "bytes=0-1,4-5", "if-range": etag })).toBe(206);
    expect(await statusOf({ range: "bytes=0-1,4-5", "if-range": '"other"' })).toBe(200);
    const unmodified = await visit(site, "/k", { headers: { "if-none-match": etag } });
    expect(unmodified.headers.get("etag")).toBe(etag);
    expect(unmodified.headers.get("content-length")).toBeNull();
    expect(await seen(site, "/k")).toEqual([200, TEXT]);
  });

  it("keep the object's own headers, and no other of S3's", async () => {
    const site = await publicSite();
    const own = {
      "content-type": "video/mp4",
      "content-disposition": 'attachment; filename="a.mp4"',
      "cache-control": "max-age=60, immutable",
      "x-amz-meta-a": "b",
      "content-language": "de",
    };
    await send("PUT", `/${site.bucket}/k`, { body: TEXT, headers: { ...own, "x-amz-tagging": "a=b" } });
    const response = await visit(site, "/k");
    for (const [name, value] of Object.entries(own)) expect(response.headers.get(name)).toBe(value);
    expect(response.headers.get("x-amz-tagging-count")).toBeNull();
  });
});

async function privateSite(objects: Readonly<Record<string, string>>): Promise<Site> {
  const bucket = await freshBucket();
  await putAll(bucket, objects);
  return siteOf(bucket);
}

async function visitSigned(
  site: Site,
  target: string,
  options: Parameters<typeof presigned>[2] = {},
  method = "GET",
): Promise<Response> {
  return deliver(await presigned(method, target, { ...options, endpoint: `http://${site.host}` }), site.scope);
}

describe("presigned URLs", () => {
  it("answer several ranges, of this version alone and without the whole object's checksum", async () => {
    const site = await privateSite({ k: TEXT });
    const headers = { range: "bytes=0-1,4-5", "x-amz-checksum-mode": "ENABLED" };
    const response = await visitSigned(site, "/k", { headers });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-type")).toMatch(/^multipart\/byteranges; boundary=\w{32}$/);
    expect(Array.from(response.headers.keys()).filter((name) => name.startsWith("x-amz-checksum-"))).toEqual([]);
    expect(response.headers.get("cache-control")).toMatch(/^private\b/);
    const text = await textOf(response);
    expect(response.headers.get("content-length")).toBe(String(text.length));
    expect(text).toMatch(/Content-Range: bytes 0-1\/10\r\n\r\n01\r\n[^]*Content-Range: bytes 4-5\/10\r\n\r\n45\r\n/);
    const merged = await visitSigned(site, "/k", { headers: { range: "bytes=0-1,2-3" } });
    expect([merged.status, merged.headers.get("content-range"), await textOf(merged)]).toEqual([
      206,
      "bytes 0-3/10",
      "0123",
    ]);
    const changed = await visitSigned(site, "/k", { headers: { ...headers, "if-range": '"other"' } });
    expect([changed.status, await textOf(changed)]).toEqual([200, TEXT]);
    const beyond = await visitSigned(site, "/k", { headers: { range: "bytes=20-30,40-50" } });
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, "bytes */10"]);
  });

  it("are verified on every request and never become public", async () => {
    const site = await privateSite({ k: "private" });
    const request = await presigned("GET", "/k", { endpoint: `http://${site.host}` });
    for (let turn = 0; turn < 3; turn += 1) {
      const response = await deliver(request.clone(), site.scope);
      expect([response.status, await textOf(response)]).toEqual([200, "private"]);
      expect(response.headers.get("cache-control")).toMatch(/^private\b/);
      expect(response.headers.get("x-cairn-staleness-bound")).toBe("0");
      expect((await visit(site, "/k")).status).toBe(403);
      expect(
        (
          await visit(
            site,
            `/k?${new URL(request.url).search.slice(1).replace(/X-Amz-Signature=\w{4}/, "X-Amz-Signature=0000")}`,
          )
        ).status,
      ).toBe(403);
    }
    await send("DELETE", `/${site.bucket}/k`);
    expect((await deliver(request.clone(), site.scope)).status).toBe(404);
  });

  it("of another host, path or a removed user are refused", async () => {
    const site = await privateSite({ k: "private", other: "x" });
    const url = new URL((await presigned("GET", "/k", { endpoint: `http://${site.host}` })).url);
    expect((await visit(siteOf(site.bucket), `/k${url.search}`)).status).toBe(403);
    expect((await visit(site, `/other${url.search}`)).status).toBe(403);
    const user = await freshUser();
    const { credentials } = user;
    const denied = await visitSigned(site, "/k", { credentials });
    expect(denied.status).toBe(403);
    expect(await denied.text()).not.toMatch(new RegExp(`${credentials.accessKeyId}|not authorized|<Error>`));
  });

  it("ask D1 once, whether or not the location knows the bucket", async () => {
    const site = await privateSite({});
    await putAll(site.bucket, { k: "private" }, IN_STORE);
    for (let turn = 0; turn < 2; turn += 1) {
      expect(costOf(await visitSigned(site, "/k"))).toMatchObject({ roundTrips: 1, blobCalls: turn === 0 ? 1 : 0 });
    }
    expect((await visitSigned(siteOf(freshBucketName()), "/k")).status).toBe(404);
  });

  it("may override response headers, which unsigned requests may not", async () => {
    const site = await publicSite({ k: "text" });
    const target = "/k?response-content-type=text%2Fhtml&response-content-disposition=inline";
    const response = await visitSigned(site, target);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html");
    expect(response.headers.get("content-security-policy")).toBe("sandbox");
    expect((await visit(site, target)).status).toBe(400);
    expect((await visit(site, "/k")).headers.get("content-type")).toBe("binary/octet-stream");
  });

  it("read objects and nothing else", async () => {
    const site = await privateSite({ k: "x" });
    for (const [method, target] of [
      ["PUT", "/k"],
      ["DELETE", "/k"],
      ["GET", "/k?acl"],
      ["GET", "/k?tagging"],
      ["GET", "/"],
      ["GET", "/?list-type=2"],
    ] as const) {
      expect((await visitSigned(site, target, {}, method)).status, `${method} ${target}`).toBe(405);
    }
    const head = await visitSigned(site, "/k", {}, "HEAD");
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "1"]);
  });

  it("that are malformed or bring a customer's key are refused with a page", async () => {
    const site = await publicSite({ k: "x" });
    for (const query of ["?X-Amz-Signature=x", "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%zz"]) {
      const response = await visit(site, `/k${query}`);
      expect(response.status).toBe(400);
      expect(await response.text()).toMatch(/^<!doctype html>/);
    }
    expect((await visitSigned(site, "/k", { headers: keyHeaders(customerKey(1)) })).status).toBe(400);
  });
});

describe("versions", () => {
  it("take the permission for versions, and are never confused with the current one", async () => {
    const bucket = await versionedBucket();
    const site = siteOf(bucket);
    const first = await send("PUT", `/${bucket}/k`, { body: "1" });
    await send("PUT", `/${bucket}/k`, { body: "2" });
    const target = `/k?versionId=${first.headers.get("x-amz-version-id") ?? ""}`;
    const allow = async (...actions: string[]) => {
      const statement = { Effect: "Allow", Principal: "*", Action: actions, Resource: `arn:aws:s3:::${bucket}/*` };
      await send("PUT", `/${bucket}?policy`, {
        body: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
      });
      await send("POST", `/${bucket}?purge`);
    };
    await allow("s3:GetObject");
    expect(await seen(site, "/k")).toEqual([200, "2"]);
    expect((await visit(site, target)).status).toBe(403);
    await allow("s3:GetObject", "s3:GetObjectVersion");
    expect(await seen(site, target)).toEqual([200, "1"]);
    expect(await seen(site, "/k")).toEqual([200, "2"]);
  });
});
