import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { corsDocument, putCors } from "../support/cors.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

describe("DeleteBucketCors", () => {
  it("deletes the rules, also when repeated", async () => {
    const bucket = await freshBucket();
    await putCors(bucket, corsDocument("*"));
    for (let turn = 0; turn < 2; turn += 1) {
      const response = await send("DELETE", `/${bucket}?cors`);
      expect(response.status).toBe(204);
      expect(await response.text()).toBe("");
    }
    await expectS3Error(await send("GET", `/${bucket}?cors`), {
      status: 404,
      code: "NoSuchCORSConfiguration",
      fields: { BucketName: bucket },
    });
  });

  it("does not change the bucket and its objects", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: "x" });
    await send("DELETE", `/${bucket}?cors`);
    expect((await send("HEAD", `/${bucket}/k`)).status).toBe(200);
  });
});
