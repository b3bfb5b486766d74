import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { expectAnswerHeaders, expectHeadError } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";

describe("HeadBucket", () => {
  it("answers with the bucket's region and no body", async () => {
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

  it("answers 404 where there is no bucket", async () => {
    await expectHeadError(await send("HEAD", `/${freshBucketName()}`), 404);
  });

  it("answers 404 after the bucket was deleted", async () => {
    const name = await freshBucket();
    await send("DELETE", `/${name}`);
    await expectHeadError(await send("HEAD", `/${name}`), 404);
  });

  it.each(["ab", "Upper-Case", "a_b", "-abc", "192.168.0.1"])(
    "answers 400 to a name no bucket has: %s",
    async (name) => {
      await expectHeadError(await send("HEAD", `/${name}`), 400);
    },
  );

  it("answers 403 to anonymous requests, and tells them the region", async () => {
    const name = await freshBucket();
    const response = await deliver(anonymous("HEAD", `/${name}`));
    await expectHeadError(response, 403);
    expect(response.headers.get("x-amz-bucket-region")).toBe("auto");
  });

  it("answers 403 to a signature that is wrong", async () => {
    const name = await freshBucket();
    const credentials = { accessKeyId: "CAIRNTESTACCESSKEY00", secretAccessKey: "another" };
    await expectHeadError(await send("HEAD", `/${name}`, { credentials }), 403);
  });
});
