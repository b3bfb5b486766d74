import { describe, expect, it } from "vitest";

import { grantsOf, PUBLIC_READ, setOwnership } from "../support/acl.ts";
import { anonymous, deliver, send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { expectUntouched } from "../support/rows.ts";

describe("DeleteBucketOwnershipControls", () => {
  it("lets writers own their objects, and enables ACLs", async () => {
    const bucket = await freshBucket();
    for (let turn = 0; turn < 2; turn += 1) {
      const response = await send("DELETE", `/${bucket}?ownershipControls`);
      expect(response.status).toBe(204);
      expect(await response.text()).toBe("");
    }
    expect((await send("GET", `/${bucket}?ownershipControls`)).status).toBe(404);
    const headers = { "x-amz-acl": "public-read" };
    expect((await send("PUT", `/${bucket}?acl`, { headers })).status).toBe(200);
    expect(await grantsOf(`${bucket}?acl`)).toEqual(PUBLIC_READ);
  });

  it("lets the controls be set again", async () => {
    const bucket = await freshBucket();
    await send("DELETE", `/${bucket}?ownershipControls`);
    await setOwnership(bucket, "BucketOwnerPreferred");
    expect(await (await send("GET", `/${bucket}?ownershipControls`)).text()).toContain("BucketOwnerPreferred");
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await send("DELETE", `/${missing}?ownershipControls`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("DELETE", `/${bucket}?ownershipControls`)), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });
});
