import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

describe("DeleteBucketDelivery", () => {
  it("deletes the configuration, and succeeds without one", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}?delivery`, { body: "<DeliveryConfiguration/>" });
    for (let turn = 0; turn < 2; turn += 1) {
      const response = await send("DELETE", `/${bucket}?delivery`);
      expect({ status: response.status, body: await response.text() }).toEqual({ status: 204, body: "" });
      const fields = { BucketName: bucket };
      const error = { status: 404, code: "NoSuchDeliveryConfiguration", fields };
      await expectS3Error(await send("GET", `/${bucket}?delivery`), error);
    }
  });
});
