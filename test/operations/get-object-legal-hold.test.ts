import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { legalHoldHeaders, lockedBucket, NOT_ENABLED, putLocked } from "../support/object-lock.ts";

describe("GetObjectLegalHold", () => {
  it("returns ON or OFF", async () => {
    const bucket = await lockedBucket();
    for (const status of ["ON", "OFF"] as const) {
      await putLocked(bucket, "k", legalHoldHeaders(status));
      const response = await send("GET", `/${bucket}/k?legal-hold`);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(
        `<?xml version="1.0" encoding="UTF-8"?>\n<LegalHold xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>${status}</Status></LegalHold>`,
      );
      expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, blobCalls: 0 });
    }
  });

  it("returns its error for a version without a legal hold, and for a bucket without Object Lock", async () => {
    const bucket = await lockedBucket();
    await putLocked(bucket, "k", {});
    await expectS3Error(await send("GET", `/${bucket}/k?legal-hold`), {
      status: 404,
      code: "NoSuchObjectLockConfiguration",
      fields: { Key: "k" },
    });
    const plain = await freshBucket();
    await putAll(plain, { k: "x" });
    await expectS3Error(await send("GET", `/${plain}/k?legal-hold`), NOT_ENABLED);
  });
});
