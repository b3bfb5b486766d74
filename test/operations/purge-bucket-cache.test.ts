import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

describe("PurgeBucketCache", () => {
  it("returns after how many seconds no location serves older answers, for two round trips", async () => {
    const bucket = await freshBucket();
    const response = await send("POST", `/${bucket}?purge`);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain(
      `<Bucket>${bucket}</Bucket><EffectiveWithinSeconds>10</EffectiveWithinSeconds>`,
    );
    expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 0 });
    const longer = await send("POST", `/${bucket}?purge`, {}, { DELIVERY_CACHE_SECONDS: "60" });
    expect(await longer.text()).toContain("<EffectiveWithinSeconds>120<");
  });

  it("returns 404 for a missing bucket", async () => {
    await expectS3Error(await send("POST", "/no-such-bucket-here?purge"), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: "no-such-bucket-here" },
    });
  });
});
