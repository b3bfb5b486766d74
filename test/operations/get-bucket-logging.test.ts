import { describe, it } from "vitest";

import { expectDefault } from "../support/unset-configuration.ts";

describe("GetBucketLogging", () => {
  it("returns the default for existing buckets", async () => {
    await expectDefault("logging", "BucketLoggingStatus", "");
  });
});
