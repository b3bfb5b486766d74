import { describe, it } from "vitest";

import { expectDefault } from "../support/unset-configuration.ts";

describe("GetBucketAccelerateConfiguration", () => {
  it("returns the default for existing buckets", async () => {
    await expectDefault("accelerate", "AccelerateConfiguration", "");
  });
});
