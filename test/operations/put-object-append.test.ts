// PutObject with x-amz-write-offset-bytes: what it appends, what it refuses, and what it leaves unchanged.
import { describe, expect, it } from "vitest";

import { appendAll, expectContent, OFFSET, sendAppend } from "../support/appends.ts";
import { anonymous, deliver, presigned, send } from "../support/client.ts";
import { ALGORITHMS, checksum, checksumHeader, md5Base64, md5Hex, noise, utf8 } from "../support/digests.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace, storedStateOf } from "../support/stored-state.ts";

const MISMATCH = {
  status: 400,
  code: "InvalidWriteOffset",
  message: "The write offset value that you specified does not match the current object size.",
};

describe("PutObject with a write offset", () => {
  it("of 0 creates an object, and of its size appends to it", async () => {
    const bucket = await freshBucket();
    const created = await sendAppend(bucket, "k", 0, "one", { "content-type": "text/x-log", "x-amz-meta-a": "b" });
    expect(created.status).toBe(200);
    expect(created.headers.get("x-amz-object-size")).toBe("3");
    const appended = await appendAll(bucket, "k", ["two", "three"], {}, 3);
    expect(appended.headers.get("etag")).toBe(`"${md5Hex("onetwothree")}"`);
    expect(appended.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", utf8("onetwothree")));
    await expectContent(bucket, "k", utf8("onetwothree"));
    const head = await send("HEAD", `/${bucket}/k`);
    expect(head.headers.get("content-type")).toBe("text/x-log");
    expect(head.headers.get("x-amz-meta-a")).toBe("b");
    expect(head.headers.get("etag")).toBe(appended.headers.get("etag"));
    const { objects, blobs, garbage } = await storedStateOf(bucket);
    expect(Object.keys(blobs).filter((id) => !garbage.includes(id))).toEqual([objects["k"]?.blob_id]);
  });

  it("appends to an object of any other origin, and to an empty one", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { put: "put", empty: "" });
    await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/put` } });
    for (const [key, size] of [
      ["put", 3],
      ["copy", 3],
      ["empty", 0],
    ] as const) {
      await appendAll(bucket, key, ["+", "more"], {}, size);
    }
    for (const [key, text] of [
      ["put", "put+more"],
      ["copy", "put+more"],
      ["empty", "+more"],
    ] as const) {
      await expectContent(bucket, key, utf8(text));
    }
  });

  it("other than the size is InvalidWriteOffset and changes nothing", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "12345" });
    for (const [key, offset] of [
      ["k", 0],
      ["k", 4],
      ["k", 6],
      ["missing", 1],
      ["missing", 999_999_999_999_999],
    ] as const) {
      await expectNoTrace(bucket, async () => expectS3Error(await sendAppend(bucket, key, offset, "x"), MISMATCH));
    }
    await send("DELETE", `/${bucket}/k`);
    await expectS3Error(await sendAppend(bucket, "k", 5, "x"), MISMATCH);
  });

  it.each(["", "-1", "+1", "1.5", "0x10", "1e3", "abc", "9".repeat(16), "0, 0", "NaN"])(
    "that is no number of bytes is InvalidArgument: %j",
    async (value) => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "12345" });
      await expectNoTrace(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}/k`, { body: "x", headers: { [OFFSET]: value } }), {
          status: 400,
          code: "InvalidArgument",
          fields: { ArgumentName: OFFSET, ArgumentValue: value },
        }),
      );
    },
  );

  it("needs bytes, and their number in advance", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "12345" });
    for (const [key, offset] of [
      ["k", 5],
      ["missing", 0],
    ] as const) {
      await expectNoTrace(bucket, async () =>
        expectS3Error(await sendAppend(bucket, key, offset, ""), {
          status: 400,
          code: "InvalidRequest",
          message: "Request body cannot be empty when 'write offset' is specified.",
        }),
      );
    }
    await expectNoTrace(bucket, async () =>
      expectS3Error(
        await send("PUT", `/${bucket}/k`, { body: "x", headers: { [OFFSET]: "5", "transfer-encoding": "chunked" } }),
        { status: 411, code: "MissingContentLength" },
      ),
    );
  });

  it.each([
    [{ "x-amz-meta-a": "b" }, "user-defined object metadata"],
    [{ "x-amz-tagging": "a=b" }, "tags"],
    [{ "cache-control": "no-store" }, "another cache-control"],
    [{ "content-encoding": "gzip" }, "another content-encoding"],
    [{ "x-amz-website-redirect-location": "/x" }, "another x-amz-website-redirect-location"],
    [{ "x-amz-storage-class": "STANDARD_IA" }, "another storage class"],
  ])("refuses to change more of an existing object than its bytes: %j", async (headers, property) => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "12345" });
    await expectNoTrace(bucket, async () =>
      expectS3Error(await sendAppend(bucket, "k", 5, "x", headers), {
        status: 400,
        code: "InvalidRequest",
        message: `Cannot specify both a write offset value and ${property} for existing objects.`,
      }),
    );
  });

  it("keeps all properties, and accepts those that clients always send or that repeat them", async () => {
    const bucket = await freshBucket();
    const properties = {
      "content-type": "text/css",
      "cache-control": "max-age=5",
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-meta-name": "value",
      "x-amz-tagging": "a=1&b=2",
    };
    await send("PUT", `/${bucket}/k`, { body: "12345", headers: properties });
    await send("PUT", `/${bucket}/k?annotation&annotationName=note`, { body: "noted" });
    const sent = {
      "content-type": "application/octet-stream",
      "cache-control": "max-age=5",
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-acl": "private",
      "x-amz-server-side-encryption": "AES256",
    };
    await appendAll(bucket, "k", ["6"], sent, 5);
    const head = await send("HEAD", `/${bucket}/k`);
    for (const name of ["content-type", "cache-control", "x-amz-storage-class", "x-amz-meta-name"] as const) {
      expect(head.headers.get(name)).toBe(properties[name]);
    }
    expect(head.headers.get("x-amz-tagging-count")).toBe("2");
    await expectContent(bucket, "k", utf8("123456"));
  });

  it("honours If-Match, which needs the permission to read", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "12345" });
    await expectS3Error(await sendAppend(bucket, "k", 5, "x", { "if-match": '"other"' }), {
      status: 412,
      code: "PreconditionFailed",
      fields: { Condition: "If-Match" },
    });
    expect((await sendAppend(bucket, "k", 5, "x", { "if-match": `"${md5Hex("12345")}"` })).status).toBe(200);
    await expectS3Error(await sendAppend(bucket, "k", 6, "x", { "if-none-match": "*" }), {
      status: 412,
      code: "PreconditionFailed",
      fields: { Condition: "If-None-Match" },
    });
    expect((await sendAppend(bucket, "new", 0, "x", { "if-none-match": "*" })).status).toBe(200);
  });

  it("is an upload for anonymous requests, too: they need s3:PutObject", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "12345" });
    await expectNoTrace(bucket, async () =>
      expectS3Error(await deliver(anonymous("PUT", `/${bucket}/k`, { body: "x", headers: { [OFFSET]: "5" } })), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });

  it("can be presigned", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "12345" });
    for (const [offset, target, headers] of [
      [5, `/${bucket}/k?${OFFSET}=5`, {}],
      [6, `/${bucket}/k`, { [OFFSET]: "6" }],
    ] as const) {
      const request = () => presigned("PUT", target, { body: String(offset + 1), headers });
      expect((await deliver(await request())).status).toBe(200);
      await expectS3Error(await deliver(await request()), MISMATCH);
    }
    await expectContent(bucket, "k", utf8("1234567"));
  });

  it.each([
    ["POST", "?uploads", {}],
    ["PUT", "", { "x-amz-copy-source": "/b/k" }],
    ["PUT", "?partNumber=1&uploadId=x", {}],
  ] as const)("is not implemented by other uploads: %s %s", async (method, query, headers) => {
    const bucket = await freshBucket();
    await expectS3Error(await send(method, `/${bucket}/k${query}`, { headers: { ...headers, [OFFSET]: "0" } }), {
      status: 501,
      code: "NotImplemented",
      fields: { Header: OFFSET },
    });
  });
});

