// GetObject: bytes, metadata, checksums, versions and content encodings.
import { describe, expect, it } from "vitest";

import { anonymous, deliver, send, signed } from "../support/client.ts";
import { checksum, expectBytes } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { BODY, ETAG, objectOf } from "./get-object-fixture.ts";

describe("GetObject", () => {
  it("returns the bytes and all stored metadata", async () => {
    const begin = Math.floor(Date.now() / 1000) * 1000;
    const target = await objectOf(BODY, { "content-type": "image/png", "x-amz-meta-a": "1" }, IN_STORE);
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
      "x-cache": "MISS",
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
