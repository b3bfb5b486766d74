import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { BLOCKED, customerKey, encryptionDocument, keyHeaders, putEncryption } from "../support/encryption.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

describe("DeleteBucketEncryption", () => {
  it("restores the default, with and without a configuration", async () => {
    const bucket = await freshBucket();
    const fresh = await (await send("GET", `/${bucket}?encryption`)).text();
    await putEncryption(bucket, encryptionDocument(`<BucketKeyEnabled>true</BucketKeyEnabled>${BLOCKED}`));
    for (let turn = 0; turn < 2; turn += 1) {
      const response = await send("DELETE", `/${bucket}?encryption`);
      expect({ status: response.status, body: await response.text() }).toEqual({ status: 204, body: "" });
      expect(await (await send("GET", `/${bucket}?encryption`)).text()).toBe(fresh);
    }
    const headers = keyHeaders(customerKey(1));
    expect((await send("PUT", `/${bucket}/k`, { body: "x", headers })).status).toBe(200);
  });

  it("returns 404 for a missing bucket", async () => {
    await expectS3Error(await send("DELETE", "/no-such-bucket-here?encryption"), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: "no-such-bucket-here" },
    });
  });
});
