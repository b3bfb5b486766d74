import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { expectAnswerHeaders, expectHeadError } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";

describe("HeadBucket", () => {
  it("returns the bucket's region and no body", async () => {
    const name = freshBucketName();
    await send("PUT", `/${name}`, {
      body: "<CreateBucketConfiguration><LocationConstraint>eu-west-7</LocationConstraint></CreateBucketConfiguration>",
    });
    for (const target of [`/${name}`, `/${name}/`, `/${name}?x-id=HeadBucket`]) {
      const response = await send("HEAD", target);
      expect(response.status).toBe(200);
      expect(response.headers.get("x-amz-bucket-region")).toBe("eu-west-7");
      expect(response.headers.get("content-length")).toBe("0");
      expect(response.body).toBeNull();
      expectAnswerHeaders(response);
    }
  });

  it("returns 404 for a missing bucket", async () => {
    await expectHeadError(await send("HEAD", `/${freshBucketName()}`), 404);
  });

  it("returns 404 after the bucket was deleted", async () => {
    const name = await freshBucket();
    await send("DELETE", `/${name}`);
    await expectHeadError(await send("HEAD", `/${name}`), 404);
  });

  it.each(["ab", "Upper-Case", "a_b", "-abc", "192.168.0.1"])(
    "returns 400 for an invalid bucket name: %s",
    async (name) => {
      await expectHeadError(await send("HEAD", `/${name}`), 400);
    },
  );

  it("returns 403 with the region to anonymous requests", async () => {
    const name = await freshBucket();
    const response = await deliver(anonymous("HEAD", `/${name}`));
    await expectHeadError(response, 403);
    expect(response.headers.get("x-amz-bucket-region")).toBe("auto");
  });

  it("returns 403 for a wrong signature", async () => {
    const name = await freshBucket();
    const credentials = { accessKeyId: "CAIRNTESTACCESSKEY00", secretAccessKey: "another" };
    await expectHeadError(await send("HEAD", `/${name}`, { credentials }), 403);
  });
});
