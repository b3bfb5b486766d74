import { describe, it } from "vitest";

import { expectUnset } from "../support/unset-configuration.ts";

describe("GetObjectLockConfiguration", () => {
  it("returns its error for existing buckets, and NoSuchBucket for missing ones", async () => {
    await expectUnset("object-lock", "ObjectLockConfigurationNotFoundError");
  });
});
