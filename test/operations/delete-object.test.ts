import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectBytes, md5Hex } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";

describe("DeleteObject", () => {
  it("returns 204 without a body, deletes the object and turns its bytes into garbage", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "a/k": "x", b: "y" });
    const blob = (await storedStateOf(bucket)).objects["a/k"]?.blob_id;
    const response = await send("DELETE", `/${bucket}/a/k`);
    expect(response.status).toBe(204);
    expect(response.body).toBeNull();
    for (const name of ["content-type", "x-amz-version-id", "x-amz-delete-marker"]) {
      expect(response.headers.get(name)).toBeNull();
    }
    expectAnswerHeaders(response);
    const storedState = await storedStateOf(bucket);
    expect(Object.keys(storedState.objects)).toEqual(["b"]);
    expect(storedState.garbage).toEqual([blob]);
    expectNothingLeftOver(storedState);
    expect((await send("GET", `/${bucket}/a/k`)).status).toBe(404);
  });

  it("returns 204 for a missing object, and does nothing", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { b: "y" });
    await expectNoTrace(bucket, async () => {
      const response = await send("DELETE", `/${bucket}/nope`);
      expect(response.status).toBe(204);
      expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    });
  });

  it("returns 204 when repeated", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    expect((await send("DELETE", `/${bucket}/k`)).status).toBe(204);
    await expectNoTrace(bucket, async () => expect((await send("DELETE", `/${bucket}/k`)).status).toBe(204));
  });

  it("lets a new object take the key", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "one" });
    await send("DELETE", `/${bucket}/k`);
    await putAll(bucket, { k: "two" });
    await expectBytes(await send("GET", `/${bucket}/k`), "two");
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  describe("If-Match", () => {
    it("deletes the object with the ETag in any notation, and any object for *", async () => {
      const bucket = await freshBucket();
      const etag = md5Hex("x");
      for (const value of [`"${etag}"`, etag, `W/"${etag}"`, "*"]) {
        await putAll(bucket, { k: "x" });
        expect((await send("DELETE", `/${bucket}/k`, { headers: { "if-match": value } })).status, value).toBe(204);
        expect((await send("HEAD", `/${bucket}/k`)).status).toBe(404);
      }
    });

    it("returns PreconditionFailed for another ETag", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "x" });
      for (const value of ['"bad"', md5Hex("y"), ""]) {
        await expectNoTrace(bucket, async () =>
          expectS3Error(await send("DELETE", `/${bucket}/k`, { headers: { "if-match": value } }), {
            status: 412,
            code: "PreconditionFailed",
            fields: { Condition: "If-Match" },
          }),
        );
      }
    });

    it("returns NoSuchKey for a missing key", async () => {
      const bucket = await freshBucket();
      for (const value of ['"x"', "*"]) {
        await expectS3Error(await send("DELETE", `/${bucket}/a%20b`, { headers: { "if-match": value } }), {
          status: 404,
          code: "NoSuchKey",
          fields: { Key: "a b" },
        });
      }
    });
  });

  describe("x-amz-if-match-size and x-amz-if-match-last-modified-time", () => {
    it("delete a matching object", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "12345" });
      const modified = (await send("HEAD", `/${bucket}/k`)).headers.get("last-modified") ?? "";
      const headers = {
        "if-match": md5Hex("12345"),
        "x-amz-if-match-size": "5",
        "x-amz-if-match-last-modified-time": modified,
      };
      expect((await send("DELETE", `/${bucket}/k`, { headers })).status).toBe(204);
      expect((await storedStateOf(bucket)).objects).toEqual({});
    });

    it("return PreconditionFailed for another object", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "12345" });
      for (const [name, value] of [
        ["x-amz-if-match-size", "4"],
        ["x-amz-if-match-last-modified-time", "Thu, 01 Jan 1970 00:00:00 GMT"],
      ] as const) {
        await expectNoTrace(bucket, async () =>
          expectS3Error(await send("DELETE", `/${bucket}/k`, { headers: { [name]: value } }), {
            status: 412,
            code: "PreconditionFailed",
            fields: { Condition: name },
          }),
        );
      }
    });

    it("return InvalidArgument when they cannot be parsed", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "12345" });
      for (const [name, value] of [
        ["x-amz-if-match-size", "-5"],
        ["x-amz-if-match-size", "0x5"],
        ["x-amz-if-match-size", ""],
        ["x-amz-if-match-last-modified-time", "yesterday"],
      ] as const) {
        await expectNoTrace(bucket, async () =>
          expectS3Error(await send("DELETE", `/${bucket}/k`, { headers: { [name]: value } }), {
            status: 400,
            code: "InvalidArgument",
            fields: { ArgumentName: name, ArgumentValue: value },
          }),
        );
      }
    });
  });

  describe("versionId", () => {
    it("null deletes the only version, and is returned", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "x" });
      const response = await send("DELETE", `/${bucket}/k?versionId=null`);
      expect(response.status).toBe(204);
      expect(response.headers.get("x-amz-version-id")).toBe("null");
      expect((await storedStateOf(bucket)).objects).toEqual({});
    });

    it("of a missing version deletes nothing, and is returned", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "x" });
      const versionId = "0".repeat(32);
      await expectNoTrace(bucket, async () => {
        const response = await send("DELETE", `/${bucket}/k?versionId=${versionId}`);
        expect(response.status).toBe(204);
        expect(response.headers.get("x-amz-version-id")).toBe(versionId);
      });
    });

    it("that is malformed or empty is rejected, and deletes nothing", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "x" });
      for (const [value, message] of [
        ["", "Version id cannot be the empty string"],
        ["x", "Invalid version id specified"],
      ] as const) {
        await expectNoTrace(bucket, async () =>
          expectS3Error(await send("DELETE", `/${bucket}/k?versionId=${value}`), {
            status: 400,
            code: "InvalidArgument",
            message,
            fields: { ArgumentName: "versionId", ArgumentValue: value },
          }),
        );
      }
    });
  });

  it("deletes exactly one key among similar ones", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "1", K: "2", "k/": "3", "k%": "4", k_: "5", kk: "6" });
    await send("DELETE", `/${bucket}/k`);
    await send("DELETE", `/${bucket}/k%25`);
    expect(Object.keys((await storedStateOf(bucket)).objects)).toEqual(["K", "k/", "k_", "kk"]);
  });

  it("returns NoSuchBucket for a missing bucket", async () => {
    const name = freshBucketName();
    await expectS3Error(await send("DELETE", `/${name}/k`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: name },
    });
  });

  it("rejects anonymous requests", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    await expectNoTrace(bucket, async () =>
      expectS3Error(await deliver(anonymous("DELETE", `/${bucket}/k`)), { status: 403, code: "AccessDenied" }),
    );
  });
});
