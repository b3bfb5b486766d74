import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { publicReadPolicy, putPolicy, putPublicAccessBlock } from "../support/policies.ts";
import { expectUntouched } from "../support/rows.ts";

describe("DeletePublicAccessBlock", () => {
  it("deletes the settings, also when repeated", async () => {
    const bucket = await freshBucket();
    await putPublicAccessBlock(bucket, "BlockPublicPolicy");
    for (let turn = 0; turn < 2; turn += 1) {
      const response = await send("DELETE", `/${bucket}?publicAccessBlock`);
      expect(response.status).toBe(204);
      expect(await response.text()).toBe("");
    }
    await expectS3Error(await send("GET", `/${bucket}?publicAccessBlock`), {
      status: 404,
      code: "NoSuchPublicAccessBlockConfiguration",
      fields: { BucketName: bucket },
    });
    expect((await putPolicy(bucket, publicReadPolicy(bucket))).status).toBe(204);
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await send("DELETE", `/${missing}?publicAccessBlock`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    await putPublicAccessBlock(bucket, "BlockPublicPolicy");
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("DELETE", `/${bucket}?publicAccessBlock`)), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });
});
