import { describe, it } from "vitest";

import { expectUnset } from "../support/unset-configuration.ts";

describe("GetObjectLockConfiguration", () => {
  it("says that there is none, and that of no bucket but those that are there", async () => {
    await expectUnset("object-lock", "ObjectLockConfigurationNotFoundError");
  });
});
