import { describe, expect, it } from "vitest";

import { ACLS_OFF, aclBucket, blockPublicAcls, grantsOf, PRIVATE, PUBLIC_READ } from "../support/acl.ts";
import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { createUpload, putPart, sendCompletion } from "../support/multipart.ts";
import { namesOf, readXml, textOf } from "../support/read-xml.ts";
import { expectUntouched } from "../support/rows.ts";
import { tagsOf } from "../support/tagging.ts";

describe("CreateMultipartUpload", () => {
  it("returns bucket, key and the upload's id", async () => {
    const bucket = await freshBucket();
    const response = await send("POST", `/${bucket}/a%20%26%3C/k?uploads`);
    expect(response.status).toBe(200);
    expectAnswerHeaders(response);
    expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 0 });
    for (const name of ["x-amz-checksum-algorithm", "x-amz-checksum-type", "x-amz-version-id"]) {
      expect(response.headers.get(name)).toBeNull();
    }
    const root = readXml(await response.text());
    expect(root.name).toBe("InitiateMultipartUploadResult");
    expect(root.attributes).toEqual({ xmlns: "http://s3.amazonaws.com/doc/2006-03-01/" });
    expect(namesOf(root)).toEqual(["Bucket", "Key", "UploadId"]);
    expect(textOf(root, "Bucket")).toBe(bucket);
    expect(textOf(root, "Key")).toBe("a &</k");
    expect(textOf(root, "UploadId")).toMatch(/^[0-9a-v]{36}$/);
  });

  it("returns a distinct id for every upload of a key, ordered by initiation", async () => {
    const bucket = await freshBucket();
    const ids: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      ids.push(await createUpload(bucket, "k"));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(new Set(ids).size).toBe(4);
    expect(ids.toSorted()).toEqual(ids);
  });

  it("hides the key until the completion", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    await putPart(bucket, "k", uploadId, 1, "x");
    expect((await send("HEAD", `/${bucket}/k`)).status).toBe(404);
    expect(await (await send("GET", `/${bucket}`)).text()).not.toContain("<Contents>");
  });

  it("stores metadata, tags and storage class for the object", async () => {
    const bucket = await freshBucket();
    const headers = {
      "content-type": "text/css",
      "cache-control": "max-age=60",
      "content-disposition": "inline",
      "content-encoding": "gzip",
      "content-language": "de",
      expires: "Wed, 21 Oct 2037 07:28:00 GMT",
      "x-amz-meta-Build": "abc",
      "x-amz-tagging": "a=1&b=2",
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-acl": "private",
    };
    const uploadId = await createUpload(bucket, "k", headers);
    const part = await putPart(bucket, "k", uploadId, 1, "x", { "content-type": "text/html" });
    expect((await sendCompletion(bucket, "k", uploadId, [part])).status).toBe(200);
    expect(Object.fromEntries((await send("HEAD", `/${bucket}/k`)).headers)).toMatchObject({
      "content-type": "text/css",
      "cache-control": "max-age=60",
      "content-disposition": "inline",
      "content-encoding": "gzip",
      "content-language": "de",
      expires: "Wed, 21 Oct 2037 07:28:00 GMT",
      "x-amz-meta-build": "abc",
      "x-amz-tagging-count": "2",
      "x-amz-storage-class": "STANDARD_IA",
    });
    expect(await tagsOf(`/${bucket}/k?tagging`)).toEqual({ a: "1", b: "2" });
  });

  it("stores the ACL for the object when ACLs are enabled", async () => {
    const bucket = await aclBucket();
    for (const [headers, expected] of [
      [{ "x-amz-acl": "public-read" }, PUBLIC_READ],
      [{}, PRIVATE],
    ] as const) {
      const uploadId = await createUpload(bucket, "k", headers);
      const part = await putPart(bucket, "k", uploadId, 1, "x");
      expect((await sendCompletion(bucket, "k", uploadId, [part])).status).toBe(200);
      expect(await grantsOf(`${bucket}/k?acl`)).toEqual(expected);
    }
  });

  it("rejects public ACLs while they are blocked, and creates no upload", async () => {
    const bucket = await aclBucket();
    await blockPublicAcls(bucket);
    await expectUntouched(bucket, async () =>
      expectS3Error(await send("POST", `/${bucket}/k?uploads`, { headers: { "x-amz-acl": "public-read" } }), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });

  it.each([
    ["CRC32", undefined, "COMPOSITE"],
    ["CRC32C", undefined, "COMPOSITE"],
    ["SHA1", undefined, "COMPOSITE"],
    ["SHA256", "COMPOSITE", "COMPOSITE"],
    ["CRC64NVME", undefined, "FULL_OBJECT"],
    ["CRC32", "FULL_OBJECT", "FULL_OBJECT"],
    ["crc32c", "full_object", "FULL_OBJECT"],
  ])("takes %s of type %s as %s", async (algorithm, type, expected) => {
    const bucket = await freshBucket();
    const response = await send("POST", `/${bucket}/k?uploads`, {
      headers: {
        "x-amz-checksum-algorithm": algorithm,
        ...(type === undefined ? {} : { "x-amz-checksum-type": type }),
      },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-amz-checksum-algorithm")).toBe(algorithm.toUpperCase());
    expect(response.headers.get("x-amz-checksum-type")).toBe(expected);
  });

  it.each([
    [
      "a type without an algorithm",
      { "x-amz-checksum-type": "COMPOSITE" },
      {
        status: 400,
        code: "InvalidRequest",
        message: "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
      },
    ],
    [
      "a composite CRC64NVME",
      { "x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE" },
      {
        status: 400,
        code: "InvalidRequest",
        message: "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.",
      },
    ],
    ...["MD5", "SHA1", "SHA256", "SHA512", "XXHASH128", "XXHASH3", "XXHASH64"].map(
      (algorithm) =>
        [
          `a full-object ${algorithm}`,
          { "x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": "FULL_OBJECT" },
          {
            status: 400,
            code: "InvalidRequest",
            message: `The FULL_OBJECT checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
          },
        ] as const,
    ),
    [
      "an unknown type",
      { "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "HALF" },
      { status: 400, code: "InvalidRequest", message: "Value for x-amz-checksum-type header is invalid." },
    ],
    [
      "an unknown algorithm",
      { "x-amz-checksum-algorithm": "CRC16" },
      { status: 400, code: "InvalidRequest", message: /^Checksum algorithm provided is unsupported\./ },
    ],
    [
      "an unknown storage class",
      { "x-amz-storage-class": "TAPE" },
      { status: 400, code: "InvalidStorageClass", fields: { StorageClassRequested: "TAPE" } },
    ],
    ["a public ACL", { "x-amz-acl": "public-read" }, ACLS_OFF],
    [
      "a lock in a bucket without Object Lock",
      { "x-amz-object-lock-legal-hold": "ON" },
      { status: 400, code: "InvalidRequest", message: "Bucket is missing Object Lock Configuration" },
    ],
    [
      "too much metadata",
      { "x-amz-meta-a": "v".repeat(2048) },
      { status: 400, code: "MetadataTooLarge", fields: { Size: "2049", MaxSizeAllowed: "2048" } },
    ],
    [
      "a repeated tag",
      { "x-amz-tagging": "a=1&a=2" },
      {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: "x-amz-tagging", ArgumentValue: "a=1&a=2" },
      },
    ],
    [
      "eleven tags",
      { "x-amz-tagging": Array.from({ length: 11 }, (_, index) => `k${index}=`).join("&") },
      { status: 400, code: "BadRequest", message: "Object tags cannot be greater than 10" },
    ],
  ] as const)("refuses %s and begins nothing", async (_name, headers, expected) => {
    const bucket = await freshBucket();
    await expectUntouched(bucket, async () =>
      expectS3Error(await send("POST", `/${bucket}/k?uploads`, { headers }), expected),
    );
  });

  it("rejects a key that is too long", async () => {
    const bucket = await freshBucket();
    await expectUntouched(bucket, async () =>
      expectS3Error(await send("POST", `/${bucket}/${"k".repeat(1025)}?uploads`), {
        status: 400,
        code: "KeyTooLongError",
        fields: { Size: "1025", MaxSizeAllowed: "1024" },
      }),
    );
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await send("POST", `/${missing}/k?uploads`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("POST", `/${bucket}/k?uploads`)), { status: 403, code: "AccessDenied" }),
    );
  });
});
