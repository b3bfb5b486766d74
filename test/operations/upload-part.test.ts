import { describe, expect, it } from "vitest";

import { chunkedUpload, cut } from "../support/aws-chunked.ts";
import { anonymous, deliver, presigned, send, streamOf } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { ALGORITHMS, checksum, checksumHeader, md5Base64, md5Hex, noise, sha256Hex, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { createUpload, putPart, sendCompletion, sendPart } from "../support/multipart.ts";
import { expectBalanced, expectUntouched } from "../support/rows.ts";
import { bodyOf } from "../support/versioning.ts";

describe("UploadPart", () => {
  it("stores a part and returns its ETag and checksum, without a body", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const body = noise(1000);
    const response = await sendPart(bucket, "k", uploadId, 1, body);
    expect(response.status).toBe(200);
    expect(response.body).toBeNull();
    expect(response.headers.get("etag")).toBe(`"${md5Hex(body)}"`);
    expect(response.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", body));
    expectAnswerHeaders(response);
    expect((await send("HEAD", `/${bucket}/k`)).status).toBe(404);
    await expectBalanced(bucket);
  });

  it("costs two round trips, one row and one blob, and no coordinator call", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    for (const [number, size] of [
      [1, 1],
      [2, 300_000],
      [10_000, 0],
    ] as const) {
      expect(costOf(await sendPart(bucket, "k", uploadId, number, noise(size)))).toMatchObject({
        roundTrips: 2,
        rowsWritten: 1,
        coordinatorCalls: 0,
        blobCalls: 1,
      });
    }
  });

  it("replaces the part with its number, whose bytes become garbage", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    await putPart(bucket, "k", uploadId, 1, "first");
    const before = await storedStateOf(bucket);
    const part = await putPart(bucket, "k", uploadId, 1, "second");
    expect((await storedStateOf(bucket)).garbage).toEqual(Object.keys(before.blobs));
    await expectBalanced(bucket);
    await sendCompletion(bucket, "k", uploadId, [part]);
    expect(await bodyOf(bucket, "k")).toBe("second");
  });

  it("keeps one of several concurrent parts with one number, and discards the others", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const bodies = ["a", "b", "c", "d", "e"];
    const parts = await Promise.all(bodies.map((body) => putPart(bucket, "k", uploadId, 1, body)));
    expect((await storedStateOf(bucket)).garbage).toHaveLength(4);
    await expectBalanced(bucket);
    const statuses = await Promise.all(
      parts.map(async (part) => (await sendCompletion(bucket, "k", uploadId, [part])).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(await bodyOf(bucket, "k")).toBe(bodies[statuses.indexOf(200)]);
    await expectBalanced(bucket);
  });

  it.each(ALGORITHMS)("verifies %s, for an upload that announced it and one that announced none", async (algorithm) => {
    const bucket = await freshBucket();
    const body = noise(5000);
    for (const announced of [{ "x-amz-checksum-algorithm": algorithm }, {}]) {
      const uploadId = await createUpload(bucket, "k", announced);
      const name = checksumHeader(algorithm);
      const good = await sendPart(bucket, "k", uploadId, 1, body, { [name]: checksum(algorithm, body) });
      expect(good.status).toBe(200);
      const shown = "x-amz-checksum-algorithm" in announced ? algorithm : "CRC64NVME";
      expect(good.headers.get(checksumHeader(shown))).toBe(checksum(shown, body));
      await expectUntouched(bucket, async () => {
        const wrong = { [name]: checksum(algorithm, utf8("other")) };
        await expectS3Error(await sendPart(bucket, "k", uploadId, 1, body, wrong), {
          status: 400,
          code: "BadDigest",
          message: `The ${algorithm} you specified did not match the calculated checksum.`,
        });
        await expectS3Error(await sendPart(bucket, "k", uploadId, 1, body, { [name]: "nonsense" }), {
          status: 400,
          code: "InvalidRequest",
          message: `Value for ${name} header is invalid.`,
        });
      });
    }
  });

  it("computes the announced checksum when the part contains none", async () => {
    const bucket = await freshBucket();
    for (const algorithm of ALGORITHMS) {
      const uploadId = await createUpload(bucket, "k", { "x-amz-checksum-algorithm": algorithm });
      const response = await sendPart(bucket, "k", uploadId, 1, "abc");
      expect(response.headers.get(checksumHeader(algorithm))).toBe(checksum(algorithm, utf8("abc")));
    }
  });

  it("rejects a checksum that the upload did not announce", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k", { "x-amz-checksum-algorithm": "SHA256" });
    await expectUntouched(bucket, async () =>
      expectS3Error(
        await sendPart(bucket, "k", uploadId, 1, "x", { "x-amz-checksum-crc32": checksum("CRC32", utf8("x")) }),
        {
          status: 400,
          code: "InvalidRequest",
          message: "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32",
        },
      ),
    );
  });

  it("accepts bodies as SDKs send them: with a trailer, signed in chunks, with a hash, presigned", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k", { "x-amz-checksum-algorithm": "CRC32" });
    const body = noise(20_000);
    const target = `/${bucket}/k?partNumber=1&uploadId=${uploadId}`;
    const trailers = { "x-amz-checksum-crc32": checksum("CRC32", body) };
    for (const request of [
      await chunkedUpload(target, {
        form: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        pieces: cut(body, 8192),
        trailers,
        isMeasured: false,
      }),
      await chunkedUpload(target, { form: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", pieces: cut(body, 8192) }),
      await presigned("PUT", target, { body }),
    ]) {
      const response = await deliver(request);
      expect(response.status).toBe(200);
      expect(response.headers.get("etag")).toBe(`"${md5Hex(body)}"`);
      expect(response.headers.get("x-amz-checksum-crc32")).toBe(checksum("CRC32", body));
    }
    const headers = { "x-amz-content-sha256": sha256Hex(body), "content-md5": md5Base64(body) };
    expect((await sendPart(bucket, "k", uploadId, 1, body, headers)).status).toBe(200);
    await expectBalanced(bucket);
  });

  it("rejects a wrong trailer and keeps the existing part", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const part = await putPart(bucket, "k", uploadId, 1, "good");
    const request = await chunkedUpload(`/${bucket}/k?partNumber=1&uploadId=${uploadId}`, {
      form: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      pieces: [utf8("bad")],
      trailers: { "x-amz-checksum-crc32": checksum("CRC32", utf8("other")) },
    });
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(request), { status: 400, code: "BadDigest" }),
    );
    await sendCompletion(bucket, "k", uploadId, [part]);
    expect(await bodyOf(bucket, "k")).toBe("good");
  });

  it.each([
    [
      "a wrong MD5",
      { "content-md5": md5Base64(utf8("other")) },
      {
        status: 400,
        code: "BadDigest",
        fields: { ExpectedDigest: md5Base64(utf8("other")), CalculatedDigest: md5Base64(utf8("body")) },
      },
    ],
    [
      "a malformed MD5",
      { "content-md5": "abc" },
      { status: 400, code: "InvalidDigest", fields: { "Content-MD5": "abc" } },
    ],
    [
      "a wrong hash of the body",
      { "x-amz-content-sha256": sha256Hex(utf8("other")) },
      {
        status: 400,
        code: "XAmzContentSHA256Mismatch",
        fields: {
          ClientComputedContentSHA256: sha256Hex(utf8("other")),
          S3ComputedContentSHA256: sha256Hex(utf8("body")),
        },
      },
    ],
    [
      "two checksums",
      {
        "x-amz-checksum-crc32": checksum("CRC32", utf8("body")),
        "x-amz-checksum-sha1": checksum("SHA1", utf8("body")),
      },
      { status: 400, code: "InvalidRequest", message: /^Expecting a single x-amz-checksum- header/ },
    ],
    [
      "an algorithm without its value",
      { "x-amz-sdk-checksum-algorithm": "CRC32" },
      { status: 400, code: "InvalidRequest", message: /^x-amz-sdk-checksum-algorithm specified/ },
    ],
    [
      "more than 5 GiB",
      { "content-length": "5368709121" },
      {
        status: 400,
        code: "EntityTooLarge",
        fields: { ProposedSize: "5368709121", MaxSizeAllowed: "5368709120" },
      },
    ],
  ] as readonly (readonly [string, Record<string, string>, ExpectedError])[])(
    "refuses %s and stores nothing",
    async (_name, headers, expected) => {
      const bucket = await freshBucket();
      const uploadId = await createUpload(bucket, "k");
      await expectUntouched(bucket, async () =>
        expectS3Error(await sendPart(bucket, "k", uploadId, 1, "body", headers), expected),
      );
    },
  );

  it.each(["0", "10001", "-1", "1.5", "x", "", "99999999999", "1e3"])("rejects %j as a part number", async (number) => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    await expectUntouched(bucket, async () =>
      expectS3Error(await sendPart(bucket, "k", uploadId, number, "x"), {
        status: 400,
        code: "InvalidArgument",
        message: "Part number must be an integer between 1 and 10000, inclusive",
        fields: { ArgumentName: "partNumber", ArgumentValue: number },
      }),
    );
  });

  it("rejects a body of unknown length, and one that breaks off", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const target = `/${bucket}/k?partNumber=1&uploadId=${uploadId}`;
    await expectUntouched(bucket, async () => {
      await expectS3Error(await send("PUT", target, { body: streamOf([utf8("x")]) }), {
        status: 411,
        code: "MissingContentLength",
      });
      const headers = { "content-length": "10" };
      await expectS3Error(await send("PUT", target, { body: streamOf([utf8("x")]), headers }), {
        status: 400,
        code: "IncompleteBody",
      });
    });
  });

  it("finds an upload only by its own bucket and key, and stores nothing under another", async () => {
    const [bucket, other] = [await freshBucket(), await freshBucket()];
    const uploadId = await createUpload(bucket, "k");
    for (const [inBucket, key, id] of [
      [other, "k", uploadId],
      [bucket, "other", uploadId],
      [bucket, "k", "nonsense"],
      [bucket, "k", ""],
    ] as const) {
      await expectUntouched(inBucket, async () =>
        expectS3Error(await sendPart(inBucket, key, id, 1, "x"), {
          status: 404,
          code: "NoSuchUpload",
          fields: { UploadId: id },
        }),
      );
    }
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await sendPart(missing, "k", "x", 1, "x"), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const request = anonymous("PUT", `/${bucket}/k?partNumber=1&uploadId=${uploadId}`, { body: "x" });
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(request), { status: 403, code: "AccessDenied" }),
    );
  });
});
