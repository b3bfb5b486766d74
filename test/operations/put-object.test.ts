import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import {
  ACLS_OFF,
  ALL_USERS,
  aclBucket,
  blockPublicAcls,
  grantsOf,
  OWNER,
  PRIVATE,
  PUBLIC_READ,
} from "../support/acl.ts";
import { anonymous, deliver, presigned, send, streamOf, type SendOptions } from "../support/client.ts";
import {
  ALGORITHMS,
  checksum,
  checksumHeader,
  expectBytes,
  md5Base64,
  md5Hex,
  noise,
  sha256Hex,
  utf8,
} from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { bucketId, expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";

const EMPTY_CRC64 = "AAAAAAAAAAA=";

/** Asserts the response of a GET. */
async function expectStored(bucket: string, key: string, expected: Uint8Array | string): Promise<void> {
  const response = await send("GET", `/${bucket}/${key}`);
  expect(response.status, key).toBe(200);
  await expectBytes(response, expected);
}

/** Asserts that a PUT is rejected and stores nothing, over an existing object and on a new key. */
async function expectRefused(expected: ExpectedError, options: SendOptions): Promise<void> {
  const bucket = await freshBucket();
  await putAll(bucket, { there: "as it was" });
  for (const key of ["there", "not-there"]) {
    await expectNoTrace(bucket, async () => expectS3Error(await send("PUT", `/${bucket}/${key}`, options), expected));
  }
  await expectStored(bucket, "there", "as it was");
}

describe("PutObject", () => {
  it("stores the bytes and returns their ETag and checksum, without a body", async () => {
    const bucket = await freshBucket();
    const body = noise(1000);
    const response = await send("PUT", `/${bucket}/a/key`, { body });
    expect(response.status).toBe(200);
    expect(response.body).toBeNull();
    expect(Object.fromEntries(response.headers)).toMatchObject({
      etag: `"${md5Hex(body)}"`,
      "x-amz-checksum-crc64nvme": checksum("CRC64NVME", body),
      "x-amz-checksum-type": "FULL_OBJECT",
    });
    expect(response.headers.get("content-type")).toBeNull();
    expect(response.headers.get("x-amz-version-id")).toBeNull();
    expectAnswerHeaders(response);
    await expectStored(bucket, "a/key", body);
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it.each([0, 1, 4095, 4096, 4097, 262_143, 262_144, 262_145, 524_289, 3_000_000])(
    "stores %i bytes unchanged",
    async (size) => {
      const bucket = await freshBucket();
      const body = noise(size, size);
      const response = await send("PUT", `/${bucket}/k`, { body });
      expect(response.status).toBe(200);
      expect(response.headers.get("etag")).toBe(`"${md5Hex(body)}"`);
      expect(response.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", body));
      await expectStored(bucket, "k", body);
    },
  );

  it("stores an empty object without a body and a length", async () => {
    const bucket = await freshBucket();
    const response = await send("PUT", `/${bucket}/empty`);
    expect(response.status).toBe(200);
    expect(response.headers.get("etag")).toBe('"d41d8cd98f00b204e9800998ecf8427e"');
    expect(response.headers.get("x-amz-checksum-crc64nvme")).toBe(EMPTY_CRC64);
    await expectStored(bucket, "empty", new Uint8Array());
  });

  it("replaces the object with its metadata, and turns the old bytes into garbage", async () => {
    const bucket = await freshBucket();
    const headers = {
      "content-type": "text/css",
      "cache-control": "no-store",
      "x-amz-meta-a": "1",
      "x-amz-storage-class": "STANDARD_IA",
    };
    await send("PUT", `/${bucket}/k`, { body: "one", headers });
    const before = await storedStateOf(bucket);
    await send("PUT", `/${bucket}/k`, { body: "second" });
    const head = await send("HEAD", `/${bucket}/k`);
    expect(head.headers.get("content-length")).toBe("6");
    expect(head.headers.get("content-type")).toBe("binary/octet-stream");
    for (const name of ["cache-control", "x-amz-meta-a", "x-amz-storage-class"])
      expect(head.headers.get(name)).toBeNull();
    await expectStored(bucket, "k", "second");
    const after = await storedStateOf(bucket);
    expect(after.garbage).toEqual([before.objects["k"]?.blob_id]);
    expectNothingLeftOver(after);
  });

  it("distinguishes keys by case, normalization form and slashes", async () => {
    const bucket = await freshBucket();
    const objects = { k: "1", K: "2", "k/": "3", "k//": "4", "/k": "5", "\u00e9": "6", "e\u0301": "7" };
    await putAll(bucket, objects);
    for (const [key, body] of Object.entries(objects)) {
      await expectStored(bucket, encodeURIComponent(key), body);
    }
  });

  describe("metadata", () => {
    it("is stored and returned: system headers unchanged, user metadata in lower case", async () => {
      const bucket = await freshBucket();
      const headers = {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "max-age=60",
        "content-disposition": 'attachment; filename="a b.txt"',
        "content-encoding": "gzip",
        "content-language": "de, en",
        expires: "Wed, 21 Oct 2037 07:28:00 GMT",
        "X-Amz-Meta-Build-SHA": "abc DEF",
        "x-amz-meta-with.dot_and-dash": "1",
        "x-amz-meta-empty": "",
      };
      await send("PUT", `/${bucket}/k`, { body: "x", headers });
      const stored = Object.fromEntries((await send("HEAD", `/${bucket}/k`)).headers);
      expect(stored).toMatchObject({
        "content-type": "text/html; charset=utf-8",
        "cache-control": "max-age=60",
        "content-disposition": 'attachment; filename="a b.txt"',
        "content-encoding": "gzip",
        "content-language": "de, en",
        expires: "Wed, 21 Oct 2037 07:28:00 GMT",
        "x-amz-meta-build-sha": "abc DEF",
        "x-amz-meta-with.dot_and-dash": "1",
        "x-amz-meta-empty": "",
      });
    });

    it("is returned as an RFC 2047 encoded word when it is not ASCII", async () => {
      const bucket = await freshBucket();
      await send("PUT", `/${bucket}/k`, { headers: { "x-amz-meta-name": "Gr\u00fc\u00dfe \u{1f600}" } });
      const value = (await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-meta-name");
      expect(value).toBe(`=?UTF-8?B?${btoa(String.fromCharCode(...utf8("Gr\u00fc\u00dfe \u{1f600}")))}?=`);
    });

    it("can have 2048 bytes of names and values and not one more", async () => {
      const bucket = await freshBucket();
      const headers = { "x-amz-meta-ab": "x".repeat(2000), "x-amz-meta-cd": "y".repeat(44) };
      expect((await send("PUT", `/${bucket}/k`, { headers })).status).toBe(200);
      expect((await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-meta-ab")).toBe("x".repeat(2000));
      await expectRefused(
        { status: 400, code: "MetadataTooLarge", fields: { Size: "2049", MaxSizeAllowed: "2048" } },
        { headers: { ...headers, "x-amz-meta-cd": "y".repeat(45) } },
      );
      const encoded = encodeURIComponent("\u00e9".repeat(1024));
      await expectS3Error(await deliver(await presigned("PUT", `/${bucket}/k?x-amz-meta-ab=${encoded}`)), {
        status: 400,
        code: "MetadataTooLarge",
        fields: { Size: "2050", MaxSizeAllowed: "2048" },
      });
    });

    it("can have the names of JavaScript's properties", async () => {
      const bucket = await freshBucket();
      const headers = { "x-amz-meta-__proto__": "1", "x-amz-meta-constructor": "2", "x-amz-meta-tostring": "3" };
      await send("PUT", `/${bucket}/k`, { headers });
      expect(Object.fromEntries((await send("HEAD", `/${bucket}/k`)).headers)).toMatchObject({
        "x-amz-meta-constructor": "2",
        "x-amz-meta-tostring": "3",
      });
      expect((await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-meta-__proto__")).toBe("1");
    });

    it("is also written as recovery metadata, from which the row can be rebuilt", async () => {
      const bucket = await freshBucket();
      const headers = { "content-type": "text/x-a", "x-amz-meta-a": "1", "cache-control": "no-cache" };
      await send("PUT", `/${bucket}/a%20b`, { body: "x", headers });
      const { objects } = await storedStateOf(bucket);
      const blob = await env.BLOBS.head(objects["a b"]?.blob_id ?? "");
      expect(blob?.customMetadata).toEqual({
        bucket: await bucketId(bucket),
        name: bucket,
        key: '"a b"',
        seen: "none",
        type: '"text/x-a"',
        user: '{"a":"1"}',
        system: '{"cache-control":"no-cache"}',
      });
      expect(blob?.key).toMatch(new RegExp(`^${await bucketId(bucket)}/[0-9a-v]{36}$`));
    });
  });

  describe("storage class", () => {
    it.each(["REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"])(
      "%s is stored and returned",
      async (storageClass) => {
        const bucket = await freshBucket();
        const headers = { "x-amz-storage-class": storageClass };
        expect((await send("PUT", `/${bucket}/k`, { headers })).status).toBe(200);
        expect((await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-storage-class")).toBe(storageClass);
      },
    );

    it("STANDARD is not returned", async () => {
      const bucket = await freshBucket();
      await send("PUT", `/${bucket}/k`, { headers: { "x-amz-storage-class": "STANDARD" } });
      expect((await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-storage-class")).toBeNull();
    });

    it.each(["glacier", "standard", "", "X"])("returns InvalidStorageClass: %j", async (storageClass) => {
      await expectRefused(
        { status: 400, code: "InvalidStorageClass", fields: { StorageClassRequested: storageClass } },
        { headers: { "x-amz-storage-class": storageClass } },
      );
    });
  });

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
      const message = /^Checksum algorithm provided is unsupported\. .*\[CRC32, CRC32C, CRC64NVME, SHA1, SHA256\]$/;
      for (const headers of [
        { "x-amz-checksum-xxhash64": "AAAAAAAAAAA=" },
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
      for (const value of ["x", "0".repeat(63), "STREAMING-WHATEVER"]) {
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

  describe("the length", () => {
    it("is required: a stream of unknown length is rejected", async () => {
      await expectRefused({ status: 411, code: "MissingContentLength" }, { body: streamOf([utf8("abc")]) });
    });

    it("must be a number", async () => {
      for (const value of ["x", "-1", "1e3", "0x10"]) {
        await expectRefused(
          { status: 400, code: "InvalidArgument", fields: { ArgumentName: "Content-Length", ArgumentValue: value } },
          { body: streamOf([utf8("abc")]), headers: { "content-length": value } },
        );
      }
    });

    it("may not exceed 5 GiB, which is checked before the body is read", async () => {
      const bucket = await freshBucket();
      let pulled = 0;
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            pulled += 1;
            controller.enqueue(new Uint8Array(65_536));
          },
        },
        { highWaterMark: 0 },
      );
      await expectNoTrace(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}/k`, { body, headers: { "content-length": "5368709121" } }), {
          status: 400,
          code: "EntityTooLarge",
          fields: { ProposedSize: "5368709121", MaxSizeAllowed: "5368709120" },
        }),
      );
      expect(pulled).toBe(0);
    });
  });

  describe("conditions", () => {
    const notMet = (condition: string) => ({
      status: 412,
      code: "PreconditionFailed",
      message: "At least one of the pre-conditions you specified did not hold",
      fields: { Condition: condition },
    });

    it("If-None-Match: * creates an object and never replaces one", async () => {
      const bucket = await freshBucket();
      const headers = { "if-none-match": "*" };
      expect((await send("PUT", `/${bucket}/k`, { body: "1", headers })).status).toBe(200);
      await expectNoTrace(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}/k`, { body: "2", headers }), notMet("If-None-Match")),
      );
      await expectStored(bucket, "k", "1");
      await send("DELETE", `/${bucket}/k`);
      expect((await send("PUT", `/${bucket}/k`, { body: "3", headers })).status).toBe(200);
    });

    it("If-None-Match with any other value is rejected", async () => {
      for (const value of ['"d41d8cd98f00b204e9800998ecf8427e"', "abc", "*, *", ""]) {
        await expectRefused({ status: 400, code: "InvalidRequest" }, { headers: { "if-none-match": value } });
      }
    });

    it("If-Match replaces the object with the ETag in any notation", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "0" });
      for (const [index, write] of [
        (etag: string) => `"${etag}"`,
        (etag: string) => etag,
        (etag: string) => `W/"${etag}"`,
      ].entries()) {
        const headers = { "if-match": write(md5Hex(String(index))) };
        expect((await send("PUT", `/${bucket}/k`, { body: String(index + 1), headers })).status).toBe(200);
      }
      await expectStored(bucket, "k", "3");
    });

    it("If-Match with another ETag fails, and returns NoSuchKey for a missing key", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "0" });
      for (const etag of ['"bad"', md5Hex("1"), '"', ""]) {
        const headers = { "if-match": etag };
        await expectNoTrace(bucket, async () => {
          await expectS3Error(await send("PUT", `/${bucket}/k`, { body: "1", headers }), notMet("If-Match"));
          await expectS3Error(await send("PUT", `/${bucket}/new`, { body: "1", headers }), {
            status: 404,
            code: "NoSuchKey",
            fields: { Key: "new" },
          });
        });
      }
    });

    it("that fail cost one read: the body is not stored", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "0" });
      let pulled = 0;
      const body = new ReadableStream<Uint8Array>({ pull: () => void (pulled += 1) }, { highWaterMark: 0 });
      const headers = { "if-none-match": "*", "content-length": "10" };
      await expectS3Error(await send("PUT", `/${bucket}/k`, { body, headers }), notMet("If-None-Match"));
      expect(pulled).toBe(0);
    });

    it("If-Match: * and both conditions at once return NotImplemented, as on AWS", async () => {
      await expectRefused(
        {
          status: 501,
          code: "NotImplemented",
          fields: { Header: "If-Match", additionalMessage: expect.any(String) },
        },
        { headers: { "if-match": "*" } },
      );
      await expectRefused(
        {
          status: 501,
          code: "NotImplemented",
          fields: {
            Header: "If-Match,If-None-Match",
            additionalMessage: "Multiple conditional request headers present in the request",
          },
        },
        { headers: { "if-match": '"x"', "if-none-match": "*" } },
      );
    });
  });

  describe("an unsupported feature", () => {
    it.each([
      ["x-amz-website-redirect-location", "/x"],
      ["x-amz-server-side-encryption-aws-kms-key-id", "x"],
      ["x-amz-object-lock-mode", "GOVERNANCE"],
      ["x-amz-object-lock-legal-hold", "ON"],
      ["x-amz-write-offset-bytes", "0"],
    ])("is rejected rather than ignored: %s", async (header, value) => {
      await expectRefused(
        { status: 501, code: "NotImplemented", fields: { Header: header } },
        { body: "x", headers: { [header]: value } },
      );
    });

    it("is rejected rather than ignored: encryption with a KMS key, or with an unknown algorithm", async () => {
      const header = "x-amz-server-side-encryption";
      for (const value of ["aws:kms", "aws:kms:dsse"]) {
        await expectRefused(
          { status: 501, code: "NotImplemented", fields: { Header: header } },
          { body: "x", headers: { [header]: value } },
        );
      }
      await expectRefused(
        { status: 400, code: "InvalidArgument", fields: { ArgumentName: header, ArgumentValue: "ROT13" } },
        { body: "x", headers: { [header]: "ROT13" } },
      );
    });

    it("does not include AES256, which is the default, and the ACLs of a sole owner", async () => {
      const bucket = await freshBucket();
      for (const headers of [
        { "x-amz-server-side-encryption": "AES256" },
        { "x-amz-acl": "private" },
        { "x-amz-acl": "bucket-owner-full-control" },
      ]) {
        expect((await send("PUT", `/${bucket}/k`, { headers })).status).toBe(200);
      }
    });

    it("includes every other ACL with BucketOwnerEnforced", async () => {
      for (const headers of [
        { "x-amz-acl": "public-read" },
        { "x-amz-acl": "bucket-owner-read" },
        { "x-amz-acl": "aws-exec-read" },
        { "x-amz-grant-read": `id="${OWNER}"` },
      ]) {
        await expectRefused(ACLS_OFF, { body: "x", headers });
      }
    });

    it("includes invalid ACLs, whatever the bucket's ownership", async () => {
      await expectRefused(
        { status: 400, code: "InvalidArgument", fields: { ArgumentName: "x-amz-acl", ArgumentValue: "nonsense" } },
        { body: "x", headers: { "x-amz-acl": "nonsense" } },
      );
      await expectRefused(
        { status: 400, code: "InvalidArgument", fields: { ArgumentName: "id", ArgumentValue: "x" } },
        { body: "x", headers: { "x-amz-grant-full-control": 'id="x"' } },
      );
      await expectRefused(
        { status: 400, code: "InvalidRequest" },
        { body: "x", headers: { "x-amz-acl": "private", "x-amz-grant-read": `id="${OWNER}"` } },
      );
    });

    it("stores ACLs when they are enabled, presigned or not, and drops the old one with the old object", async () => {
      const bucket = await aclBucket();
      const put = async (headers: Record<string, string>) => {
        expect((await send("PUT", `/${bucket}/k`, { body: "x", headers })).status).toBe(200);
        return grantsOf(`${bucket}/k?acl`);
      };
      expect(await put({ "x-amz-acl": "public-read" })).toEqual(PUBLIC_READ);
      expect(await put({})).toEqual(PRIVATE);
      expect(await put({ "x-amz-grant-read": `uri="${ALL_USERS}"` })).toEqual([`${ALL_USERS} READ`]);
      const request = await presigned("PUT", `/${bucket}/k?x-amz-acl=public-read`, { body: "x" });
      expect((await deliver(request)).status).toBe(200);
      expect(await grantsOf(`${bucket}/k?acl`)).toEqual(PUBLIC_READ);
    });

    it("rejects public ACLs while they are blocked, before it reads the body", async () => {
      const bucket = await aclBucket();
      await blockPublicAcls(bucket);
      await expectNoTrace(bucket, async () => {
        for (const headers of [{ "x-amz-acl": "public-read" }, { "x-amz-grant-read": `uri="${ALL_USERS}"` }]) {
          const response = await send("PUT", `/${bucket}/k`, { body: "x", headers });
          await expectS3Error(response, { status: 403, code: "AccessDenied" });
        }
      });
      const headers = { "x-amz-acl": "bucket-owner-read" };
      expect((await send("PUT", `/${bucket}/k`, { body: "x", headers })).status).toBe(200);
    });
  });

  it("rejects a part number without an upload id", async () => {
    const bucket = await freshBucket();
    await expectNoTrace(bucket, async () =>
      expectS3Error(await send("PUT", `/${bucket}/k?partNumber=1`, { body: "x" }), {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: "partNumber", ArgumentValue: "1" },
      }),
    );
  });

  it("accepts a key of 1024 bytes and rejects one of 1025, counted in UTF-8", async () => {
    const bucket = await freshBucket();
    for (const key of ["k".repeat(1024), "\u{1f600}".repeat(256)]) {
      expect((await send("PUT", `/${bucket}/${encodeURIComponent(key)}`, { body: "x" })).status).toBe(200);
      await expectStored(bucket, encodeURIComponent(key), "x");
    }
    for (const [key, size] of [
      ["k".repeat(1025), "1025"],
      ["\u{1f600}".repeat(257), "1028"],
    ] as const) {
      await expectNoTrace(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}/${encodeURIComponent(key)}`, { body: "x" }), {
          status: 400,
          code: "KeyTooLongError",
          fields: { Size: size, MaxSizeAllowed: "1024" },
        }),
      );
    }
  });

  it("returns NoSuchBucket for a missing bucket, before it reads the body", async () => {
    const name = freshBucketName();
    await expectS3Error(await send("PUT", `/${name}/k`, { body: "x", headers: { "content-md5": "bad" } }), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: name },
    });
  });

  it("rejects anonymous requests", async () => {
    const bucket = await freshBucket();
    await expectNoTrace(bucket, async () =>
      expectS3Error(await deliver(anonymous("PUT", `/${bucket}/k`, { body: "x" })), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });
});
