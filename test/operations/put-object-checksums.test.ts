// PutObject's checksums, Content-MD5 and x-amz-content-sha256.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { ALGORITHMS, checksum, checksumHeader, md5Base64, md5Hex, noise, sha256Hex, utf8 } from "../support/digests.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectNothingLeftOver, storedStateOf } from "../support/stored-state.ts";
import { expectRefused, expectStored } from "./put-object-fixture.ts";

describe("PutObject", () => {
  describe("checksums", () => {
    it.each(ALGORITHMS)("%s in a header is verified, and returned by reads", async (algorithm) => {
      const bucket = await freshBucket();
      for (const body of [noise(5000), new Uint8Array()]) {
        const header = checksumHeader(algorithm);
        const value = checksum(algorithm, body);
        const headers = { [header]: value, "x-amz-sdk-checksum-algorithm": algorithm };
        const response = await send("PUT", `/${bucket}/k`, { body, headers });
        expect(response.status).toBe(200);
        expect(response.headers.get(header)).toBe(value);
        expect(response.headers.get("x-amz-checksum-type")).toBe("FULL_OBJECT");
        expect(response.headers.get("etag")).toBe(`"${md5Hex(body)}"`);
        const head = await send("HEAD", `/${bucket}/k`, { headers: { "x-amz-checksum-mode": "ENABLED" } });
        expect(head.headers.get(header)).toBe(value);
        await expectStored(bucket, "k", body);
      }
      expectNothingLeftOver(await storedStateOf(bucket));
    });

    it.each(ALGORITHMS)("%s that does not match returns BadDigest", async (algorithm) => {
      await expectRefused(
        {
          status: 400,
          code: "BadDigest",
          message: `The ${algorithm} you specified did not match the calculated checksum.`,
        },
        { body: noise(5000), headers: { [checksumHeader(algorithm)]: checksum(algorithm, noise(5000, 2)) } },
      );
    });

    it.each(ALGORITHMS)("%s that is malformed returns InvalidRequest", async (algorithm) => {
      const header = checksumHeader(algorithm);
      for (const value of ["", "x", "AAAA", `${checksum(algorithm, utf8(""))}A`, "!!!!!!!!"]) {
        await expectRefused(
          { status: 400, code: "InvalidRequest", message: `Value for ${header} header is invalid.` },
          { body: "x", headers: { [header]: value } },
        );
      }
    });

    it("of two algorithms are rejected", async () => {
      await expectRefused(
        {
          status: 400,
          code: "InvalidRequest",
          message: "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        },
        { body: "", headers: { "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-crc32c": "AAAAAA==" } },
      );
    });

    it("of an unsupported algorithm are rejected", async () => {
      const message =
        /^Checksum algorithm provided is unsupported\. .*\[CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512, XXHASH128, XXHASH3, XXHASH64\]$/;
      for (const headers of [
        { "x-amz-checksum-xxhash32": "AAAAAA==" },
        { "x-amz-sdk-checksum-algorithm": "MD4", "x-amz-checksum-crc32": "AAAAAA==" },
      ]) {
        await expectRefused({ status: 400, code: "InvalidRequest", message }, { body: "", headers });
      }
    });

    it("announced without a value, or with another algorithm, are rejected", async () => {
      await expectRefused(
        {
          status: 400,
          code: "InvalidRequest",
          message:
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
        },
        { body: "", headers: { "x-amz-sdk-checksum-algorithm": "CRC32" } },
      );
      await expectRefused(
        {
          status: 400,
          code: "InvalidRequest",
          message: "Value for x-amz-sdk-checksum-algorithm header is invalid.",
        },
        { body: "", headers: { "x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-checksum-crc32": "AAAAAA==" } },
      );
    });

    it("by Content-MD5 are verified: BadDigest when wrong and InvalidDigest when malformed", async () => {
      const bucket = await freshBucket();
      const body = noise(5000);
      const headers = { "content-md5": md5Base64(body) };
      expect((await send("PUT", `/${bucket}/k`, { body, headers })).status).toBe(200);
      await expectStored(bucket, "k", body);
      const wrong = md5Base64(utf8("another"));
      await expectRefused(
        {
          status: 400,
          code: "BadDigest",
          fields: { ExpectedDigest: wrong, CalculatedDigest: md5Base64(body) },
        },
        { body, headers: { "content-md5": wrong } },
      );
      for (const value of ["", "x", md5Hex(body), "AAAAAA=="]) {
        await expectRefused(
          { status: 400, code: "InvalidDigest", fields: { "Content-MD5": value } },
          { body, headers: { "content-md5": value } },
        );
      }
    });

    it("are all verified when several kinds are sent", async () => {
      const body = noise(300_000);
      const right = {
        "content-md5": md5Base64(body),
        "x-amz-checksum-sha1": checksum("SHA1", body),
        "x-amz-content-sha256": sha256Hex(body),
      };
      const bucket = await freshBucket();
      expect((await send("PUT", `/${bucket}/k`, { body, headers: right })).status).toBe(200);
      await expectStored(bucket, "k", body);
      const other = noise(300_000, 2);
      for (const [headers, code, fields] of [
        [
          { ...right, "content-md5": md5Base64(other) },
          "BadDigest",
          { ExpectedDigest: md5Base64(other), CalculatedDigest: md5Base64(body) },
        ],
        [{ ...right, "x-amz-checksum-sha1": checksum("SHA1", other) }, "BadDigest", {}],
        [
          { ...right, "x-amz-content-sha256": sha256Hex(other) },
          "XAmzContentSHA256Mismatch",
          { ClientComputedContentSHA256: sha256Hex(other), S3ComputedContentSHA256: sha256Hex(body) },
        ],
      ] as const) {
        await expectRefused({ status: 400, code, fields }, { body, headers });
      }
    });
  });

  describe("the signed payload hash", () => {
    it("is verified, with and without a SHA-256 checksum", async () => {
      const bucket = await freshBucket();
      const body = noise(5000);
      for (const headers of [
        { "x-amz-content-sha256": sha256Hex(body) },
        { "x-amz-content-sha256": sha256Hex(body).toUpperCase() },
        { "x-amz-content-sha256": sha256Hex(body), "x-amz-checksum-sha256": checksum("SHA256", body) },
        { "x-amz-content-sha256": sha256Hex(body), "x-amz-checksum-crc32": checksum("CRC32", body) },
      ]) {
        expect((await send("PUT", `/${bucket}/k`, { body, headers })).status).toBe(200);
        await expectStored(bucket, "k", body);
      }
    });

    it("returns XAmzContentSHA256Mismatch when the body differs", async () => {
      const [body, other] = [noise(5000), noise(5000, 2)];
      await expectRefused(
        {
          status: 400,
          code: "XAmzContentSHA256Mismatch",
          fields: { ClientComputedContentSHA256: sha256Hex(other), S3ComputedContentSHA256: sha256Hex(body) },
        },
        { body, headers: { "x-amz-content-sha256": sha256Hex(other) } },
      );
      await expectRefused(
        {
          status: 400,
          code: "XAmzContentSHA256Mismatch",
          fields: { ClientComputedContentSHA256: sha256Hex(utf8("")), S3ComputedContentSHA256: sha256Hex(body) },
        },
        { body, headers: { "x-amz-content-sha256": sha256Hex(utf8("")) } },
      );
    });

    it("takes precedence over a matching SHA-256 checksum", async () => {
      const [body, other] = [noise(5000), noise(5000, 2)];
      await expectRefused(
        { status: 400, code: "BadDigest" },
        {
          body,
          headers: { "x-amz-content-sha256": sha256Hex(other), "x-amz-checksum-sha256": checksum("SHA256", body) },
        },
      );
      // The same holds for an omitted body.
      const headers = {
        "x-amz-content-sha256": sha256Hex(other),
        "x-amz-checksum-sha256": checksum("SHA256", utf8("")),
      };
      await expectRefused({ status: 400, code: "BadDigest" }, { headers });
    });

    it("is rejected in a form that S3 does not define", async () => {
      for (const value of ["x", "0".repeat(63), "STREAMING-UNKNOWN"]) {
        await expectRefused(
          {
            status: 400,
            code: "InvalidArgument",
            fields: { ArgumentName: "x-amz-content-sha256", ArgumentValue: value },
          },
          { body: "x", headers: { "x-amz-content-sha256": value } },
        );
      }
    });
  });
});
