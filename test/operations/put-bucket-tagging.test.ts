import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { checksum, md5Base64, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { expectUntouched } from "../support/rows.ts";
import { sendTagging, taggingOf, tagsOf, unsoundTaggings } from "../support/tagging.ts";

const MANY = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`key ${index}`, `value ${index}`]));

describe("PutBucketTagging", () => {
  it("replaces all tags and returns 200 without a body", async () => {
    const bucket = await freshBucket();
    for (const tags of [{ a: "1", b: "" }, { "+-=._:/@ é": "+-=._:/@ é", "k k": "v".repeat(256) }, MANY]) {
      const response = await sendTagging(`/${bucket}?tagging`, taggingOf(tags));
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("");
      expectAnswerHeaders(response);
      expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 0 });
      expect(await tagsOf(`/${bucket}?tagging`)).toEqual(tags);
    }
  });

  it("counts characters, not bytes or UTF-16 units", async () => {
    const bucket = await freshBucket();
    const tags = { ["𝒳".repeat(128)]: "é".repeat(256) };
    expect((await sendTagging(`/${bucket}?tagging`, taggingOf(tags))).status).toBe(200);
    expect(await tagsOf(`/${bucket}?tagging`)).toEqual(tags);
  });

  it("verifies every digest that is sent", async () => {
    const bucket = await freshBucket();
    const body = taggingOf({ a: "1" });
    await expectUntouched(bucket, async () => {
      const headers = { "x-amz-checksum-crc32": checksum("CRC32", utf8("other")) };
      await expectS3Error(await send("PUT", `/${bucket}?tagging`, { body, headers }), {
        status: 400,
        code: "BadDigest",
      });
      await expectS3Error(await send("PUT", `/${bucket}?tagging`, { body, headers: { "content-md5": "abc" } }), {
        status: 400,
        code: "InvalidDigest",
        fields: { "Content-MD5": "abc" },
      });
      await expectS3Error(
        await send("PUT", `/${bucket}?tagging`, { body, headers: { "content-md5": md5Base64(utf8("x")) } }),
        {
          status: 400,
          code: "BadDigest",
          fields: { ExpectedDigest: md5Base64(utf8("x")), CalculatedDigest: md5Base64(utf8(body)) },
        },
      );
    });
    const headers = { "x-amz-checksum-crc32": checksum("CRC32", utf8(body)) };
    expect((await send("PUT", `/${bucket}?tagging`, { body, headers })).status).toBe(200);
  });

  it.each(unsoundTaggings("Bucket"))("rejects %s and changes nothing", async (_name, document, expected) => {
    const bucket = await freshBucket();
    await sendTagging(`/${bucket}?tagging`, taggingOf({ was: "here" }));
    await expectUntouched(bucket, async () =>
      expectS3Error(await sendTagging(`/${bucket}?tagging`, document), expected),
    );
    expect(await tagsOf(`/${bucket}?tagging`)).toEqual({ was: "here" });
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await sendTagging(`/${missing}?tagging`, taggingOf({})), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("PUT", `/${bucket}?tagging`, { body: taggingOf({}) })), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });

  it("leaves no tags to a bucket recreated under the name", async () => {
    const bucket = await freshBucket();
    await sendTagging(`/${bucket}?tagging`, taggingOf({ a: "1" }));
    await send("DELETE", `/${bucket}`);
    await send("PUT", `/${bucket}`);
    expect((await send("GET", `/${bucket}?tagging`)).status).toBe(404);
  });
});
