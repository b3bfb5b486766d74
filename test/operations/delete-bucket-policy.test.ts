import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";
import { expectUntouched } from "../support/rows.ts";

describe("DeleteBucketPolicy", () => {
  it("deletes the policy, also when repeated", async () => {
    const bucket = await freshBucket();
    await putPolicy(bucket, publicReadPolicy(bucket));
    for (let turn = 0; turn < 2; turn += 1) {
      const response = await send("DELETE", `/${bucket}?policy`);
      expect(response.status).toBe(204);
      expect(await response.text()).toBe("");
    }
    const fields = { BucketName: bucket };
    await expectS3Error(await send("GET", `/${bucket}?policy`), { status: 404, code: "NoSuchBucketPolicy", fields });
    await expectS3Error(await send("GET", `/${bucket}?policyStatus`), {
      status: 404,
      code: "NoSuchBucketPolicy",
      fields,
    });
  });

  it("does not change the bucket and its objects", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: "x" });
    await send("DELETE", `/${bucket}?policy`);
    expect((await send("HEAD", `/${bucket}/k`)).status).toBe(200);
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    const fields = { BucketName: missing };
    await expectS3Error(await send("DELETE", `/${missing}?policy`), { status: 404, code: "NoSuchBucket", fields });
    const bucket = await freshBucket();
    await putPolicy(bucket, publicReadPolicy(bucket));
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("DELETE", `/${bucket}?policy`)), { status: 403, code: "AccessDenied" }),
    );
  });
});
