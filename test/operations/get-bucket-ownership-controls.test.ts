import { describe, it } from "vitest";

import { expectDefault } from "../support/unset-configuration.ts";

describe("GetBucketOwnershipControls", () => {
  it("shows what holds by default, for buckets that are there", async () => {
    await expectDefault(
      "ownershipControls",
      "OwnershipControls",
      "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>",
    );
  });
});
