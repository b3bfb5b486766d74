import { describe, it } from "vitest";

import { expectDefault } from "../support/unset-configuration.ts";

describe("GetBucketNotificationConfiguration", () => {
  it("returns the default for existing buckets", async () => {
    await expectDefault("notification", "NotificationConfiguration", "");
  });
});
