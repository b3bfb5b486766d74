import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { putWebsite, websiteDocument } from "../support/websites.ts";

describe("DeleteBucketWebsite", () => {
  it("deletes the configuration, and succeeds without one", async () => {
    const bucket = await freshBucket();
    await putWebsite(bucket, websiteDocument());
    for (let turn = 0; turn < 2; turn += 1) {
      const response = await send("DELETE", `/${bucket}?website`);
      expect({ status: response.status, body: await response.text() }).toEqual({ status: 204, body: "" });
      await expectS3Error(await send("GET", `/${bucket}?website`), {
        status: 404,
        code: "NoSuchWebsiteConfiguration",
        fields: { BucketName: bucket },
      });
    }
  });

  it("returns 404 for a missing bucket", async () => {
    await expectS3Error(await send("DELETE", "/no-such-bucket-here?website"), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: "no-such-bucket-here" },
    });
  });
});
