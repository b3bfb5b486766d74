import { describe, it } from "vitest";

import { expectDefault } from "../support/unset-configuration.ts";

describe("GetBucketNotificationConfiguration", () => {
  it("shows what holds by default, for buckets that are there", async () => {
    await expectDefault("notification", "NotificationConfiguration", "");
  });
});
