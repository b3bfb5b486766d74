import { describe, it } from "vitest";

import { expectDefault } from "../support/unset-configuration.ts";

describe("GetBucketAccelerateConfiguration", () => {
  it("shows what holds by default, for buckets that are there", async () => {
    await expectDefault("accelerate", "AccelerateConfiguration", "");
  });
});