describe("the checksums of an append", () => {
  it.each(ALGORITHMS)("%s are verified for the appended bytes and stored for the object", async (algorithm) => {
    const bucket = await freshBucket();
    const header = checksumHeader(algorithm);
    const [first, second] = [noise(1000), noise(500, 2)];
    await appendAll(bucket, "k", [first], { [header]: checksum(algorithm, first) });
    await expectNoTrace(bucket, async () =>
      expectS3Error(await sendAppend(bucket, "k", 1000, second, { [header]: checksum(algorithm, first) }), {
        status: 400,
        code: "BadDigest",
      }),
    );
    const response = await appendAll(bucket, "k", [second], { [header]: checksum(algorithm, second) }, 1000);
    const whole = new Uint8Array([...first, ...second]);
    expect(response.headers.get(header)).toBe(checksum(algorithm, whole));
    const head = await send("HEAD", `/${bucket}/k`, { headers: { "x-amz-checksum-mode": "ENABLED" } });
    expect(head.headers.get(header)).toBe(checksum(algorithm, whole));
    expect(head.headers.get("x-amz-checksum-type")).toBe("FULL_OBJECT");
  });

  it("of another algorithm than the object's are refused", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: "1", headers: { "x-amz-checksum-sha1": checksum("SHA1", utf8("1")) } });
    await expectNoTrace(bucket, async () =>
      expectS3Error(await sendAppend(bucket, "k", 1, "2", { "x-amz-checksum-crc32c": checksum("CRC32C", utf8("2")) }), {
        status: 400,
        code: "InvalidRequest",
        message: "Checksum Type mismatch occurred, expected checksum Type: sha1, actual checksum Type: crc32c",
      }),
    );
    await appendAll(bucket, "k", ["2"], {}, 1);
    const head = await send("HEAD", `/${bucket}/k`, { headers: { "x-amz-checksum-mode": "ENABLED" } });
    expect(head.headers.get("x-amz-checksum-sha1")).toBe(checksum("SHA1", utf8("12")));
  });

  it("include Content-MD5 and the signed hash of the payload", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "12345" });
    for (const headers of [{ "content-md5": md5Base64(utf8("other")) }, { "x-amz-content-sha256": "0".repeat(64) }]) {
      const response = await expectNoTrace(bucket, async () => sendAppend(bucket, "k", 5, "x", headers));
      expect(response.status).toBe(400);
      expect(await response.text()).toMatch(/<Code>(?:BadDigest|XAmzContentSHA256Mismatch)<\/Code>/);
    }
    await appendAll(bucket, "k", ["x"], { "content-md5": md5Base64(utf8("x")) }, 5);
    await expectContent(bucket, "k", utf8("12345x"));
  });
});

describe("an append to an object under a customer's key", () => {
  it("needs that key, and encrypts the appended bytes with it", async () => {
    const bucket = await freshBucket();
    const headers = keyHeaders(customerKey(1));
    await send("PUT", `/${bucket}/k`, { body: "secret", headers });
    await putAll(bucket, { plain: "plain" });
    await expectS3Error(await sendAppend(bucket, "k", 6, "x"), { status: 400, code: "EncryptionTypeMismatch" });
    await expectS3Error(await sendAppend(bucket, "plain", 5, "x", headers), {
      status: 400,
      code: "EncryptionTypeMismatch",
    });
    await expectS3Error(await sendAppend(bucket, "k", 6, "x", keyHeaders(customerKey(2))), {
      status: 403,
      code: "AccessDenied",
    });
    await appendAll(bucket, "k", [" and more"], headers, 6);
    await expectContent(bucket, "k", utf8("secret and more"), headers);
    const head = await send("HEAD", `/${bucket}/k`, { headers: { ...headers, "x-amz-checksum-mode": "ENABLED" } });
    expect(head.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", utf8("secret and more")));
  });
});
