import { describe, expect, it } from "vitest";

import { anonymous, deliver, presigned, send, signed, type SendOptions } from "../support/client.ts";
import { checksum, expectBytes, md5Hex, noise } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";

const BODY = noise(1000);
const ETAG = md5Hex(BODY);

async function objectOf(body: Uint8Array | string = BODY, headers: SendOptions["headers"] = {}): Promise<string> {
  const bucket = await freshBucket();
  expect((await send("PUT", `/${bucket}/k`, { body, headers })).status).toBe(200);
  return `/${bucket}/k`;
}

async function lastModifiedOf(target: string): Promise<number> {
  return Date.parse((await send("HEAD", target)).headers.get("last-modified") ?? "");
}

function httpDate(time: number): string {
  return new Date(time).toUTCString();
}

describe("GetObject", () => {
  it("returns the bytes and all stored metadata", async () => {
    const begin = Math.floor(Date.now() / 1000) * 1000;
    const target = await objectOf(BODY, { "content-type": "image/png", "x-amz-meta-a": "1" });
    const response = await send("GET", target);
    expect(response.status).toBe(200);
    expectAnswerHeaders(response);
    const {
      date,
      "x-amz-request-id": _,
      "x-amz-id-2": __,
      "server-timing": ___,
      ...headers
    } = Object.fromEntries(response.headers);
    expect(headers).toEqual({
      "accept-ranges": "bytes",
      "content-length": "1000",
      "content-type": "image/png",
      etag: `"${ETAG}"`,
      "last-modified": expect.any(String),
      server: "Cairn",
      "x-amz-meta-a": "1",
      "x-amz-server-side-encryption": "AES256",
      "content-security-policy": "sandbox",
      "x-content-type-options": "nosniff",
    });
    const modified = Date.parse(headers["last-modified"] ?? "");
    expect(modified).toBeGreaterThanOrEqual(begin);
    expect(modified).toBeLessThanOrEqual(Date.parse(date ?? ""));
    await expectBytes(response, BODY);
  });

  it("returns no bytes and a length of 0 for an empty object", async () => {
    const response = await send("GET", await objectOf(""));
    expect(response.status).toBe(200);
    expect(response.headers.get("content-length")).toBe("0");
    expect(response.headers.get("content-type")).toBe("binary/octet-stream");
    await expectBytes(response, "");
  });

  it("returns encoded bytes as they were stored, with their length", async () => {
    const gzipped = new Uint8Array(
      await new Response(new Blob([BODY]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
    );
    const target = await objectOf(gzipped, { "content-encoding": "gzip", "content-type": "text/plain" });
    const response = await send("GET", target);
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(response.headers.get("content-length")).toBe(String(gzipped.length));
    await expectBytes(response, gzipped);
  });

  it("returns the current bytes after each of many overwrites", async () => {
    const target = await objectOf("0");
    for (let turn = 1; turn <= 30; turn += 1) {
      await send("PUT", target, { body: String(turn) });
      await expectBytes(await send("GET", target), String(turn));
    }
  });

  describe("Range", () => {
    it.each([
      ["bytes=0-9", 0, 10],
      ["bytes=0-0", 0, 1],
      ["bytes=999-999", 999, 1],
      ["bytes=10-", 10, 990],
      ["bytes=0-", 0, 1000],
      ["bytes=-5", 995, 5],
      ["bytes=-1000", 0, 1000],
      ["bytes=-5000", 0, 1000],
      ["bytes=990-5000", 990, 10],
      ["bytes=0-9999999999999999999", 0, 1000],
      ["BYTES=1-2", 1, 2],
    ])("%s is answered 206", async (range, offset, length) => {
      const response = await send("GET", await objectOf(), { headers: { range } });
      expect(response.status).toBe(206);
      expect(response.headers.get("content-range")).toBe(`bytes ${offset}-${offset + length - 1}/1000`);
      expect(response.headers.get("content-length")).toBe(String(length));
      expect(response.headers.get("etag")).toBe(`"${ETAG}"`);
      await expectBytes(response, BODY.subarray(offset, offset + length));
    });

    it.each(["bytes=5-2", "bytes=0-1,3-4", "items=0-1", "bytes=a-b", "bytes=-", "bytes", "0-9", "bytes=0x1-5", ""])(
      "%j is ignored",
      async (range) => {
        const response = await send("GET", await objectOf(), { headers: { range } });
        expect(response.status).toBe(200);
        expect(response.headers.get("content-range")).toBeNull();
        await expectBytes(response, BODY);
      },
    );

    it.each(["bytes=1000-", "bytes=1000-1001", "bytes=5000-", "bytes=-0"])("%s returns InvalidRange", async (range) => {
      const response = await send("GET", await objectOf(), { headers: { range } });
      expect(response.headers.get("content-range")).toBe("bytes */1000");
      await expectS3Error(response, {
        status: 416,
        code: "InvalidRange",
        message: "The requested range is not satisfiable",
        fields: { RangeRequested: range, ActualObjectSize: "1000" },
      });
    });

    it("returns InvalidRange for an empty object, whatever the range", async () => {
      const target = await objectOf("");
      for (const range of ["bytes=0-0", "bytes=0-", "bytes=-1"]) {
        await expectS3Error(await send("GET", target, { headers: { range } }), {
          status: 416,
          code: "InvalidRange",
          fields: { RangeRequested: range, ActualObjectSize: "0" },
        });
      }
    });

    it("is obeyed when If-Range matches the object, and ignored otherwise", async () => {
      const target = await objectOf();
      const modified = (await send("HEAD", target)).headers.get("last-modified") ?? "";
      for (const [ifRange, status] of [
        [`"${ETAG}"`, 206],
        [modified, 206],
        ['"other"', 200],
        [httpDate(Date.parse(modified) - 1000), 200],
        [httpDate(Date.parse(modified) + 1000), 200],
        ["nonsense", 200],
      ] as const) {
        const response = await send("GET", target, { headers: { range: "bytes=0-9", "if-range": ifRange } });
        expect(response.status, ifRange).toBe(status);
        await expectBytes(response, status === 206 ? BODY.subarray(0, 10) : BODY);
      }
    });
  });

  describe("partNumber", () => {
    it("1 is the whole of a single-part object", async () => {
      const response = await send("GET", `${await objectOf()}?partNumber=1`);
      expect(response.status).toBe(206);
      expect(response.headers.get("content-range")).toBe("bytes 0-999/1000");
      expect(response.headers.get("x-amz-mp-parts-count")).toBeNull();
      await expectBytes(response, BODY);
    });

    it("1 of an empty object returns 200", async () => {
      const response = await send("GET", `${await objectOf("")}?partNumber=1`);
      expect(response.status).toBe(200);
      await expectBytes(response, "");
    });

    it("above the number of parts returns InvalidPartNumber", async () => {
      await expectS3Error(await send("GET", `${await objectOf()}?partNumber=2`), {
        status: 416,
        code: "InvalidPartNumber",
        fields: { ActualPartCount: "1", PartNumberRequested: "2" },
      });
    });

    it.each(["0", "10001", "-1", "1.5", "x", ""])("%j returns InvalidArgument", async (value) => {
      await expectS3Error(await send("GET", `${await objectOf()}?partNumber=${value}`), {
        status: 400,
        code: "InvalidArgument",
        message: "Part number must be an integer between 1 and 10000, inclusive",
        fields: { ArgumentName: "partNumber", ArgumentValue: value },
      });
    });

    it("is rejected together with a Range", async () => {
      const response = await send("GET", `${await objectOf()}?partNumber=1`, { headers: { range: "bytes=0-1" } });
      await expectS3Error(response, {
        status: 400,
        code: "InvalidRequest",
        message: "Cannot specify both Range header and partNumber query parameter",
      });
    });
  });

  describe("conditions", () => {
    const failed = (condition: string) => ({
      status: 412,
      code: "PreconditionFailed",
      fields: { Condition: condition },
    });

    async function expectNotModified(target: string, headers: SendOptions["headers"]): Promise<void> {
      const response = await send("GET", target, headers === undefined ? {} : { headers });
      expect(response.status, JSON.stringify(headers)).toBe(304);
      expect(response.body).toBeNull();
      expect(response.headers.get("etag")).toBe(`"${ETAG}"`);
      expect(response.headers.get("last-modified")).not.toBeNull();
      for (const name of ["content-length", "content-type", "content-range", "x-amz-meta-a"]) {
        expect(response.headers.get(name)).toBeNull();
      }
      expectAnswerHeaders(response);
    }

    it("If-Match: quoted, bare, weak, in a list or *", async () => {
      const target = await objectOf();
      for (const value of [`"${ETAG}"`, ETAG, `W/"${ETAG}"`, `"x", "${ETAG}"`, "*"]) {
        const response = await send("GET", target, { headers: { "if-match": value } });
        expect(response.status, value).toBe(200);
        await expectBytes(response, BODY);
      }
      for (const value of ['"x"', "x, y", `"${ETAG.toUpperCase()}"`]) {
        await expectS3Error(await send("GET", target, { headers: { "if-match": value } }), failed("If-Match"));
      }
    });

    it("If-None-Match: quoted, bare, weak, in a list or *", async () => {
      const target = await objectOf(BODY, { "x-amz-meta-a": "1" });
      for (const value of [`"${ETAG}"`, ETAG, `W/"${ETAG}"`, `"x", "${ETAG}"`, "*"]) {
        await expectNotModified(target, { "if-none-match": value });
      }
      expect((await send("GET", target, { headers: { "if-none-match": '"x"' } })).status).toBe(200);
    });

    it("If-Modified-Since and If-Unmodified-Since, to the second", async () => {
      const target = await objectOf();
      const modified = await lastModifiedOf(target);
      await expectNotModified(target, { "if-modified-since": httpDate(modified) });
      const before = httpDate(modified - 1000);
      expect((await send("GET", target, { headers: { "if-modified-since": before } })).status).toBe(200);
      for (const value of [httpDate(modified), httpDate(modified + 1000)]) {
        expect((await send("GET", target, { headers: { "if-unmodified-since": value } })).status).toBe(200);
      }
      await expectS3Error(
        await send("GET", target, { headers: { "if-unmodified-since": before } }),
        failed("If-Unmodified-Since"),
      );
    });

    it("invalid dates and dates in the future are ignored", async () => {
      const target = await objectOf();
      for (const value of ["yesterday", "2026-01-01T00:00:00Z", httpDate(Date.now() + 3_600_000)]) {
        expect((await send("GET", target, { headers: { "if-modified-since": value } })).status, value).toBe(200);
      }
      expect((await send("GET", target, { headers: { "if-unmodified-since": "yesterday" } })).status).toBe(200);
    });

    it("ETags take precedence over dates", async () => {
      const target = await objectOf();
      const modified = await lastModifiedOf(target);
      const before = httpDate(modified - 1000);
      const both = { "if-match": `"${ETAG}"`, "if-unmodified-since": before };
      expect((await send("GET", target, { headers: both })).status).toBe(200);
      const neither = { "if-none-match": '"x"', "if-modified-since": httpDate(modified) };
      expect((await send("GET", target, { headers: neither })).status).toBe(200);
      await expectNotModified(target, { "if-none-match": `"${ETAG}"`, "if-modified-since": before });
    });

    it("a 304 keeps the caching headers and no others", async () => {
      const target = await objectOf(BODY, {
        "cache-control": "max-age=5",
        expires: "Wed, 21 Oct 2037 07:28:00 GMT",
        "content-language": "de",
      });
      const response = await send("GET", target, { headers: { "if-none-match": "*" } });
      expect(response.status).toBe(304);
      expect(response.headers.get("cache-control")).toBe("max-age=5");
      expect(response.headers.get("expires")).toBe("Wed, 21 Oct 2037 07:28:00 GMT");
      expect(response.headers.get("content-language")).toBeNull();
    });

    it("are evaluated before the range", async () => {
      const target = await objectOf();
      const headers = { range: "bytes=5000-", "if-match": '"x"' };
      await expectS3Error(await send("GET", target, { headers }), failed("If-Match"));
    });
  });

  describe("checksums", () => {
    it("are returned only when requested, and only with the complete bytes that they cover", async () => {
      const target = await objectOf();
      const value = checksum("CRC64NVME", BODY);
      const of = async (query: string, headers: Record<string, string>) => {
        const response = await send("GET", `${target}${query}`, { headers });
        await response.arrayBuffer();
        return [response.headers.get("x-amz-checksum-crc64nvme"), response.headers.get("x-amz-checksum-type")];
      };
      const enabled = { "x-amz-checksum-mode": "ENABLED" };
      expect(await of("", enabled)).toEqual([value, "FULL_OBJECT"]);
      expect(await of("?partNumber=1", enabled)).toEqual([value, "FULL_OBJECT"]);
      expect(await of("", { "x-amz-checksum-mode": "enabled" })).toEqual([value, "FULL_OBJECT"]);
      expect(await of("", {})).toEqual([null, null]);
      expect(await of("", { "x-amz-checksum-mode": "DISABLED" })).toEqual([null, null]);
      expect(await of("", { ...enabled, range: "bytes=0-9" })).toEqual([null, null]);
      expect(await of("", { ...enabled, range: "bytes=0-" })).toEqual([null, null]);
    });
  });

  describe("response-* parameters", () => {
    const overrides = {
      "response-content-type": "text/plain; charset=utf-8",
      "response-content-language": "fr",
      "response-expires": "Thu, 01 Jan 2037 00:00:00 GMT",
      "response-cache-control": "no-cache",
      "response-content-disposition": 'attachment; filename="a b+c.txt"',
      "response-content-encoding": "identity",
    };
    const query = Object.entries(overrides)
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join("&");

    it("replace the stored headers", async () => {
      const target = await objectOf(BODY, { "content-type": "image/png", "cache-control": "max-age=9" });
      for (const [headers, status] of [
        [{}, 200],
        [{ range: "bytes=0-9" }, 206],
      ] as const) {
        const response = await send("GET", `${target}?${query}`, { headers });
        expect(response.status).toBe(status);
        for (const [name, value] of Object.entries(overrides)) {
          expect(response.headers.get(name.replace("response-", "")), name).toBe(value);
        }
        await response.arrayBuffer();
      }
    });

    it("do not apply to an error or a 304", async () => {
      const target = await objectOf(BODY, { "cache-control": "max-age=9" });
      const unmodified = await send("GET", `${target}?${query}`, { headers: { "if-none-match": "*" } });
      expect(unmodified.status).toBe(304);
      expect(unmodified.headers.get("cache-control")).toBe("max-age=9");
      const missing = await send("GET", `${target}-not?${query}`);
      expect(missing.headers.get("content-type")).toBe("application/xml");
      expect(missing.headers.get("content-language")).toBeNull();
      await missing.arrayBuffer();
    });

    it("are rejected when they contain control characters or do not fit a header", async () => {
      const target = await objectOf();
      for (const value of ["x\r\nSet-Cookie: a=b", "x\n", "\u0000", "\u20ac"]) {
        const response = await send("GET", `${target}?response-content-disposition=${encodeURIComponent(value)}`);
        expect(response.headers.get("set-cookie")).toBeNull();
        await expectS3Error(response, {
          status: 400,
          code: "InvalidArgument",
          message: "Header value cannot be represented using ISO-8859-1.",
          fields: { ArgumentName: "response-content-disposition", ArgumentValue: expect.any(String) },
        });
      }
    });

    it("accept Latin-1", async () => {
      const target = await objectOf();
      const response = await send("GET", `${target}?response-content-disposition=${encodeURIComponent("a\u00fc")}`);
      expect(response.status).toBe(200);
      await expectBytes(response, BODY);
    });

    it("are rejected in anonymous requests", async () => {
      const response = await deliver(anonymous("GET", `${await objectOf()}?${query}`));
      expect(response.headers.get("content-disposition")).toBeNull();
      await expectS3Error(response, { status: 403, code: "AccessDenied" });
    });

    it("apply in presigned URLs that sign them", async () => {
      const target = await objectOf();
      const request = await presigned("GET", `${target}?response-content-type=text%2Fcss`);
      const response = await deliver(request);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("text/css");
      await expectBytes(response, BODY);
      const added = new Request(`${(await presigned("GET", target)).url}&response-content-type=text%2Fhtml`);
      const refused = await deliver(added);
      expect(refused.status).toBe(403);
      expect(await refused.text()).toContain("<Code>SignatureDoesNotMatch</Code>");
    });
  });

  describe("compression in transit", () => {
    async function cacheControlOf(target: string, acceptEncoding: string, clientsOwn?: string): Promise<string | null> {
      const request = await signed("GET", target);
      const headers = new Headers(request.headers);
      headers.set("accept-encoding", acceptEncoding);
      const response = await deliver(
        new Request(request, {
          headers,
          ...(clientsOwn === undefined ? {} : { cf: { clientAcceptEncoding: clientsOwn } }),
        }),
      );
      expect(response.status).toBe(200);
      await response.arrayBuffer();
      return response.headers.get("cache-control");
    }

    it("is disabled when the client accepts it: lengths and ETags must stay valid", async () => {
      const plain = await objectOf();
      expect(await cacheControlOf(plain, "gzip, br")).toBe("no-transform");
      expect(await cacheControlOf(plain, "zstd")).toBe("no-transform");
      expect(await cacheControlOf(plain, "identity")).toBeNull();
      const cached = await objectOf(BODY, { "cache-control": "max-age=9" });
      expect(await cacheControlOf(cached, "gzip")).toBe("max-age=9, no-transform");
      const already = await objectOf(BODY, { "cache-control": "no-transform" });
      expect(await cacheControlOf(already, "gzip")).toBe("no-transform");
      expect(await cacheControlOf(await objectOf(BODY, { "content-encoding": "br" }), "gzip")).toBeNull();
    });

    it("depends on the client's header, not on the one that the edge rewrites", async () => {
      const plain = await objectOf();
      expect(await cacheControlOf(plain, "gzip, br", "identity")).toBeNull();
      expect(await cacheControlOf(plain, "gzip, br", "")).toBeNull();
    });
  });

  describe("versionId", () => {
    it("null is the version of an unversioned bucket", async () => {
      const response = await send("GET", `${await objectOf()}?versionId=null`);
      expect(response.status).toBe(200);
      await expectBytes(response, BODY);
    });

    it("of another version returns NoSuchVersion", async () => {
      const target = await objectOf();
      const versionId = "0".repeat(32);
      for (const [missing, key] of [
        [target, "k"],
        [`${target}-not`, "k-not"],
      ] as const) {
        await expectS3Error(await send("GET", `${missing}?versionId=${versionId}`), {
          status: 404,
          code: "NoSuchVersion",
          fields: { Key: key, VersionId: versionId },
        });
      }
    });

    it("that is malformed or empty returns InvalidArgument", async () => {
      const target = await objectOf();
      for (const [value, message] of [
        ["", "Version id cannot be the empty string"],
        ["x", "Invalid version id specified"],
        ["' OR 1=1 --", "Invalid version id specified"],
      ] as const) {
        await expectS3Error(await send("GET", `${target}?versionId=${encodeURIComponent(value)}`), {
          status: 400,
          code: "InvalidArgument",
          message,
          fields: { ArgumentName: "versionId", ArgumentValue: value },
        });
      }
    });
  });

  it("returns NoSuchKey for a missing object, with the key escaped", async () => {
    const bucket = await freshBucket();
    for (const key of ["k", `<script>alert("1")</script>&'`, "a b/\u00e9\u{1f600}"]) {
      await expectS3Error(await send("GET", `/${bucket}/${encodeURIComponent(key)}`), {
        status: 404,
        code: "NoSuchKey",
        fields: { Key: key },
      });
    }
  });

  it("returns NoSuchBucket for a missing bucket", async () => {
    const name = freshBucketName();
    await expectS3Error(await send("GET", `/${name}/k`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: name },
    });
  });

  it("returns AccessDenied to anonymous requests, whether or not the object exists", async () => {
    const target = await objectOf();
    for (const address of [target, `${target}-not`]) {
      await expectS3Error(await deliver(anonymous("GET", address)), { status: 403, code: "AccessDenied" });
    }
  });
});
