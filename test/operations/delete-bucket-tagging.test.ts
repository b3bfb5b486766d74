import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { expectUntouched } from "../support/rows.ts";
import { taggingOf, tagsOf, sendTagging } from "../support/tagging.ts";

describe("DeleteBucketTagging", () => {
  it("deletes all tags and returns 204 without a body, also without tags", async () => {
    const bucket = await freshBucket();
    expect((await sendTagging(`/${bucket}?tagging`, taggingOf({ a: "1", b: "2" }))).status).toBe(200);
    for (let turn = 0; turn < 2; turn += 1) {
      const response = await send("DELETE", `/${bucket}?tagging`);
      expect(response.status).toBe(204);
      expect(response.body).toBeNull();
      expectAnswerHeaders(response);
      expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 0 });
      await expectS3Error(await send("GET", `/${bucket}?tagging`), {
        status: 404,
        code: "NoSuchTagSet",
        fields: { BucketName: bucket },
      });
    }
    expect((await send("HEAD", `/${bucket}`)).status).toBe(200);
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await send("DELETE", `/${missing}?tagging`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    await sendTagging(`/${bucket}?tagging`, taggingOf({ a: "1" }));
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("DELETE", `/${bucket}?tagging`)), { status: 403, code: "AccessDenied" }),
    );
    expect(await tagsOf(`/${bucket}?tagging`)).toEqual({ a: "1" });
  });
});
