import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { lockedBucket, setDefaultRetention } from "../support/object-lock.ts";
import { expectUnset } from "../support/unset-configuration.ts";

describe("GetObjectLockConfiguration", () => {
  it("returns its error for buckets without Object Lock, and NoSuchBucket for missing ones", async () => {
    await expectUnset("object-lock", "ObjectLockConfigurationNotFoundError");
  });

  it("returns the default retention in days or years", async () => {
    const bucket = await lockedBucket();
    for (const retention of ["<Mode>COMPLIANCE</Mode><Years>7</Years>", "<Mode>GOVERNANCE</Mode><Days>30</Days>"]) {
      await setDefaultRetention(bucket, retention);
      const response = await send("GET", `/${bucket}?object-lock`);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(
        `<?xml version="1.0" encoding="UTF-8"?>\n<ObjectLockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>${retention}</DefaultRetention></Rule></ObjectLockConfiguration>`,
      );
    }
  });
});
