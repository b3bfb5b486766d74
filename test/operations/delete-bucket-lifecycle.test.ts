import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { expiresAfter, putLifecycle, rule } from "../support/lifecycle.ts";
import { expectUntouched } from "../support/rows.ts";

describe("DeleteBucketLifecycle", () => {
  it("deletes the rules, also when repeated", async () => {
    const bucket = await freshBucket();
    await putLifecycle(bucket, rule(expiresAfter(1)));
    for (let turn = 0; turn < 2; turn += 1) {
      const response = await send("DELETE", `/${bucket}?lifecycle`);
      expect(response.status).toBe(204);
      expect(response.body).toBeNull();
      expectAnswerHeaders(response);
      await expectS3Error(await send("GET", `/${bucket}?lifecycle`), {
        status: 404,
        code: "NoSuchLifecycleConfiguration",
        fields: { BucketName: bucket },
      });
    }
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await send("DELETE", `/${missing}?lifecycle`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    await putLifecycle(bucket, rule(expiresAfter(1)));
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("DELETE", `/${bucket}?lifecycle`)), { status: 403, code: "AccessDenied" }),
    );
  });
});
