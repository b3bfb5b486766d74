// PutObject: the bytes, their length, the key, ACL headers and unsupported features.
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
import { anonymous, deliver, presigned, send, streamOf } from "../support/client.ts";
import { checksum, md5Hex, noise, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { expectRefused, expectStored } from "./put-object-fixture.ts";

const EMPTY_CRC64 = "AAAAAAAAAAA=";

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

  describe("the length", () => {
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

  describe("an unsupported feature", () => {
    it.each([["x-amz-server-side-encryption-aws-kms-key-id", "x"]])(
      "is rejected rather than ignored: %s",
      async (header, value) => {
        await expectRefused(
          { status: 501, code: "NotImplemented", fields: { Header: header } },
          { body: "x", headers: { [header]: value } },
        );
      },
    );

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

    it("includes invalid ACLs, also with BucketOwnerEnforced", async () => {
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

    it("stores ACLs when they are enabled, presigned or not, and replaces them with the object", async () => {
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
